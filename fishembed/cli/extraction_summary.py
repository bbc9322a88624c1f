"""Print what an extraction did: to people in sentences, to programs as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fishembed._base.text import counted, merge_sentence
from fishembed.cli.console import Console

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fishembed.extraction import Extraction

_SHOWN = 5


def print_extraction(console: Console, result: Extraction, *, prune: bool) -> None:
    """Print what was skipped, encoded and written, how the dataset was read, and what is next."""
    for path, reason in result.skipped_files[:_SHOWN]:
        console.message(f"skipped {path!r}: {reason}")
    if result.skipped > _SHOWN:
        console.message(f"skipped {result.skipped - _SHOWN:,} more; 'fishembed info' lists them")
    left = " (gone from the store)" if prune else " (kept; --prune drops them)"
    console.message(
        f"{counted(result.rows, 'row')}: {result.new:,} new, {result.changed:,} changed, "
        f"{result.reused:,} reused, {result.skipped:,} skipped, "
        f"{result.removed:,} removed{left if result.removed else ''}"
    )
    if result.encoded:
        console.message(
            f"encoded {counted(result.encoded, 'image')} in {result.seconds:.1f} s "
            f"({result.images_per_second:,.0f} images/s)"
        )
        console.detail(str(result.stages))
    if (merge := merge_sentence(result.classes)) and merge not in result.notes:
        console.message(f"note: {merge}")
    for line in left_out_lines(result.left_out):
        console.message(f"note: {line}")
    if result.text_keys:
        console.detail(f"text features for prompts {', '.join(result.text_keys)}")
    console.message(
        f"{'wrote' if result.wrote else 'nothing to do for'} {result.store}; read as "
        f"{result.layout}"
    )
    console.message(result.sentence)
    console.message(f"next: {result.next_command}")


def left_out_lines(left_out: Sequence[tuple[str, str]]) -> list[str]:
    """Return a line for each ending and reason that images were left out for."""
    groups: dict[tuple[str, str], list[str]] = {}
    for path, reason in left_out:
        kind = path.rpartition(".")[2].lower() if "not read" in reason else ""
        groups.setdefault((kind, reason), []).append(path)
    return [
        f"{counted(len(paths), f'.{kind} image' if kind else 'image')} left out, the first: "
        f"{paths[0]!r}: {reason}"
        for (kind, reason), paths in groups.items()
    ]


def extraction_document(result: Extraction) -> dict[str, Any]:
    """Return what an extraction did, as `extract --json` prints it."""
    from fishembed.extraction.read_summary import unread_kinds

    return {
        "store": str(result.store),
        "rows": result.rows,
        "encoded": result.encoded,
        "reused": result.reused,
        "skipped": result.skipped,
        "new": result.new,
        "changed": result.changed,
        "removed": result.removed,
        "seconds": round(result.seconds, 3),
        "images_per_second": round(result.images_per_second, 2),
        "encoder": result.encoder,
        "device": result.device,
        "stages": result.stages.to_json(),
        "prompts": list(result.text_keys),
        "skipped_files": [
            {"path": path, "reason": reason} for path, reason in result.skipped_files
        ],
        "sentence": result.sentence,
        "next": result.next_command,
        "layout": result.layout,
        "understood": {
            "as": result.read_as,
            "manifest": result.manifest,
            "class_folders": result.read_as == "folder" and bool(result.classes),
            "splits": [split for split in result.splits if split],
            "boxes": result.boxes,
            "frames": result.frames,
            "videos": result.videos,
        },
        "scaled_by_content": {"count": len(result.scaled), "first": [*result.scaled[:_SHOWN]]},
        "metadata": list(result.metadata),
        "classes": dict(result.classes),
        "splits": dict(result.splits),
        "notes": list(result.notes),
        "left_out": [{"path": path, "reason": reason} for path, reason in result.left_out],
        "left_out_by_ending": unread_kinds(result.left_out),
    }
