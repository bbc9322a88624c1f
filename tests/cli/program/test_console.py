from __future__ import annotations

import io
import sys

from fishembed.cli.program.console import Console
from fishembed.cli.program.output import error_line

NAME = "\x1b[31mred\x9b2J\r"


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


def test_names_do_not_steer_a_terminal(monkeypatch):
    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setattr(sys, "stderr", screen)
    with Console(as_json=False) as console:
        console.message(f"skipped {NAME}")
        console.result(f"path\n{NAME}\n")
    error_line(f"error: {NAME}")
    assert not set("\x1b\x9b\r") & set(screen.getvalue())
    assert screen.getvalue().count("\n") == 4


def test_a_file_gets_names_as_they_are(capsys):
    with Console(as_json=False) as console:
        console.result(f"{NAME}\n")
    assert capsys.readouterr().out == f"{NAME}\n"
