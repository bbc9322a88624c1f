"""Write the page of an audit: what to do, and a section for each kind of finding."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

from fishembed._base.text import counted, printable
from fishembed.audit.audit import Audit
from fishembed.audit.check import Action, CaptionedImage, Section, on_page
from fishembed.cache import FeatureStore
from fishembed.images import ImageFiles
from fishembed.reports.answering import (
    AnswerImage,
    AnswerSection,
    AnswerSheet,
    ImageSources,
    answering_data,
)
from fishembed.reports.shared_page_parts import IMAGES_BESIDE, fill
from fishembed.reports.thumbnails import thumbnails

SCRIPTS = ("page.js", "answer.js")
_MADE = ("made", "What to do")


def write_page(
    page: Path,
    audit: Audit,
    store: FeatureStore,
    *,
    photos: ImageFiles | None,
    command: str,
    home: Path | None = None,
) -> None:
    """Write an audit as one page that needs no other file, and that can be answered.

    Parameters
    ----------
    page
        The file.
    audit, store
        The audit and its store.
    photos
        Finds the images; without it the page comes out without them.
    command
        The command line that repeats the audit.
    home
        Folder the page will lie in, when it is written elsewhere first.
    """
    classes = [*audit.classes, "no label"]
    sections = _joined(
        [audit.results[name].section(store, classes) for name in on_page() if name in audit.results]
    )
    images = {image.path: image for section in sections for image in section.images}
    beside = (home or page.parent).absolute()
    thumbs = {} if photos is None else thumbnails(photos, images, home=beside)
    missing = ""
    if photos is None:
        missing = "There are no photos here: they are not at hand (--photos)."
    elif images and not thumbs:
        missing = f"No photo could be read in {printable(str(photos))}."
    originals = {path: small.original for path, small in thumbs.items()}
    context = {
        "name": printable(f"{audit.store}: audit"),
        "store": printable(audit.store),
        "rows": audit.rows,
        "encoder": printable(store.encoder_name),
        "actions": _actions(sections),
        "nothing": f"Nothing stands out in {counted(audit.rows, 'photo')}.",
        "images_missing": missing,
        "sections": sections,
        "parts": [*((one.anchor, one.anchor.capitalize()) for one in sections), _MADE],
        "thumbnails": thumbs,
        "numbers": {path: i for i, path in enumerate(images)},
        "seconds": ", ".join(f"{name} {s:.1f}" for name, s in audit.seconds.items()),
        "command": printable(command),
        "fix": printable(shlex.join(["fishembed", "fix", str(store.path), "decisions.csv"])),
        "data": {"answering": _answering(audit, store, images, originals)},
        "image_places": IMAGES_BESIDE,
        "figures": {},
    }
    text = fill("audit.html", context, scripts=SCRIPTS, package="fishembed.audit")
    page.write_text(text, encoding="utf-8")


def what_to_do(audit: Audit, store: FeatureStore) -> list[str]:
    """Return what an audit asks to be done, the most urgent first."""
    classes = [*audit.classes, "no label"]
    found = (audit.results[name] for name in on_page() if name in audit.results)
    return [words for words, _ in _actions([one.section(store, classes) for one in found])]


def _joined(sections: list[Section]) -> list[Section]:
    """Join the parts that have one anchor."""
    found: dict[str, Section] = {}
    for one in sections:
        before = found.setdefault(one.anchor, one)
        if before is not one:
            found[one.anchor] = replace(
                before,
                blocks=[*before.blocks, *one.blocks],
                actions=[*before.actions, *one.actions],
            )
    return list(found.values())


def _actions(sections: list[Section]) -> list[tuple[str, str]]:
    """Return what to do, the most urgent first, as words and the section they lead to."""
    every: list[tuple[Action, str]] = [
        (action, section.anchor) for section in sections for action in section.actions
    ]
    every.sort(key=lambda pair: pair[0].urgency)
    words = [(action.words, anchor) for action, anchor in every]
    first = [(f"{text[:1].upper()}{text[1:]}", anchor) for text, anchor in words[:1]]
    return [*first, *words[1:]]


def _answering(
    audit: Audit,
    store: FeatureStore,
    images: dict[str, CaptionedImage],
    originals: dict[str, str],
) -> dict[str, Any]:
    asked = [
        AnswerImage(
            path=image.path,
            label=image.label,
            guesses=image.guesses,
            lines=tuple(f"{one.before} {one.name}{one.after}".strip() for one in image.lines),
        )
        for image in images.values()
    ]
    sheet = AnswerSheet(f"{audit.store}: audit", store.classes, [AnswerSection("", asked)])
    return answering_data(sheet, ImageSources(originals=originals))
