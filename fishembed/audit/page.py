"""Write the page of an audit: a section for each check."""

from __future__ import annotations

from pathlib import Path

from fishembed._base.printable import printable
from fishembed._base.text import counted, listed
from fishembed.audit.audit import Audit
from fishembed.audit.check import Section, on_page
from fishembed.cache import FeatureStore
from fishembed.images import ImageFiles
from fishembed.reports.shared_page_parts import fill
from fishembed.reports.thumbnails import thumbnails


def write_page(
    page: Path, audit: Audit, store: FeatureStore, *, photos: ImageFiles | None, command: str
) -> None:
    """Write an audit as one page that needs no other file.

    `photos` finds the images; without it the page comes out without them.
    `command` is the command line that repeats the audit.
    """
    classes = [*audit.classes, "no label"]
    by_name = {name: found.section(store, classes) for name, found in audit.results.items()}
    sections = [by_name[name] for name in on_page()]
    paths = dict.fromkeys(image.path for section in sections for image in section.images)
    thumbs = {} if photos is None else thumbnails(photos, paths)
    missing = ""
    if photos is None:
        missing = "There are no images here: the photos are not at hand (--photos)."
    elif paths and not thumbs:
        missing = f"No image could be read in {printable(str(photos))}."
    context = {
        "name": printable(f"{audit.store}: audit"),
        "store": printable(audit.store),
        "rows": audit.rows,
        "encoder": printable(store.encoder_name),
        "headline": _headline(sections) or f"Nothing stands out in {counted(audit.rows, 'image')}.",
        "tiles": [tile for section in by_name.values() for tile in section.tiles],
        "images_missing": missing,
        "sections": sections,
        "thumbnails": thumbs,
        "seconds": ", ".join(f"{name} {s:.1f}" for name, s in audit.seconds.items()),
        "command": printable(command),
        "data": {},
        "figures": {},
    }
    text = fill("audit.html", context, scripts=("page.js",), package="fishembed.audit")
    page.write_text(text, encoding="utf-8")


def _headline(sections: list[Section]) -> str:
    text = listed([part for section in sections for part in section.headline])
    return f"{text[:1].upper()}{text[1:]}{'.' if text else ''}"
