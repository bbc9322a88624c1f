"""Datasets: samples from folders, manifests, tars, boxes, videos."""
