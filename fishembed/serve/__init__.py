"""Answer photos in a browser on this machine, with a run's head."""

from fishembed.serve.app import make_app
from fishembed.serve.upload_classifier import UploadClassifier

Answerer = UploadClassifier
"""The earlier name of `UploadClassifier`."""

__all__ = ["Answerer", "UploadClassifier", "make_app"]
