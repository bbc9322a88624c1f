"""The verbs `bundle` and `push`: a run for programs without fishembed, and for other people."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from fishembed.cli.program.console import NOTHING_WRITTEN, Console
from fishembed.cli.program.options import FetchOption, JsonOption, TrustEncoderOption, run_names
from fishembed.cli.program.resolve_paths import find_run, resolve_run


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


def push(
    run: Annotated[
        Path,
        typer.Argument(help="Run: its folder, or its name in ./reports.", autocompletion=run_names),
    ],
    repo: Annotated[
        str, typer.Argument(metavar="OWNER/NAME", help="Name of the model on the hub.")
    ],
    to: Annotated[
        Path | None,
        typer.Option(help="New folder to write in place of the hub.", show_default="the hub"),
    ] = None,
    bundle: Annotated[
        Path | None,
        typer.Option(
            help="Folder that 'fishembed bundle' wrote for this run, to share too.",
            show_default="none",
        ),
    ] = None,
    licence: Annotated[
        str,
        typer.Option(
            help="Licence of the classifier, such as cc-by-4.0, for its card.",
            show_default="none",
        ),
    ] = "",
    private: Annotated[
        bool, typer.Option("--private", help="Make a model that is new on the hub private.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Share a run's classifier with a model card: no image, no pickle, no path of this machine.

    'fishembed predict hf:OWNER/NAME photos' uses it anywhere. The key to the hub is the one that
    'hf auth login' keeps; nothing of it is printed or written.

    Examples
    --------
    fishembed push fish-auto me/fish
    fishembed push fish-auto me/fish --bundle fish.onnx --licence cc-by-4.0
    fishembed push fish-auto me/fish --to shared
    """
    from fishembed.sharing import push_run

    with Console(as_json=as_json, interrupted=NOTHING_WRITTEN) as console:
        folder = find_run(run)
        console.message(f"run: {folder}")
        done = push_run(
            folder,
            repo,
            to=to,
            bundle=bundle,
            licence=licence,
            private=private,
            progress=console,
        )
        console.message(f"wrote {', '.join(done.files)}")
        console.message(f"'fishembed predict {done.name} PHOTOS' classifies with it")
        console.document({"name": done.name, "files": list(done.files)})
