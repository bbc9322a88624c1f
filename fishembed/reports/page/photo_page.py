"""A page of images under headings that a person answers: search, clusters, suggestions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fishembed._base.files import write_text
from fishembed._base.text import counted, printable
from fishembed.errors import FishembedError
from fishembed.images import ImageFiles
from fishembed.reports.answering import AnswerSheet, answering_data, image_sources
from fishembed.reports.shared_page_parts import IMAGES_BESIDE, Tile, fill

SCRIPTS = ("page.js", "answer.js")


@dataclass(frozen=True)
class PhotoPage:
    """Texts of a page of photos, around its images.

    Attributes
    ----------
    eyebrow, headline, about
        The lines on top.
    tiles
        Numbers below them.
    counts
        (name, images, number of the section) of links to sections.
    problems
        (path, reason) of images that could not be used.
    footer
        The last line.
    """

    eyebrow: str
    headline: str
    about: str = ""
    tiles: Sequence[Tile] = ()
    counts: Sequence[tuple[str, int, int]] = ()
    problems: Sequence[tuple[str, str]] = ()
    footer: str = ""


def write_photo_page(
    page: Path,
    shown: PhotoPage,
    sheet: AnswerSheet,
    photos: ImageFiles | None,
    *,
    final: Path | None = None,
) -> None:
    """Write a page that can be answered; it needs no network, and no other file while it is small.

    Parameters
    ----------
    page
        The file.
    shown
        What stands around the images.
    sheet
        The images.
    photos
        Finds them; None where they are not at hand: their names are shown instead.
    final
        Where the page will lie, when it is written elsewhere first.
    """
    images = sheet.images
    sources = image_sources(photos, (image.path for image in images), page, final)
    missing = ""
    if photos is None:
        missing = "There are no photos here: they are not at hand (--photos)."
    elif lost := len({image.path for image in images}) - len(sources.urls):
        missing = f"{counted(lost, 'photo')} could not be read in {printable(str(photos))}."
    context: dict[str, Any] = {
        "name": printable(sheet.name),
        "eyebrow": printable(shown.eyebrow),
        "headline": printable(shown.headline),
        "about": shown.about,
        "tiles": shown.tiles,
        "counts": [(printable(name), n, at) for name, n, at in shown.counts],
        "problems": [(printable(path), printable(reason)) for path, reason in shown.problems],
        "footer": shown.footer
        or "Answer the photos, download the decisions, and give the file to fishembed fix.",
        "sections": [
            {"title": printable(one.title), "note": printable(one.note)} for one in sheet.sections
        ],
        "images_missing": missing,
        "image_places": IMAGES_BESIDE,
        "data": {"answering": answering_data(sheet, sources)},
        "figures": {},
    }
    write_text(page, fill("photos.html", context, scripts=SCRIPTS))


def find_photos(known: object, *, fetch: bool = False) -> ImageFiles | None:
    """Find the images below a folder, or with `fetch` a URL; None where they are not at hand."""
    try:
        found = ImageFiles(str(known), fetch=fetch) if known else None
    except FishembedError:
        return None
    return found if found is not None and found.are_there() else None
