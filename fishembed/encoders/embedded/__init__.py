"""The encoder in the package."""
