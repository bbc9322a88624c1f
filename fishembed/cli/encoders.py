"""The verb `encoders`: list what can encode images."""

from __future__ import annotations

from typing import Annotated

import typer

from fishembed._base.text import counted
from fishembed.cli.console import Console
from fishembed.cli.options import JsonOption


def encoders(
    containing: Annotated[
        str | None,
        typer.Argument(
            help="List all encoders whose name contains this.",
            show_default="those on this machine",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List encoders, and which have their weights on this machine already.

    Example: **fishembed encoders ViT-L-14**
    """
    from fishembed.encoders import list_encoders

    with Console(as_json=as_json) as console:
        known = list_encoders()
        if containing is not None:
            shown = [one for one in known if containing.lower() in one.name.lower()]
        else:
            shown = [one for one in known if one.here]
            openclip = sum(1 for one in known if one.text) - 1
            timm = sum(1 for one in known if one.name.startswith("timm:"))
            console.message(
                f"{counted(openclip, 'encoder')} of OpenCLIP (ARCH/PRETRAINED) and {timm:,} of "
                "timm (timm:NAME) can be named; 'fishembed encoders PART' lists those that contain "
                "PART. Also ARCH@FILE with local weights, and hf-hub:ORG/NAME. On this machine:"
            )
        for one in shown:
            encodes = "images and texts" if one.text else "images"
            console.message(f"  {one.name:<52} {'here' if one.here else '-':<5} {encodes}")
        if not shown:
            console.message(f"  no encoder's name contains {containing!r}")
        console.document(
            {
                "encoders": [
                    {"name": one.name, "here": one.here, "text": one.text}
                    for one in (known if containing is None else shown)
                ]
            }
        )
