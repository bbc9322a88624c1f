"""The program `fishembed` and its verbs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from fishembed._version import __version__
from fishembed.cli.help_page import ProgramGroup
from fishembed.cli.options import LogFileOption, QuietOption, VerboseOption
from fishembed.cli.output import set_output
from fishembed.cli.run_program import run_program
from fishembed.cli.verbs import add_verbs

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


@app.callback()
def _program(
    version: Annotated[  # noqa: ARG001 - its callback prints it
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
    verbose: VerboseOption = False,
    quiet: QuietOption = False,
    log_file: LogFileOption = None,
) -> None:
    """Declare the options of the program itself."""
    set_output(verbose=verbose, quiet=quiet, log_file=log_file)


add_verbs(app)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the program and leave the interpreter with its exit code.

    Parameters
    ----------
    arguments
        What follows the program's name; the arguments of this process when None.
    """
    sys.exit(run_program(app, arguments))
