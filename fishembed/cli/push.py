"""The verb `push`: share a run on the hub, or as a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fishembed.cli.completion import run_names
from fishembed.cli.console import NOTHING_WRITTEN, Console
from fishembed.cli.options import JsonOption
from fishembed.cli.resolve_paths import find_run


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
