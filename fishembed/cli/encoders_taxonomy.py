"""The verbs `encoders` and `taxonomy`: list encoders, and write the taxa of classes."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from fishembed._base.text import counted, listed
from fishembed.cli.program.console import NOTHING_WRITTEN, Console
from fishembed.cli.program.options import JsonOption


def encoders(
    containing: Annotated[
        str | None,
        typer.Argument(
            help="List all encoders whose name contains this.",
            show_default="presets, and those on this machine",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List encoders: presets for a purpose first, then which have their weights here already.

    Examples
    --------
    fishembed encoders
    fishembed encoders ViT-L-14
    """
    from fishembed.encoders import PRESETS, list_encoders

    with Console(as_json=as_json) as console:
        known = list_encoders()
        if containing is None:
            _print_presets(console)
            shown = [one for one in known if one.here]
            openclip = sum(1 for one in known if one.text) - 1
            timm = sum(1 for one in known if one.name.startswith("timm:"))
            console.answer(
                f"{counted(openclip, 'encoder')} of OpenCLIP (ARCH/PRETRAINED) and {timm:,} of "
                "timm (timm:NAME) can be named; 'fishembed encoders PART' lists those that contain "
                "PART. Also ARCH@FILE with local weights, and hf-hub:ORG/NAME. On this machine:"
            )
        else:
            shown = [one for one in known if containing.lower() in one.name.lower()]
        for one in shown:
            encodes = "images and texts" if one.text else "images"
            console.answer(f"  {one.name:<52} {'here' if one.here else '-':<5} {encodes}")
        if not shown:
            console.answer(f"  no encoder's name contains {containing!r}")
        console.document(
            {
                "presets": [asdict(preset) for preset in PRESETS.values()],
                "encoders": [
                    {"name": one.name, "here": one.here, "text": one.text}
                    for one in (known if containing is None else shown)
                ],
            }
        )


def _print_presets(console: Console) -> None:
    from fishembed.encoders import BIOBENCH, PRESETS

    probes = ("iNat21", "iWildCam")
    head = ("--encoder", "model", "dim", "download", "speed", *probes, "licence")
    rows = [
        (
            *(one.name, one.model, str(one.dim), f"{one.megabytes / 1000:.1f} GB"),
            f"{one.relative_speed:.2g} x",
            *(f"{one.probes[k]:.3f}" if k in one.probes else "-" for k in probes),
            one.licence,
        )
        for one in PRESETS.values()
    ]
    console.table(head, rows, left=2, spare=("licence", "iWildCam"), indent=2, answer=True)
    console.answer(
        "  speed: images/s relative to ViT-B/32 on a CPU. Linear probes on frozen features: "
        f"{BIOBENCH}."
    )
    console.answer("")


def taxonomy(
    classes: Annotated[
        Path,
        typer.Argument(
            help="Names of the classes: a CSV with a column class, one name a line, or a feature "
            "store."
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Table to write; none that is there.")
    ] = Path("taxa.csv"),
    offline: Annotated[
        bool,
        typer.Option("--offline", help="Ask nobody: the genus from names such as Gadus morhua."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Look the classes up in GBIF and write their genus, family, order and so on.

    The table is what **--taxonomy** of fit, report and predict reads; edit it as you like.

    Examples
    --------
    fishembed taxonomy cache/fish.h5 -o taxa.csv
    fishembed taxonomy names.csv --offline
    """
    with Console(as_json=as_json, working="asking GBIF", interrupted=NOTHING_WRITTEN) as console:
        from fishembed.cache import is_store, open_store
        from fishembed.errors import InputError
        from fishembed.experiments.predicting.class_tables import (
            fill_taxonomy,
            read_class_names,
            write_taxonomy,
        )

        if output.exists():
            raise InputError(f"{str(output)!r} is there already: name another --output")
        if is_store(classes):
            with open_store(classes) as store:
                names = list(store.classes)
        else:
            names = read_class_names(classes)
        rows, missing = fill_taxonomy(names, offline=offline)
        write_taxonomy(output, rows)
        if missing:
            n = counted(len(missing), "class", "classes")
            console.message(f"nothing was found for {n}: {listed(missing[:8])}")
        console.message(f"wrote {output}: {counted(len(rows), 'class', 'classes')}")
        console.document({"taxonomy": str(output), "classes": len(rows), "missing": missing})
