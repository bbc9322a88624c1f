"""What a check puts on the audit's page: a section of text, numbers and galleries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from fishembed.reports.shared_page_parts import Tile


class CaptionedImage(NamedTuple):
    """An image's path in the store, and lines below it as (our text, a name of any kind)."""

    path: str
    lines: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Block:
    """One element of a section."""

    # What `content` is. "text", "note" (small print) and "missing" (what could not be done):
    # a sentence. "warnings": sentences. "gallery": images. "pairs": pairs of images.
    # "scores": tiles with intervals. "counts": headings, and rows of (class, length of its
    # bar as a share, counts), where None stands for a 0 that should not be one
    kind: Literal["text", "note", "missing", "warnings", "gallery", "pairs", "scores", "counts"]
    content: Any  # What is shown
    heading: Any = ""  # A line above a gallery; (text, name, text) above scores


@dataclass(frozen=True)
class Section:
    """One check's part of the page."""

    anchor: str  # The section's id and heading
    title: str
    blocks: list[Block]  # What follows below
    headline: list[str]  # Parts of the one sentence on top of the page
    tiles: list[Tile]  # Numbers on top of the page

    @property
    def images(self) -> list[CaptionedImage]:
        """All images that the section shows."""
        pairs = (pair for one in self.blocks if one.kind == "pairs" for pair in one.content)
        galleries = (one.content for one in self.blocks if one.kind == "gallery")
        return [image for images in (*galleries, *pairs) for image in images]


def captioned(path: str, *lines: tuple[str, str]) -> CaptionedImage:
    """Return an image with those lines that are not empty."""
    return CaptionedImage(path, tuple(line for line in lines if any(line)))


def gallery(images: Iterable[CaptionedImage], n_found: int, table: str, none: str) -> list[Block]:
    """Return a gallery and the number of images that only the table has, or say `none`."""
    shown = list(images)
    if not shown:
        return [Block("note", none)]
    return [Block("gallery", shown), *more_in(table, n_found - len(shown))]


def more_in(table: str, n: int, what: str = "more") -> list[Block]:
    """Return how many are in a table only; nothing where all are shown."""
    return [Block("note", f"{n:,} {what} are in {table}.")] if n > 0 else []
