"""How bytes become pixels."""
