"""The contents of a run's page, as values for its template."""
