"""The verb `search`: find images by words, by photo, or both."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fishembed._base.paths import reports_dir
from fishembed.cli.completion import store_names
from fishembed.cli.console import NOTHING_WRITTEN, Console
from fishembed.cli.options import (
    DeviceOption,
    GroupFilter,
    JsonOption,
    LabelFilter,
    PhotosOption,
    SplitFilter,
    TrustEncoderOption,
    WhereOption,
    where_conditions,
)
from fishembed.cli.resolve_paths import resolve_store

_PRINTED = 10


def search(
    store: Annotated[
        Path,
        typer.Argument(
            help="Feature store: its path, or its name in ./cache.", autocompletion=store_names
        ),
    ],
    text: Annotated[
        str,
        typer.Argument(
            help="What the images shall show; with a minus what they shall not: "
            '"a fish with a tag -net".',
            show_default="none",
        ),
    ] = "",
    like: Annotated[
        list[Path] | None,
        typer.Option(help="Photo that they shall be like; repeat for several."),
    ] = None,
    minus: Annotated[
        list[str] | None, typer.Option(help="What they shall not show; repeat for several.")
    ] = None,
    top: Annotated[int, typer.Option("--top", "-k", min=1, help="Number of images.")] = 50,
    label: LabelFilter = None,
    split: SplitFilter = None,
    group: GroupFilter = None,
    where: WhereOption = None,
    photos: PhotosOption = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            help="Name of the new folder in ./reports.",
            show_default="<store>-search; none with --json",
        ),
    ] = None,
    device: DeviceOption = "auto",
    trust_encoder: TrustEncoderOption = False,
    as_json: JsonOption = False,
) -> None:
    """Find images by words, by a photo, or both: a ranked table and a page with the images.

    Examples
    --------
    fishembed search fish "a fish with a tag -net"
    fishembed search fish --like photo.jpg --split test
    """
    with Console(as_json=as_json, working="searching", interrupted=NOTHING_WRITTEN) as console:
        place = resolve_store(store, console)
        from fishembed.cache import open_store
        from fishembed.explore import search_store

        with open_store(place) as opened:
            found = search_store(
                opened,
                text,
                like=like or [],
                minus=minus or [],
                where=where_conditions(label, split, group, where),
                top=top,
                device=device,
                trust_encoder=trust_encoder,
                progress=console,
            )
            for path, score in list(zip(found.paths, found.scores, strict=True))[:_PRINTED]:
                console.answer(f"{score:.3f}  {path}")
            folder = None
            if output is not None or not as_json:
                from fishembed.reports import write_search

                folder = write_search(
                    found, opened, name=output, reports=reports_dir(), photos=photos
                )
                console.message(f"wrote {folder}")
        console.document(
            {
                "query": found.query,
                "searched": found.searched,
                "results": [
                    {"path": path, "score": round(float(score), 6)}
                    for path, score in zip(found.paths, found.scores, strict=True)
                ],
                "folder": None if folder is None else str(folder),
            }
        )
