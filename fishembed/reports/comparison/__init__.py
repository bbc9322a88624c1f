"""A comparison of runs as a page, as tables for papers, and as a figure."""
