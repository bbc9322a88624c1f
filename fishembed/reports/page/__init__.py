"""What the pages of a run and of a comparison show, as values for their templates."""
