"""The interpreter: names loaded when first used, threads of BLAS, children that end in time."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import cache
from importlib import import_module
from typing import Any


def lazy_names(
    package: str, modules: Mapping[str, str]
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Return `__getattr__` and `__dir__` of a package that loads names when used (PEP 562).

    `modules` are those that hold each name, relative to the package.
    """

    def load(name: str) -> object:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value: object = getattr(import_module(f"{package}.{modules[name]}"), name)
        vars(sys.modules[package])[name] = value
        return value

    def names() -> list[str]:
        return sorted(set(vars(sys.modules[package])) | set(modules))

    return load, names


@cache
def _thread_pools() -> Any:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()  # finding the libraries costs milliseconds


def one_blas_thread() -> AbstractContextManager[Any]:
    """Run BLAS on one thread inside a ``with`` block.

    Blocks of rows are small on purpose, to stay in the cache. Sharing one between threads gains
    little on free cores, costs three to ten times the time on busy or virtual ones, and makes
    the bytes of a result depend on the number of cores.
    """
    limited: AbstractContextManager[Any] = _thread_pools().limit(limits=1, user_api="blas")
    return limited


_CHECK_SECONDS = 0.5


def end_with_parent(parent: int) -> None:
    """End this process when the one that started it is gone, also where that was killed.

    A thread checks for the process id `parent` twice a second. Where that is not this process's
    parent, as on Windows and in that process itself, nothing is done.
    """
    if os.name == "nt" or os.getpid() == parent:  # Windows never reports that a parent is gone
        return
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_CHECK_SECONDS)
    os._exit(1)
