"""Import and export of stores from and to the formats of other programs."""
