"""The encoder that comes with the install."""
