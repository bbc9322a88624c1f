"""Predictions as text, CSV, JSON, Parquet or an Excel workbook."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from fishembed._base.csv_files import csv_text, write_csv
from fishembed._base.files import atomic_file, write_text
from fishembed._base.text import printable, shortened
from fishembed.errors import InputError, MissingExtraError, WriteError
from fishembed.evaluation.taxonomy import ROOT
from fishembed.experiments.predicting.class_frequencies import CatchCounts
from fishembed.experiments.predicting.predicted_images import (
    PEOPLE_COLUMNS,
    UNDECIDED,
    Prediction,
    Predictions,
    people_rows,
)

Format = Literal["table", "csv", "json", "parquet", "xlsx", "html"]
_BY_SUFFIX: dict[str, Format] = {
    ".csv": "csv",
    ".json": "json",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".txt": "table",
    ".xlsx": "xlsx",
    ".html": "html",
}

_COUNTS = ("class", "called", "count", "low", "high")
_TAXON = ("rank", "taxon", "taxon_p")
_DECIMALS = 6
"""Of the shares in tables; more are noise."""

_SHORTEST_NAME = 16
"""Letters of an image's name that the narrowest terminal shows."""


def format_for(output: Path) -> Format:
    """Return the format of a file by the ending of its name.

    Raises
    ------
    InputError
        When the ending belongs to no format.
    """
    suffix = output.suffix.lower()
    if suffix not in _BY_SUFFIX:
        raise InputError(
            f"{str(output)!r} does not say its format: end it in {', '.join(_BY_SUFFIX)}, or name "
            "a --format"
        )
    return _BY_SUFFIX[suffix]


def formatted(predictions: Predictions, kind: Format, *, width: int = 0) -> str:
    """Return predictions as text of any format but Parquet and Excel.

    `width` is that of a table's lines: images' names are shortened to leave room for classes; 0 is
    no limit.
    """
    if kind == "table":
        tail = "" if predictions.counts is None else "\n" + counts_table(predictions.counts)
        return _table(predictions.predictions, width) + tail
    if kind == "csv":
        return csv_text(*_whole_table(predictions))
    return json.dumps(as_document(predictions), indent=2, ensure_ascii=False) + "\n"


def write_predictions(predictions: Predictions, output: Path, kind: Format) -> None:
    """Write predictions to a file.

    Raises
    ------
    InputError
        When the file cannot be written.
    MissingExtraError
        When Parquet is wanted and pyarrow is not installed.
    """
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        if kind == "parquet":
            with atomic_file(output) as temporary:
                _write_parquet(*_whole_table(predictions), temporary)
        elif kind == "csv":
            write_csv(output, *_whole_table(predictions))
        elif kind == "xlsx":
            write_excel(PEOPLE_COLUMNS, list(people_rows(predictions)), output)
        else:
            write_text(output, formatted(predictions, kind))
    except OSError as error:
        raise WriteError(f"cannot write {str(output)!r}: {error.strerror or error}") from error


def as_document(predictions: Predictions) -> dict[str, Any]:
    """Return predictions as a JSON document."""
    counts = predictions.counts
    document = {
        "predictions": [_as_object(one) for one in predictions.predictions],
        "assumed_prior": predictions.assumed_prior,
        "prior": predictions.prior_sentence or None,
        "not_known": list(predictions.not_known) or None,
        "counts": counts and [dict(zip(_COUNTS, row, strict=True)) for row in counts.rows()],
        "like_none": counts and counts.like_none,
        "checked": counts and counts.checked,
        "notes": list(predictions.notes) or None,
        "skipped": [{"path": path, "reason": reason} for path, reason in predictions.skipped],
        "left_out": [{"path": path, "reason": reason} for path, reason in predictions.left_out],
    }
    return _without_none(document)


def _as_object(one: Prediction) -> dict[str, Any]:
    is_pooled = bool(one.pool) or len(one.paths) > 1
    named = zip(one.classes, one.probabilities, strict=True)
    document = {
        "path": one.path,
        "pool": one.pool if is_pooled else None,
        "images": len(one.paths) if is_pooled else None,
        "paths": list(one.paths) if is_pooled else None,
        "unknown": one.unknown,
        "reason": one.reason,
        "top": [{"class": name, "probability": p} for name, p in named],
        "set": None if one.set is None else list(one.set),
        "outside": one.outside,
        "taxon": one.taxon and dict(zip(("rank", "name", "probability"), one.taxon, strict=True)),
        "evidence": [asdict(near) for near in one.evidence] or None,
    }
    return _without_none(document)


def _without_none(document: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if value is not None}


def _whole_table(predictions: Predictions) -> tuple[list[str], list[list[object]]]:
    """Return the columns and rows for people, followed by the columns for programs."""
    people: list[list[object]] = [list(row) for row in people_rows(predictions)]
    own = _columns(predictions.predictions)
    cells = [_cells(one, own) for one in predictions.predictions]
    nothing: list[object] = [None] * len(own)
    cells += [[path, *nothing][: len(own)] for path, _ in predictions.skipped]
    rows = [[*row, *more] for row, more in zip(people, cells, strict=True)]
    return [*PEOPLE_COLUMNS, *own], rows


def _columns(predictions: Sequence[Prediction]) -> list[str]:
    if not predictions:
        return []
    first = predictions[0]
    n_top, n_near = max(len(one.classes) for one in predictions), len(first.evidence)
    near = ("nearest", "nearest_label", "similarity")
    return [
        "path",
        *(("pool", "images") if any(one.pool for one in predictions) else ()),
        *(f"{name}{k}" for k in range(1, n_top + 1) for name in ("top", "p")),
        *("unknown", "reason"),
        *(() if first.set is None else ("set",)),
        *(() if first.outside is None else ("outside",)),
        *(() if first.taxon is None else _TAXON),
        *(f"{name}{k}" for k in range(1, n_near + 1) for name in near),
    ]


def _cells(one: Prediction, columns: Sequence[str]) -> list[object]:
    cells: dict[str, object] = {
        "path": one.path,
        "pool": one.pool,
        "images": len(one.paths),
        "unknown": str(one.unknown).lower(),
        "reason": one.reason,
        "set": " | ".join(one.set or ()),
        "outside": one.outside,
        **dict(zip(_TAXON, one.taxon or (), strict=False)),
    }
    for k, (name, p) in enumerate(zip(one.classes, one.probabilities, strict=True), 1):
        cells |= {f"top{k}": name, f"p{k}": p}
    for k, near in enumerate(one.evidence, 1):
        cells |= {f"nearest{k}": near.path, f"nearest_label{k}": near.label}
        cells[f"similarity{k}"] = near.similarity
    values = [cells.get(column) for column in columns]
    return [round(one, _DECIMALS) if isinstance(one, float) else one for one in values]


def _write_parquet(columns: list[str], rows: list[list[object]], output: Path) -> None:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise MissingExtraError("a Parquet file", "pyarrow", "parquet") from error
    table = {
        name: [printable(value) if isinstance(value, str) else value for value in values]
        for name, values in zip(columns, zip(*rows, strict=True), strict=True)
    }
    parquet.write_table(pa.table(table), output)


def _table(predictions: Sequence[Prediction], width: int) -> str:
    """Return a line for each prediction: its image, its classes, then further columns.

    A narrow terminal cuts off the end, so images' names leave most of a line to the classes; sets,
    where asked for, replace the second and third class there.
    """
    longest = max(_SHORTEST_NAME, width * 2 // 5) if width else None
    with_sets = any(one.set is not None for one in predictions)
    n_top = 1 if width and with_sets else max(len(one.classes) for one in predictions)
    table = []
    for one in predictions:
        name = printable(one.pool or one.path)
        pairs = zip(one.classes, one.probabilities, strict=True)
        top = [f"{printable(called)} {100 * p:.1f}%" for called, p in pairs]
        filled = [*top, *[""] * (n_top - len(top))][:n_top]
        table.append([shortened(name, longest) if longest else name, *_before(one), *filled])
    widths = [max(map(len, cells)) for cells in zip(*table, strict=True)]
    lines = []
    for one, row in zip(predictions, table, strict=True):
        padded = [text.ljust(size) for text, size in zip(row, widths, strict=True) if size]
        lines.append("  ".join([*padded, *_after(one)]).rstrip())
        lines += [
            f"    like {printable(near.path)} ({printable(near.label)}), "
            f"cosine {near.similarity:.3f}"
            for near in one.evidence
        ]
    return "\n".join(lines) + "\n"


def _before(one: Prediction) -> list[str]:
    """Return the cells before the most probable classes."""
    pooled = f"{len(one.paths)} images" if one.pool else ""
    taxon = ""
    if one.taxon is not None:
        rank, name, sure = one.taxon
        taxon = UNDECIDED if rank == ROOT else f"{printable(name)} {100 * sure:.1f}%"
    return [pooled, "unknown" if one.unknown else "", taxon]


def _after(one: Prediction) -> list[str]:
    """Return the cells after the most probable classes."""
    inside = [] if one.set is None else ["{" + ", ".join(map(printable, one.set)) + "}"]
    outside = [] if one.outside is None else [f"outside the list {100 * one.outside:.1f}%"]
    return [*inside, *outside, *([printable(one.reason)] if one.unknown else [])]


def counts_table(counts: CatchCounts) -> str:
    """Return the counts as lines: "312 cod, 280 to 345 (called so 330)"."""
    lines = [
        f"{mean:,.0f} {printable(name)}, {low:,} to {high:,} (called so {called:,})"
        for name, called, mean, low, high in counts.rows()
    ]
    if counts.like_none:
        lines.append(f"{counts.like_none:,} like none of the classes, not counted")
    return "\n".join(lines) + "\n"


def write_excel(columns: Sequence[str], rows: Sequence[Sequence[object]], output: Path) -> None:
    """Write a table as a workbook with one sheet: the head stays in sight, columns are filtered.

    Raises
    ------
    MissingExtraError
        When openpyxl is not installed.
    """
    try:
        import openpyxl
        from openpyxl.styles import Font
        from openpyxl.utils import get_column_letter
    except ImportError as error:
        raise MissingExtraError("an Excel file", "openpyxl", "excel") from error
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "predictions"
    for number, row in enumerate([columns, *rows], 1):
        for at, value in enumerate(row, 1):
            cell = sheet.cell(number, at)
            cell.value = printable(value) if isinstance(value, str) else value
            if isinstance(value, str):
                cell.data_type = "s"  # a name that begins with = is no formula
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = sheet.dimensions
    for at, name in enumerate(columns, 1):
        longest = max([len(name), *(len(str(row[at - 1] or "")) for row in rows[:200])])
        sheet.column_dimensions[get_column_letter(at)].width = min(60, longest + 3)
    with atomic_file(output) as temporary:
        book.save(temporary)
