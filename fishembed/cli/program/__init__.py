"""What every verb of the command line is run, typed and printed with."""
