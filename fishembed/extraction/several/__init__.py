"""Several encoders over one pass of the images."""
