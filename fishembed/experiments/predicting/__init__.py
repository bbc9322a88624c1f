"""A run's answers about other images."""
