"""Loading models of the hub without running a line that came with them."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, NoReturn

from fishembed.errors import EncoderError

_WEIGHTS_ONLY, _NOT_ONLY = "TORCH_FORCE_WEIGHTS_ONLY_LOAD", "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"


class RemoteCodeError(EncoderError):
    """A model that wants to run code of its own."""


@contextmanager
def no_remote_code(model: str) -> Iterator[None]:
    """Shut the doors by which files become code while a model is loaded, whatever they say.

    Those are the modules that transformers imports out of a repository, also where it would ask
    on the terminal, and pickles that torch reads in full.
    """
    with ExitStack() as stack:
        _set(stack, os.environ, _WEIGHTS_ONLY, "1")
        _set(stack, os.environ, _NOT_ONLY, None)
        if importlib.util.find_spec("transformers") is not None:
            _shut(stack, model)
        yield


def _shut(stack: ExitStack, model: str) -> None:
    from transformers import dynamic_module_utils as door

    def refuse(*_: object, **__: object) -> NoReturn:
        raise RemoteCodeError(
            f"{model!r} wants to run code that came with it, which is never done: name a model "
            "that OpenCLIP or timm has the code of"
        )

    for name in ("get_class_in_module", "get_cached_module_file"):
        if hasattr(door, name):
            _set(stack, vars(door), name, refuse)
    _set(stack, vars(door), "TIME_OUT_REMOTE_CODE", 0)


def _set(stack: ExitStack, where: Any, name: str, value: Any) -> None:
    """Set a value, or take it away for None, until the stack ends."""
    missing = object()
    before = where.get(name, missing)
    if value is None:
        where.pop(name, None)
    else:
        where[name] = value

    def back() -> None:
        if before is missing:
            where.pop(name, None)
        else:
            where[name] = before

    stack.callback(back)
