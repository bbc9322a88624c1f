"""The program, called as people call it."""

from __future__ import annotations

import pytest

from fishembed.cli import main


@pytest.fixture
def run(capsys):
    """Run the program in this process; give its exit code, output and errors."""

    def call(*words: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            main([str(word) for word in words])
        out, err = capsys.readouterr()
        return int(left.value.code or 0), out, err

    return call
