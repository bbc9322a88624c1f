"""Names of a package that are loaded when first used (PEP 562)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module


def lazy_names(
    package: str, modules: Mapping[str, str]
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Return the functions that a package assigns to its `__getattr__` and `__dir__`.

    Parameters
    ----------
    package
        The package's name.
    modules
        The module that holds each name, relative to the package.
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
