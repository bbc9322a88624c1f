"""What an extraction read, in one sentence for people, and the command to type next."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from fishembed._base.splits import SPLITS
from fishembed._base.text import counted

if TYPE_CHECKING:
    from fishembed.extraction.result import Extraction

_CLASSES_SHOWN = 4
_COLUMNS_SHOWN = 8
_INSTALL = re.compile(r"pip install '[^']+'")


def read_sentence(result: Extraction) -> str:
    """Return what a store holds: images, classes, splits, metadata, and what was left out.

    Such as "3,187 images of 23 classes (Dascyllus reticulatus 1,211 … Balistapus undulatus 16);
    train 1,753, val 556, test 878; metadata: site, date; 412 .heic left out: pip install
    'fishembed[heic]'".
    """
    parts = [f"{_rows(result)} {_classes(result.classes)}"]
    unlabelled = result.rows - sum(result.classes.values())
    if result.classes and unlabelled:
        parts.append(f"{unlabelled:,} without a class")
    parts.append(_splits(result.splits))
    if result.metadata:
        shown = list(result.metadata[:_COLUMNS_SHOWN])
        more = len(result.metadata) - len(shown)
        parts.append(f"metadata: {', '.join(shown)}{f' and {more:,} more' if more else ''}")
    if result.skipped:
        parts.append(f"{counted(result.skipped, 'image')} skipped, which cannot be used")
    if result.scaled:
        parts.append(scaled_sentence(result.scaled))
    parts += [_left_out(kind, about) for kind, about in unread_kinds(result.left_out).items()]
    return "; ".join(parts)


def scaled_sentence(paths: Sequence[str]) -> str:
    """Return how many images were scaled by their content, and the first of them."""
    return (
        f"brightness of {counted(len(paths), 'image')} of 10 to 14 bits, dim or of wide range "
        f"scaled by its content, the first: {paths[0]!r}"
    )


def next_command(result: Extraction) -> str:
    """Return the command to type next: one that classifies where there are classes to learn."""
    verb = "fit" if len(result.classes) > 1 else "cluster"
    return f"fishembed {verb} {shlex.quote(str(result.store))}"


def unread_kinds(left_out: Sequence[tuple[str, str]]) -> dict[str, dict[str, object]]:
    """Count the files whose format is not read, by ending.

    Returns
    -------
    dict
        By ending, commonest first: `count`, `reason`, and `install`, the command that would have
        them read, None where there is none.
    """
    found: dict[str, dict[str, object]] = {}
    counts: Counter[str] = Counter()
    for path, reason in left_out:
        if "not read" not in reason:
            continue
        kind = f".{path.rpartition('.')[2].strip().lower()}"
        counts[kind] += 1
        command = _INSTALL.search(reason)
        found[kind] = {"reason": reason, "install": command[0] if command else None}
    return {kind: {"count": n, **found[kind]} for kind, n in counts.most_common()}


def _left_out(kind: str, about: Mapping[str, object]) -> str:
    return f"{about['count']:,} {kind} left out: {about['install'] or about['reason']}"


def _rows(result: Extraction) -> str:
    images = result.rows - result.boxes - result.frames
    kinds = [
        counted(n, *names)
        for n, names in (
            (images, ("image",)),
            (result.boxes, ("box", "boxes")),
            (result.frames, ("frame",)),
        )
        if n
    ]
    if result.videos:
        kinds[-1] += f" of {counted(result.videos, 'video')}"
    return " and ".join(kinds)


def _classes(classes: Mapping[str, int]) -> str:
    if not classes:
        return "without classes"
    ordered = sorted(classes.items(), key=lambda pair: (-pair[1], pair[0]))
    named = [f"{_quoted(name)} {n:,}" for name, n in ordered]
    shown = ", ".join(named) if len(named) <= _CLASSES_SHOWN else f"{named[0]} … {named[-1]}"
    return f"of {counted(len(named), 'class', 'classes')} ({shown})"


def _quoted(name: str) -> str:
    return name if name == name.strip() else repr(name)


def _splits(splits: Mapping[str, int]) -> str:
    if not set(splits) - {""}:
        return "no splits"
    there = [split for split in (*SPLITS, "") if splits.get(split)]
    return ", ".join(f"{split or 'no split'} {splits[split]:,}" for split in there)
