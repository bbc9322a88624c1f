"""Pages of images that a person labels: search, clusters, suggestions, predictions.

One component serves all pages: `templates/answer.js` reads what `sheet_data` returns from the
page's data, shows the images large, reads decisions by key, and saves them as the CSV that
`fishembed fix` reads.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fishembed._base.files import write_bytes, write_text
from fishembed._base.text import counted, printable
from fishembed.errors import FishembedError
from fishembed.images import ImageFiles
from fishembed.reports.page_template import IMAGES_BESIDE, Tile, fill
from fishembed.reports.thumbnails import Thumbnail, original_place, thumbnails

SCRIPTS = ("page.js", "answer.js")

IN_PAGE = 12_000_000
"""Most characters of images in a page; further images lie in a folder beside it."""

_BOX = (480, 360)
"""Largest width and height of the images in pixels."""

_AT_ONCE = 500
_FOOTER = "Answer the photos, download the decisions, and give the file to fishembed fix."

Sources = Mapping[str, Mapping[str, Any]]
"""Each image's data for a page, by path: `src` (data, or an address relative to the page), `size`
(width and height) and `file` (the address of the file itself, for the large view)."""


@dataclass(frozen=True)
class SheetImage:
    """One image to label.

    Attributes
    ----------
    path
        As the store has it.
    label
        Its class; "" for none.
    guesses
        Classes it may be, the likeliest first; "right" means the first where it has no label.
    lines
        Lines of text below it.
    split, chosen
        For the table of decisions: the split it goes to, and why it was chosen.
    """

    path: str
    label: str = ""
    guesses: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    split: str = ""
    chosen: str = ""


@dataclass(frozen=True)
class SheetSection:
    """Images under a heading `title` with a sentence `note` below it.

    `members` are paths of unlabelled images that a name for the whole section is for, `proposed`
    names for it; both are empty where the section cannot be named.
    """

    title: str
    images: Sequence[SheetImage]
    note: str = ""
    members: Sequence[str] = ()
    proposed: Sequence[str] = ()


@dataclass(frozen=True)
class LabelSheet:
    """A page of images to label, with its texts.

    Attributes
    ----------
    name
        Of the page; the browser stores decisions under it and the paths.
    classes
        Names of the classes to choose from.
    sections
        The images.
    eyebrow, headline, about
        The lines on top.
    tiles
        Numbers below them.
    counts
        (name, images, number of the section) of links to sections.
    problems
        (path, reason) of images that could not be used.
    """

    name: str
    classes: Sequence[str]
    sections: Sequence[SheetSection]
    eyebrow: str = ""
    headline: str = ""
    about: str = ""
    tiles: Sequence[Tile] = ()
    counts: Sequence[tuple[str, int, int]] = ()
    problems: Sequence[tuple[str, str]] = ()

    @property
    def images(self) -> list[SheetImage]:
        """All images in the order of the page."""
        return [image for section in self.sections for image in section.images]


def write_label_sheet(
    page: Path, sheet: LabelSheet, images: ImageFiles | None, *, final: Path | None = None
) -> None:
    """Write a page on which images are labelled; it needs no network.

    It needs no other file while it is small; else its images lie in a folder beside it. Where
    `images` is None their names are shown instead. `final` is the page's later place, when it is
    written to another first.
    """
    paths = dict.fromkeys(image.path for image in sheet.images)
    sources = {} if images is None else _sources(images, paths, page, final or page)
    missing = ""
    if images is None:
        missing = "There are no photos here: they are not at hand (--photos)."
    elif lost := len(paths) - len(sources):
        missing = f"{counted(lost, 'photo')} could not be read in {printable(str(images))}."
    context: dict[str, Any] = {
        "name": printable(sheet.name),
        "eyebrow": printable(sheet.eyebrow),
        "headline": printable(sheet.headline),
        "about": sheet.about,
        "tiles": sheet.tiles,
        "counts": [(printable(name), n, at) for name, n, at in sheet.counts],
        "problems": [(printable(path), printable(reason)) for path, reason in sheet.problems],
        "footer": _FOOTER,
        "sections": [
            {"title": printable(one.title), "note": printable(one.note)} for one in sheet.sections
        ],
        "images_missing": missing,
        "image_places": IMAGES_BESIDE,
        "data": {"answering": sheet_data(sheet, sources)},
        "figures": {},
    }
    write_text(page, fill("label_sheet.html", context, scripts=SCRIPTS))


def images_at_hand(known: object, *, fetch: bool = False) -> ImageFiles | None:
    """Return the images below a folder, or with `fetch` a URL; None where it cannot be read."""
    try:
        found = ImageFiles(str(known), fetch=fetch) if known else None
    except FishembedError:
        return None
    return found if found is not None and found.are_there() else None


def sheet_data(sheet: LabelSheet, sources: Sources) -> dict[str, Any]:
    """Return a label sheet as the data of its page, which `answer.js` reads."""
    sections, stop = [], 0
    for section in sheet.sections:
        start, stop = stop, stop + len(section.images)
        sections.append(
            {
                "start": start,
                "stop": stop,
                "members": [_encodable(path) for path in section.members],
                "proposed": list(section.proposed),
            }
        )
    images = sheet.images
    return {
        "key": _digest("\0".join([sheet.name, *(image.path for image in images)]))[:16],
        "name": sheet.name,
        "classes": list(sheet.classes),
        "sections": sections,
        "images": [_image(image) | _filled(sources.get(image.path, {})) for image in images],
    }


def _image(image: SheetImage) -> dict[str, Any]:
    path, shown = _encodable(image.path), printable(image.path)
    known = {
        "shown": "" if shown == path else shown,
        "label": image.label,
        "guesses": list(dict.fromkeys(image.guesses)),
        "lines": list(image.lines),
        "split": image.split,
        "chosen": image.chosen,
    }
    return {"path": path, **_filled(known)}


def _filled(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value}


def _sources(images: ImageFiles, paths: Iterable[str], page: Path, final: Path) -> Sources:
    """Read images for a page: into the page, or once that is large into a folder beside it."""
    wanted, home, characters = list(paths), final.absolute().parent, 0
    beside = page.with_name(f"{page.stem}-images")
    found: dict[str, dict[str, Any]] = {}
    for start in range(0, len(wanted), _AT_ONCE):
        some = wanted[start : start + _AT_ONCE]
        for path, small in thumbnails(images, some, box=_BOX).items():
            characters += len(small.uri)
            found[path] = {
                "src": small.uri if characters <= IN_PAGE else _write_beside(beside, path, small),
                "size": [small.width, small.height],
                "file": original_place(images.at(path), home),
            }
    return found


def _write_beside(folder: Path, path: str, small: Thumbnail) -> str:
    name = _digest(path)[:20] + ".jpg"
    folder.mkdir(parents=True, exist_ok=True)
    write_bytes(folder / name, base64.b64decode(small.uri.partition(",")[2]))
    return f"{quote(folder.name)}/{name}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _encodable(path: str) -> str:
    r"""Return a name that UTF-8 can hold: bytes that are no text as \udcXX in a private area."""
    return path.translate({c: c - 0xDC80 + 0xF780 for c in map(ord, path) if 0xDC80 <= c <= 0xDCFF})
