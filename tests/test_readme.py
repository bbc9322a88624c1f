"""What the README shows runs, and what can be run stands in the README."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.main import get_command

from fishembed.cli import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ (?:.*&& )?(fishembed .+)$", README, flags=re.MULTILINE)
VERBS = get_command(app).commands


def photos(folder: Path) -> None:
    rng = np.random.default_rng(0)
    for split, n in (("train", 6), ("test", 3)):
        for label, colour in (("cod", (30, 60, 90)), ("eel", (120, 80, 20))):
            for i in range(n):
                path = folder / split / label / f"{i}.jpg"
                path.parent.mkdir(parents=True, exist_ok=True)
                pixels = np.clip(rng.normal(colour, 20, (40, 60, 3)), 0, 255)
                Image.fromarray(pixels.astype(np.uint8)).save(path)


def test_python_runs(workspace, capsys):
    photos(workspace / "photos")
    blocks = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    assert blocks
    for block in blocks:
        exec(compile(block, "README.md", "exec"), {})
    assert "accuracy=1.0" in capsys.readouterr().out


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_are_the_programs_own(line):
    words = shlex.split(line)[1:]
    if words[0].startswith("--"):
        assert words[0] in {"--install-completion", "--version"}
        return
    known = {option for parameter in VERBS[words[0]].params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= known


def test_every_verb_is_shown():
    shown = set(re.findall(r"fishembed (\w+)", README))
    assert set(VERBS) <= shown, set(VERBS) - shown


def test_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        if "://" not in target:
            assert (ROOT / target).exists(), target


def test_nothing_was_left_open():
    assert not re.search(r"\b[A-Z0-9]+_[A-Z]+\b(?<!FISHEMBED_DATA)(?<!_CACHE)(?<!_REPORTS)", README)
