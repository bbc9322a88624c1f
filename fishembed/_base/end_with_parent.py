"""Child processes that do not outlive the one that started them, however that ends."""

from __future__ import annotations

import os
import threading
import time

_LOOK_EVERY = 0.5


def end_with_parent(parent: int) -> None:
    """End this process when the one that started it is gone, also where that was killed.

    A thread looks for it, twice a second. Where it is not this process's parent, as on Windows
    and in that process itself, nothing is done.

    Parameters
    ----------
    parent
        The process's id, as it reported itself.
    """
    if os.name == "nt" or os.getpid() == parent:  # Windows never says that a parent is gone
        return
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_EVERY)
    os._exit(1)
