"""Every command of the README runs, in the README's order, in a temporary workspace."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from fake_encoder import FakeEncoder
from readme_workspace import make_workspace

from fishembed.cli.app import app
from fishembed.cli.program.run_program import run_program
from fishembed.extraction import extract

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ (.+)$", README, flags=re.MULTILINE)
EXCEPTED = {
    "python -m venv .venv && . .venv/bin/activate && pip install -e . && fishembed demo": (
        "installs; tests/demo runs the demo"
    ),
    "python -m venv .venv && . .venv/bin/activate && pip install -e '.[dev]' && pytest": "installs",
    "fishembed serve photos-auto": "goes on until Ctrl-C; tests/serve runs it",
}
"""Commands that are not run, and why."""
INSTEAD = {
    "--device cuda": ("--encoder embedded", "no GPU and no network"),
    "fishembed taxonomy": ("fishembed taxonomy --offline", "no network"),
}
"""Parts of commands that are replaced, and why."""
DINO = "--encoder timm:"  # weights that only a network brings


def runnable(line: str) -> list[str]:
    """Return the words of a command as it is run here."""
    for part, (instead, _) in INSTEAD.items():
        line = line.replace(part, instead)
    return shlex.split(line)


def prepare(line: str) -> None:
    """Do what the README says a person does before a command."""
    if "label_errors.csv" in line:  # marks what is wrong
        table = Path("reports/photos-audit/label_errors.csv")
        head, *rows = table.read_text(encoding="utf-8-sig").splitlines()
        at = head.split(",").index("action")
        if rows:
            cells = rows[0].split(",")
            cells[at] = "drop"
            table.write_text("\n".join([head, ",".join(cells), *rows[1:]]), encoding="utf-8")
        else:
            first = next(Path("photos").glob("*/*/*")).relative_to("photos")
            table.write_text(f"path,action,new_label\n{first},drop,\n", encoding="utf-8")


def test_the_exceptions_stand_in_the_readme():
    assert set(EXCEPTED) <= set(COMMANDS)
    assert all(any(part in line for line in COMMANDS) for part in INSTEAD)


@pytest.mark.slow
def test_every_command_runs(workspace, capsys):
    make_workspace(workspace)
    ran = 0
    for line in COMMANDS:
        if line in EXCEPTED:
            continue
        prepare(line)
        if DINO in line:
            extract("photos", "cache/photos-dino.h5", encoder=FakeEncoder(name="dino"))
            continue
        program, *words = runnable(line)
        assert program == "fishembed"
        code = run_program(app, words)
        out, err = capsys.readouterr()
        assert code == 0, f"{line}\n{out}\n{err}"
        ran += 1
    assert ran >= 25
