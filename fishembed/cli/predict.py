"""fishembed predict."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from fishembed._base.text import counted
from fishembed.cli.console import Console
from fishembed.cli.places import found_run
from fishembed.errors import InputError


def predict(
    run: Annotated[Path, typer.Argument(help="The run, or its name in ./reports.")],
    images: Annotated[
        list[str],
        typer.Argument(
            help="Pictures, folders or patterns (quoted or not); or a store (.h5), for which no "
            "encoder is loaded."
        ),
    ],
    top: Annotated[int, typer.Option("--top", "-k", min=1, help="Classes to name.")] = 3,
    evidence: Annotated[
        bool,
        typer.Option("--evidence", help="Show the nearest training images, from the run's store."),
    ] = False,
    kind: Annotated[
        Literal["table", "csv", "json", "parquet"] | None,
        typer.Option("--format", help="Of the output.", show_default="the file's ending, or table"),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A file.", show_default="the terminal")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cuda, cuda:N, mps or cpu.")] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
) -> None:
    """Say what new pictures show, by the head of a run and the encoder it was made with.

    Example: **fishembed predict photos-auto new/ "more/*.jpg" --evidence**
    """
    from fishembed.reports import prediction_formats as formats
    from fishembed.reports.prediction import predict_run

    wanted: formats.Format = "json" if as_json else kind or "table"
    if output is not None and kind is None and not as_json:
        wanted = formats.format_for(output)
    if output is None and wanted == "parquet":
        raise InputError("parquet is no text: name a file for it with --output")
    with Console(as_json=wanted != "table" and output is None) as console:
        folder = found_run(run)
        console.message(f"run: {folder}")
        found = predict_run(
            folder, images, top=top, evidence=evidence, device=device, reporter=console
        )
        for path, reason in found.skipped:
            console.message(f"skipped {path!r}: {reason}")
        if output is None:
            console.result(formats.formatted(found, wanted))
        else:
            formats.write_predictions(found, output, wanted)
            console.message(f"wrote {counted(len(found.predictions), 'prediction')} to {output}")
