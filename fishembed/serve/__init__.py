"""Answer photos in a browser on this machine, with a run's head."""

from fishembed.serve.answerer import Answerer
from fishembed.serve.app import make_app

__all__ = ["Answerer", "make_app"]
