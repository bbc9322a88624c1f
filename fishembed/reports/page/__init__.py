"""The pages and documents that tell of runs."""
