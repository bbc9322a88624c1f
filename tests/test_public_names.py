from __future__ import annotations

import importlib
import inspect
import pickle
import pkgutil

import pytest

import fishembed
from fishembed import errors


def test_all_is_the_contract():
    assert sorted(fishembed.__all__) == fishembed.__all__
    for name in fishembed.__all__:
        assert getattr(fishembed, name) is not None
    assert set(fishembed.__all__) <= set(dir(fishembed))
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = fishembed.nonsense


def modules():
    found = pkgutil.walk_packages(fishembed.__path__, "fishembed.")
    return sorted(module.name for module in found if not module.name.endswith("__main__"))


@pytest.mark.parametrize("name", modules())
def test_every_module_says_what_it_is(name):
    module = importlib.import_module(name)
    assert module.__doc__, f"{name} has no docstring"
    for public in getattr(module, "__all__", ()):
        thing = getattr(module, public)
        if inspect.isclass(thing) or inspect.isfunction(thing):
            assert inspect.getdoc(thing), f"{name}.{public} has no docstring"


def test_every_error_stands_in_the_drawing_with_its_builtin():
    drawing = errors.__doc__ or ""
    for name, error in vars(errors).items():
        if inspect.isclass(error) and issubclass(error, errors.FishembedError):
            line = next(line for line in drawing.splitlines() if f" {name}" in line)
            for base in error.__bases__:
                if base.__module__ == "builtins" and base is not Exception:
                    assert f"({base.__name__})" in line, line


def test_missing_extra_names_the_command():
    message = str(errors.MissingExtraError("a Parquet manifest", "pyarrow", "parquet"))
    assert "pip install 'fishembed[parquet]'" in message


def test_a_missing_extra_crosses_processes():
    error = pickle.loads(pickle.dumps(errors.MissingExtraError("--engine ray", "ray", "ray")))
    assert "fishembed[ray]" in str(error)
