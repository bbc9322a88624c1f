"""Prediction of other images by a run's head."""
