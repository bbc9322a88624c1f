"""The verb `bundle`: export a run for programs without fishembed."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from fishembed.cli.completion import run_names
from fishembed.cli.console import NOTHING_WRITTEN, Console
from fishembed.cli.options import FetchOption, JsonOption, TrustEncoderOption
from fishembed.cli.resolve_paths import resolve_run


def bundle(
    run: Annotated[
        Path | None,
        typer.Argument(
            help="Run: its folder, or its name in ./reports.",
            show_default="newest in ./reports",
            autocompletion=run_names,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="New folder to write.", show_default="RUN.onnx"),
    ] = None,
    images: Annotated[
        list[str] | None,
        typer.Option(
            "--images",
            help="Images or a folder to compare the network with the encoder on; repeat for "
            "several.",
            show_default="100 of the run's store",
        ),
    ] = None,
    int8: Annotated[
        bool,
        typer.Option(
            "--int8",
            help="Also write the network with integer weights: a quarter of the size, less exact; "
            "how much is printed.",
        ),
    ] = False,
    send_back: Annotated[
        float,
        typer.Option(help="Share of images of known classes that it may call unknown."),
    ] = 0.05,
    fetch: FetchOption = False,
    trust_encoder: TrustEncoderOption = False,
    as_json: JsonOption = False,
) -> None:
    """Export encoder, preprocessing and classifier of a run as one ONNX network.

    The folder classifies images with onnxruntime and Pillow alone, by the script in it, and with
    'fishembed predict --bundle'. It is written only where the network answers 100 images as the
    encoder does.

    Examples
    --------
    fishembed bundle fish-auto -o fish.onnx
    fishembed bundle fish-auto -o fish.onnx --int8
    """
    from fishembed.sharing import bundle_run

    with Console(as_json=as_json, interrupted=NOTHING_WRITTEN) as console:
        folder = resolve_run(run, console)
        written = bundle_run(
            folder,
            output or Path(f"{folder.name}.onnx"),
            images=images or (),
            int8=int8,
            send_back=send_back,
            fetch=fetch,
            trust_encoder=trust_encoder,
            progress=console,
        )
        for name, size in written.megabytes.items():
            console.message(f"  {name}: {size:.1f} MB")
        console.message(
            f"wrote {written.folder}; 'fishembed predict --bundle {written.folder} PHOTOS' or "
            f"'python {written.folder / 'predict.py'} PHOTOS' classifies with it"
        )
        console.document({**asdict(written), "folder": str(written.folder)})
