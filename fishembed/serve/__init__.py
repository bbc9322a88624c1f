"""Classify photos in a browser on this machine, with a run's head."""

from fishembed.serve.upload_classifier import UploadClassifier
from fishembed.serve.web_app import make_app

Answerer = UploadClassifier
"""The earlier name of `UploadClassifier`."""

__all__ = ["Answerer", "UploadClassifier", "make_app"]
