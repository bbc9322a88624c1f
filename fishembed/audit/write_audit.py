"""Write an audit's folder: a page with what to do, its tables and `audit.json`."""

from __future__ import annotations

import shlex
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from fishembed._base.csv_files import write_csv
from fishembed._base.files import write_json
from fishembed._base.paths import shown
from fishembed._base.text import counted, printable
from fishembed._version import __version__
from fishembed.audit.audit import Audit
from fishembed.audit.check import CaptionedImage, Section, images_in, on_page
from fishembed.cache import FeatureStore
from fishembed.experiments.runs.run_files import PAGE_HTML
from fishembed.experiments.runs.run_folder import new_folder
from fishembed.images import ImageFiles
from fishembed.reports.label_sheet import (
    LabelSheet,
    SheetImage,
    SheetSection,
    images_at_hand,
    sheet_data,
)
from fishembed.reports.page_template import IMAGES_BESIDE, fill
from fishembed.reports.thumbnails import thumbnails

AUDIT_JSON = "audit.json"
SCRIPTS = ("page.js", "answer.js")
_MADE = ("made", "What to do")


def write_audit(
    audit: Audit,
    store: FeatureStore,
    *,
    name: str | None = None,
    reports: str | Path | None = None,
    photos: str | Path | None = None,
    fetch: bool = False,
    command: str = "",
) -> Path:
    """Write an audit into a new folder among the runs.

    The columns `action` and `new_label` of its tables are for the person who reviews them:
    `fishembed fix` drops or relabels the rows with such an action.

    Parameters
    ----------
    audit, store
        The audit and its store.
    name
        Of the folder; `<store>-audit` when left out, numbered where that is there.
    reports
        Folder of the runs; FISHEMBED_REPORTS or `reports` when left out.
    photos
        Folder of the images; the one recorded in the store when left out.
    fetch
        Whether images that lie at URLs are fetched.
    command
        The command line that repeats the audit, for its record.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    RunError
        When a folder of that name exists, or the place is not writable.
    """
    origin = {
        "store_path": str(store.path),
        "store_fingerprint": store.fingerprint,
        "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "command": shown(command),
    }
    with new_folder(reports, name, f"{store.name}-audit") as folder:
        _write_tables(folder.path, audit, store)
        write_json(folder.path / AUDIT_JSON, summary(audit) | origin)
        images = images_at_hand(photos or store.source.get("root"), fetch=fetch)
        page = _page(audit, store, images, shown(command), folder.final.absolute())
        (folder.path / PAGE_HTML).write_text(page, encoding="utf-8")
    return folder.final


def summary(audit: Audit) -> dict[str, Any]:
    """Return an audit's findings as numbers and names; rows are in the tables."""
    found: dict[str, Any] = {
        "format": "fishembed-audit",
        "schema": 1,
        "fishembed": __version__,
        "store": audit.store,
        "rows": audit.rows,
    }
    for result in audit.results.values():
        found |= result.summary()
    return found | {"seconds": {name: round(s, 3) for name, s in audit.seconds.items()}}


def what_to_do(audit: Audit, store: FeatureStore) -> list[str]:
    """Return what to do about an audit's findings, the most urgent first."""
    return [words for words, _ in _actions(_sections(audit, store))]


def _write_tables(folder: Path, audit: Audit, store: FeatureStore) -> None:
    files: dict[str, tuple[list[str], list[list[object]]]] = {}
    for result in audit.results.values():
        for table in result.tables(store):
            _, rows = files.setdefault(table.file, (list(table.columns), []))
            rows += map(list, table.rows)
    for file, (columns, rows) in files.items():
        write_csv(folder / file, columns, rows)


def _page(
    audit: Audit, store: FeatureStore, files: ImageFiles | None, command: str, home: Path
) -> str:
    """Return an audit as one page, to lie in `home`, that works without any other file."""
    sections = _sections(audit, store)
    images = {image.path: image for section in sections for image in images_in(section.blocks)}
    thumbs = {} if files is None else thumbnails(files, images, home=home)
    missing = ""
    if files is None:
        missing = "There are no photos here: they are not at hand (--photos)."
    elif images and not thumbs:
        missing = f"No photo could be read in {printable(str(files))}."
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
    return fill("audit.html", context, scripts=SCRIPTS, package="fishembed.audit")


def _sections(audit: Audit, store: FeatureStore) -> list[Section]:
    """Return the sections in the order of the page; parts that have one anchor are joined."""
    classes = [*audit.classes, "no label"]
    found: dict[str, Section] = {}
    for name in on_page():
        if name not in audit.results:
            continue
        part = audit.results[name].section(store, classes)
        before = found.get(part.anchor)
        found[part.anchor] = (
            part
            if before is None
            else replace(
                before,
                blocks=[*before.blocks, *part.blocks],
                actions=[*before.actions, *part.actions],
            )
        )
    return list(found.values())


def _actions(sections: list[Section]) -> list[tuple[str, str]]:
    """Return what to do, the most urgent first: a text and the section it leads to."""
    actions = [(action, section.anchor) for section in sections for action in section.actions]
    actions.sort(key=lambda pair: pair[0].urgency)
    found = [(action.words, anchor) for action, anchor in actions]
    return [(text[:1].upper() + text[1:], anchor) for text, anchor in found[:1]] + found[1:]


def _answering(
    audit: Audit,
    store: FeatureStore,
    images: dict[str, CaptionedImage],
    originals: dict[str, str],
) -> dict[str, Any]:
    asked = [
        SheetImage(
            path=image.path,
            label=image.label,
            guesses=image.guesses,
            lines=tuple(f"{one.before} {one.name}{one.after}".strip() for one in image.lines),
        )
        for image in images.values()
    ]
    sheet = LabelSheet(f"{audit.store}: audit", store.classes, [SheetSection("", asked)])
    return sheet_data(sheet, {path: {"file": file} for path, file in originals.items()})
