"""Runs side by side on the images that all were scored on."""
