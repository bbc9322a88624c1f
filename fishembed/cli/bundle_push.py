"""The verbs `bundle` and `push`: export a run as an ONNX network, or share it on the hub."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer

from fishembed.cli.program.console import NOTHING_WRITTEN, Console
from fishembed.cli.program.options import (
    FetchOption,
    JsonOption,
    RunArgument,
    TrustEncoderOption,
    option,
    run_names,
)
from fishembed.cli.program.resolve_paths import resolve_run


@dataclass(frozen=True)
class BundlingOptions:
    """Options of `fishembed.bundle_run`, by the names of its parameters."""

    int8: bool = option(
        False,
        "Also write the network with integer weights: a quarter of the size, less exact; "
        "how much is printed.",
    )
    send_back: float = option(0.05, "Share of images of known classes that it may call unknown.")
    fetch: FetchOption = False
    trust_encoder: TrustEncoderOption = False


def bundle(
    run: RunArgument = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="New folder to write.", show_default="RUN.onnx"),
    ] = None,
    images: Annotated[
        list[str] | None,
        typer.Option(
            help="Images or a folder to compare the network with the encoder on; repeat for "
            "several.",
            show_default="100 of the run's store",
        ),
    ] = None,
    *,
    options: BundlingOptions,
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
            progress=console,
            **vars(options),
        )
        for name, size in written.megabytes.items():
            console.message(f"  {name}: {size:.1f} MB")
        console.message(
            f"wrote {written.folder}; 'fishembed predict --bundle {written.folder} PHOTOS' or "
            f"'python {written.folder / 'predict.py'} PHOTOS' classifies with it"
        )
        console.document({**asdict(written), "folder": str(written.folder)})


@dataclass(frozen=True)
class PushOptions:
    """Options of `fishembed.push_run`, by the names of its parameters."""

    to: Path | None = option(None, "New folder to write in place of the hub.", shown="the hub")
    bundle: Path | None = option(
        None, "Folder that 'fishembed bundle' wrote for this run, to share too.", shown="none"
    )
    licence: str = option(
        "", "Licence of the classifier, such as cc-by-4.0, for its card.", shown="none"
    )
    private: bool = option(False, "Make a model that is new on the hub private.")


def push(
    run: Annotated[
        Path,
        typer.Argument(help="Run: its folder, or its name in ./reports.", autocompletion=run_names),
    ],
    repo: Annotated[
        str, typer.Argument(metavar="OWNER/NAME", help="Name of the model on the hub.")
    ],
    *,
    options: PushOptions,
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
        done = push_run(resolve_run(run, console), repo, progress=console, **vars(options))
        console.message(f"wrote {', '.join(done.files)}")
        console.message(f"'fishembed predict {done.name} PHOTOS' classifies with it")
        console.document({"name": done.name, "files": list(done.files)})
