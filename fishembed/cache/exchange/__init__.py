"""Stores from and to other programs: import and export."""
