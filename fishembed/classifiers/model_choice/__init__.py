"""Choosing a model by held-out scores."""
