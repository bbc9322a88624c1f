"""Whether two images are one photo, changed: found roughly, aligned, and compared."""
