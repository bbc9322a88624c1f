"""Tests of the start of verbs that fit."""

import subprocess
import sys

START = (
    "import sys\nfrom fishembed.cli.program.lean_imports import import_sklearn\nimport_sklearn()\n"
)


def run(code):
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )


def test_scikit_learn_is_loaded_and_what_it_only_names_is_not():
    done = run(
        START + "import sklearn.base\n"
        "from sklearn.utils.multiclass import check_classification_targets\n"
        "print([name in sys.modules for name in ('sklearn', 'scipy.stats', 'pandas')])"
    )
    assert done.stdout.strip() == "[True, False, False]", done.stderr


def test_the_real_modules_are_there_for_whoever_uses_them():
    done = run(
        START + "from sklearn.utils import fixes\n"
        "import numpy as np\n"
        "assert fixes._mode(np.array([1, 2, 2]), axis=0)[0] == [2]\n"
        "import scipy.stats\n"
        "assert scipy.stats.chi2.ppf(0.5, 2) > 1\n"
        "if getattr(fixes, 'pd', None) is not None:\n"
        "    import pandas\n"
        "    assert fixes.pd.DataFrame is pandas.DataFrame\n"
        "    assert fixes.pd.__version__ == pandas.__version__\n"
        "    assert sys.modules['pandas'].DataFrame is pandas.DataFrame\n"
        "print('ok')"
    )
    assert done.stdout.strip() == "ok", done.stderr


def test_a_frame_is_validated_as_ever():
    done = run(
        "import pytest\npandas = pytest.importorskip('pandas')\n" + START +
        "from sklearn.utils.validation import check_array\n"
        "print(check_array(pandas.DataFrame({'a': [1.0, 2.0], 'b': [3.0, 4.0]})).sum())"
    )  # fmt: skip
    assert done.stdout.strip() == "10.0" or "Skipped" in done.stderr, done.stderr


def test_what_is_loaded_stays():
    done = run(
        "import sys, scipy.stats\nbefore = scipy.stats\n" + START +
        "print(sys.modules['scipy.stats'] is before)"
    )  # fmt: skip
    assert done.stdout.strip() == "True", done.stderr


def test_what_a_fit_asks_of_heads_does_not_load_scikit_learns_neighbours():
    done = run(
        START + "from fishembed.classifiers import ChoosingHead, LogisticHead, NeighborsHead\n"
        "assert not isinstance(LogisticHead(), ChoosingHead | NeighborsHead)\n"
        "print('sklearn.neighbors' in sys.modules, 'scipy.stats' in sys.modules)"
    )
    assert done.stdout.strip() == "False False", done.stderr
