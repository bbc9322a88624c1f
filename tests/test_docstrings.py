"""The Examples in docstrings run, and every public function and class has one."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil

import pytest

import fishembed

FOUND = pkgutil.walk_packages(fishembed.__path__, "fishembed.")
MODULES = sorted(found.name for found in FOUND if not found.name.endswith("__main__"))
EXCUSED = {
    "Extraction": "is what `extract` returns",
    "FishembedError": "is raised, not called",
    "Run": "is what `run_fit` returns",
    "Scores": "is what `score` returns",
    "extract": "needs images: the README shows it, and its code is run",
    "load_encoder": "needs weights",
}
"""Public names that need no Example, and why."""


def examples(thing: object, name: str = "") -> list[doctest.DocTest]:
    """Examples in the docstrings of a module, or of a function or class with its methods."""
    found = doctest.DocTestFinder().find(thing, name or None)
    return [one for one in found if one.examples]


@pytest.mark.parametrize("name", MODULES)
def test_examples_show_what_happens(name):
    for example in examples(importlib.import_module(name)):
        result = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(example)
        assert result.failed == 0, f"{example.name} shows something else (see the output above)"


def test_every_public_name_has_an_example():
    public = {name: getattr(fishembed, name) for name in fishembed.__all__}
    missing = {
        name
        for name, thing in public.items()
        if (inspect.isclass(thing) or inspect.isfunction(thing)) and not examples(thing, name)
    }
    assert missing <= set(EXCUSED)
