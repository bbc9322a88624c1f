"""Answer photos in a browser on this machine, with a run's head."""

from fishembed.serve.app import Answerer, make_app

__all__ = ["Answerer", "make_app"]
