"""The program `fishembed` and its verbs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from fishembed._version import __version__
from fishembed.cli import (
    audit,
    cluster,
    compare,
    demo,
    encoders,
    export,
    extract,
    fit,
    fix,
    import_,
    info,
    merge,
    predict,
    report,
    run,
    runs,
    search,
    serve,
    shard,
    split,
    suggest,
    taxonomy,
    zeroshot,
)
from fishembed.cli.run_program import run_program

app = typer.Typer(
    name="fishembed",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Encode every image once with OpenCLIP; run every experiment after that on the cached "
    "features, on a CPU, in seconds.\n\n"
    "`extract` encodes images into a feature store; `zeroshot` and `fit` score classifiers on a "
    "store and write runs; `report` draws a run as a page, `predict` classifies new images with "
    "it. Without arguments a verb takes `./data`, the newest store in `./cache` or the newest run "
    "in `./reports`, and says which.",
)


def _print_version(requested: bool) -> None:
    if requested:
        typer.echo(f"fishembed {__version__}")
        raise typer.Exit


@app.callback()
def _program(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Declare the options of the program itself."""


app.command("demo")(demo.demo)
app.command("run")(run.run)
app.command("extract")(extract.extract)
app.command("import")(import_.import_)
app.command("export")(export.export)
app.command("info")(info.info)
app.command("merge")(merge.merge)
app.command("shard")(shard.shard)
app.command("zeroshot")(zeroshot.zeroshot)
app.command("fit")(fit.fit)
app.command("predict")(predict.predict)
app.command("runs")(runs.runs)
app.command("serve")(serve.serve)
app.command("report")(report.report)
app.command("compare")(compare.compare)
app.command("search")(search.search)
app.command("cluster")(cluster.cluster)
app.command("suggest")(suggest.suggest)
app.command("audit")(audit.audit)
app.command("split")(split.split)
app.command("taxonomy")(taxonomy.taxonomy)
app.command("fix")(fix.fix)
app.command("encoders")(encoders.encoders)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the program and leave the interpreter with its exit code.

    Parameters
    ----------
    arguments
        What follows the program's name; the arguments of this process when None.
    """
    sys.exit(run_program(app, arguments))
