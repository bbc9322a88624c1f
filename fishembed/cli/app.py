"""The program `fishembed` and its verbs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from fishembed._version import __version__
from fishembed.cli import (
    audit,
    compare,
    demo,
    encoders,
    export,
    extract,
    fit,
    fix,
    importing,
    info,
    merge,
    predict,
    report,
    shard,
    split,
    zeroshot,
)
from fishembed.cli.boundary import guarded

app = typer.Typer(
    name="fishembed",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Encode every picture once with OpenCLIP; run every experiment after that on the "
    "cached vectors, on a CPU, in seconds.\n\n"
    "Photos go into a store (`extract`), a store into runs (`zeroshot`, `fit`), a run into a "
    "page (`report`) and into answers on new photos (`predict`). Each verb but that one works "
    "bare in a workspace: `./data`, the newest store in `./cache`, the newest run in `./reports`.",
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"fishembed {__version__}")
        raise typer.Exit


@app.callback()
def _program(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Say the version."),
    ] = False,
) -> None:
    """Carry the options of the program itself."""


app.command("demo")(demo.demo)
app.command("extract")(extract.extract)
app.command("import")(importing.import_)
app.command("export")(export.export)
app.command("info")(info.info)
app.command("merge")(merge.merge)
app.command("shard")(shard.shard)
app.command("zeroshot")(zeroshot.zeroshot)
app.command("fit")(fit.fit)
app.command("predict")(predict.predict)
app.command("report")(report.report)
app.command("compare")(compare.compare)
app.command("audit")(audit.audit)
app.command("split")(split.split)
app.command("fix")(fix.fix)
app.command("encoders")(encoders.encoders)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the program and leave the interpreter with its exit code.

    Parameters
    ----------
    arguments
        The words behind the program's name; those of this process when left out.
    """
    sys.exit(guarded(app, arguments))
