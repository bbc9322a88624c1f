"""One thread for BLAS, where threads of one's own are at work or the arrays are small."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache
from typing import Any

from threadpoolctl import ThreadpoolController


@cache
def _thread_pools() -> Any:
    return ThreadpoolController()  # finding the libraries takes milliseconds


def one_blas_thread() -> AbstractContextManager[Any]:
    """Run BLAS on one thread inside a ``with`` block.

    Blocks of rows are small on purpose, to stay in the cache. Sharing one between threads gains
    little on free cores, costs three to ten times the time on busy or virtual ones, and makes
    the bytes of a result depend on the number of cores.
    """
    limited: AbstractContextManager[Any] = _thread_pools().limit(limits=1, user_api="blas")
    return limited
