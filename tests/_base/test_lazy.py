from __future__ import annotations

import subprocess
import sys

import pytest

import fishembed
from fishembed import classifiers


def test_names_are_listed_and_unknown_ones_refused():
    assert set(fishembed.__all__) <= set(dir(fishembed))
    assert set(classifiers.__all__) <= set(dir(classifiers))
    with pytest.raises(AttributeError, match="'fishembed' has no attribute 'nothing'"):
        _ = fishembed.nothing


def test_importing_loads_nothing_heavy():
    code = (
        "import sys, fishembed; "
        "print({'torch', 'sklearn', 'h5py', 'numpy', 'matplotlib'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
