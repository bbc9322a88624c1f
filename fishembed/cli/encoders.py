"""fishembed encoders."""

from __future__ import annotations

from typing import Annotated

import typer

from fishembed._base.text import counted
from fishembed.cli.console import Console


def encoders(
    containing: Annotated[
        str | None,
        typer.Argument(help="Part of a name: all encoders that contain it are listed."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """List what can be named as an encoder, and what is on this machine already.

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
            words = "pictures and words" if one.text else "pictures"
            console.message(f"  {one.name:<52} {'here' if one.here else '-':<5} {words}")
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
