from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from fishembed import classifiers
from fishembed.cli import app

OPTIONS = [
    (verb, option)
    for verb, command in get_command(app).commands.items()
    for option in command.params
    if option.name != "help"
]
DEFAULTS = {
    "C": (classifiers.LogisticHead, "C"),
    "tau": (classifiers.PriorCorrectedClassifier, "tau"),
    "shrinkage": (classifiers.GaussianHead, "shrinkage"),
    "pseudo_count": (classifiers.GaussianHead, "pseudo_count"),
    "n_neighbors": (classifiers.NeighborsHead, "n_neighbors"),
    "epochs": (classifiers.LinearHead, "epochs"),
    "batch_size": (classifiers.LinearHead, "batch_size"),
    "learning_rate": (classifiers.LinearHead, "learning_rate"),
    "loss": (classifiers.LinearHead, "loss"),
    "schedule": (classifiers.LinearHead, "schedule"),
    "select_on": (classifiers.AutoHead, "select_on"),
    "normalize": (classifiers.LogisticHead, "normalize"),
}


def test_version_and_help(run):
    import fishembed

    assert run("--version")[1].strip() == f"fishembed {fishembed.__version__}"
    for verb in get_command(app).commands:
        code, out, _ = run(verb, "--help")
        assert code == 0
        assert f" fishembed {verb}" in " ".join(out.split()), verb


HEAVY = ("torch", "open_clip", "timm", "matplotlib", "sklearn", "scipy", "pandas", "h5py", "PIL")


@pytest.mark.parametrize(
    "code", ["import fishembed", "from fishembed.cli import main; main(['-h'])"]
)
def test_nothing_heavy_is_loaded_to_start(code):
    program = f"""
import atexit, sys
loaded = lambda: [name for name in {HEAVY} if name in sys.modules]
atexit.register(lambda: sys.stderr.write(str(loaded())))
{code}
"""
    done = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0
    assert done.stderr == "[]"


def test_the_program_runs_from_a_bare_clone(workspace):
    clone = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, str(clone / "cli.py"), "--version"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.stdout.startswith("fishembed ")


@pytest.mark.parametrize(
    ("verb", "option"), OPTIONS, ids=[f"{verb}-{option.name}" for verb, option in OPTIONS]
)
def test_every_option_is_explained_in_a_sentence(verb, option):
    text = option.help or ""
    assert len(text.split()) >= 3, text
    assert text[0] != " "
    assert text.endswith((".", ")")), text
    assert not text.startswith("Of ")


@pytest.mark.parametrize("name", DEFAULTS)
def test_defaults_in_the_help_of_fit_are_those_of_the_classifiers(name):
    shown = next(
        option.show_default for verb, option in OPTIONS if (verb, option.name) == ("fit", name)
    )
    estimator, parameter = DEFAULTS[name]
    default = inspect.signature(estimator).parameters[parameter].default
    assert shown.split(";")[0] == (default if isinstance(default, str) else f"{default:g}")
