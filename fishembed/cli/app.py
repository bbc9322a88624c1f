"""The program `fishembed` and its verbs."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Sequence
from dataclasses import is_dataclass
from typing import Annotated, Any

import typer

from fishembed._version import __version__
from fishembed.cli.audit_split_fix import audit, fix, split
from fishembed.cli.bundle_push import bundle, push
from fishembed.cli.demo import demo
from fishembed.cli.encoders_taxonomy import encoders, taxonomy
from fishembed.cli.extract import extract
from fishembed.cli.fit import fit
from fishembed.cli.import_export import export, import_
from fishembed.cli.info import info
from fishembed.cli.merge_shard import merge, shard
from fishembed.cli.predict import predict
from fishembed.cli.program.help_page import ProgramGroup, VerbCommand
from fishembed.cli.program.options import OutputOptions, parameters_of, take_group
from fishembed.cli.program.output import output, set_output
from fishembed.cli.program.run_program import run_program
from fishembed.cli.report_compare_runs import compare, report, runs
from fishembed.cli.run import run
from fishembed.cli.search_cluster_suggest import cluster, search, suggest
from fishembed.cli.serve import serve
from fishembed.cli.zeroshot import zeroshot

Verb = Callable[..., None]

GROUPS: dict[str, tuple[Verb, ...]] = {
    "Start": (demo, run, extract, info, encoders),
    "Learn": (zeroshot, fit, report, compare, runs, predict, serve),
    "Check data": (audit, fix, split, search, cluster, suggest, taxonomy),
    "Share": (import_, export, bundle, push),
    "Large scale": (merge, shard),
}
"""The verbs, by the group that they stand in under ``--help``; a new verb is one word here."""

app = typer.Typer(
    name="fishembed",
    cls=ProgramGroup,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="""Encode every image once; run every experiment after that on the cached features, on a
    CPU, in seconds.

    `extract` encodes images into a feature store, `fit` trains a classifier on it, `report` shows
    how good that is, `predict` classifies new images. A verb that is given no store, run or folder
    takes the newest in `./cache` or `./reports`, or `./data`, and says so on its first line.

    Examples
    --------
    fishembed demo
    fishembed run photos
    fishembed extract photos
    """,
)


def _print_version(requested: bool) -> None:
    if requested:
        typer.echo(f"fishembed {__version__}")
        raise typer.Exit


def _program(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Declare the options of the program itself."""


def _as_command(name: str, verb: Verb) -> Verb:
    """Return a verb with `OutputOptions` added, and single options in place of groups."""
    own = inspect.signature(verb, eval_str=True).parameters
    groups = {key: one.annotation for key, one in own.items() if is_dataclass(one.annotation)}
    parameters = [
        each.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for key, one in own.items()
        for each in (parameters_of(groups[key]) if key in groups else [one])
    ]
    parameters += parameters_of(OutputOptions)

    @functools.wraps(verb)
    def call(**given: Any) -> None:
        set_output(**vars(take_group(OutputOptions, given)))
        output().verb, output().given = name, dict(given)
        grouped = {key: take_group(group, given) for key, group in groups.items()}
        verb(**given, **grouped)

    call.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    call.__annotations__ = {one.name: one.annotation for one in parameters}
    return call


app.callback()(_as_command("", _program))
for _group, _verbs in GROUPS.items():
    for _verb in _verbs:
        _name = _verb.__name__.rstrip("_")
        app.command(_name, cls=VerbCommand, rich_help_panel=_group)(_as_command(_name, _verb))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the program and leave the interpreter with its exit code.

    Parameters
    ----------
    arguments
        The words after the program's name; the arguments of this process when None.
    """
    sys.exit(run_program(app, arguments))
