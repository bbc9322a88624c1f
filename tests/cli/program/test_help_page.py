"""The help: verbs in groups, options in panels, examples, nothing wider than 80 columns."""

from __future__ import annotations

import shlex

import pytest
from typer.main import get_command

from fishembed.cli import app
from fishembed.cli.app import GROUPS
from fishembed.cli.program.exit_codes import EXIT_CODES
from fishembed.cli.program.help_page import split_examples

VERBS = get_command(app).commands


@pytest.fixture(autouse=True)
def narrow(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")


def test_the_program_lists_its_verbs_in_groups(run):
    code, out, _ = run("--help")
    assert code == 0
    places = [out.index(f"\n{group}:\n") for group in GROUPS]
    assert places == sorted(places)
    assert list(GROUPS) == ["Start", "Learn", "Check data", "Share", "Large scale"]
    assert {verb.__name__.rstrip("_") for group in GROUPS.values() for verb in group} == set(VERBS)
    for one in EXIT_CODES:
        assert f"{one.code:>3}  {one.meaning}" in " ".join(out.split("\n"))
    assert max(map(len, out.split("\n"))) <= 80


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_has_examples_and_no_type_beside_a_flag(run, verb):
    code, out, _ = run(verb, "--help")
    assert code == 0
    assert max(map(len, out.split("\n"))) <= 80
    assert "bool" not in out
    for option in ("--verbose, -v", "--quiet, -q", "--log-file PATH"):
        assert option in out.split("\nOutput:\n")[1]
    assert len(split_examples(VERBS[verb].help)[1]) in (2, 3, 4)


@pytest.mark.parametrize("verb", VERBS)
def test_the_examples_are_commands_of_the_verb(verb):
    for line in split_examples(VERBS[verb].help)[1]:
        program, called, *words = shlex.split(line)
        assert (program, called) == ("fishembed", verb)
        with VERBS[verb].make_context(verb, words, resilient_parsing=False) as context:
            assert context.params


def test_options_of_fit_stand_by_head(run):
    out = run("fit", "--help")[1]
    assert out.index("Linear head of the paper (linear):") < out.index("  --epochs N")
    assert out.index("  --shrinkage X") > out.index("Heads of class means (gaussian")
    general = out.split("\nOptions:\n")[1].split("\n\n")[0]
    assert "--head NAME" in general
    assert "--epochs" not in general
