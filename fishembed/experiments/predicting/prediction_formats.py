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

_DECIMALS = 6
"""Of the shares in tables; more are noise."""

_SHORTEST_NAME = 16
"""Letters of an image's name that the narrowest terminal shows."""


def format_for(output: Path) -> Format:
    """Return the format that a file's name asks for.

    Raises
    ------
    InputError
        When it names none.
    """
    suffix = output.suffix.lower()
    if suffix not in _BY_SUFFIX:
        raise InputError(
            f"{str(output)!r} does not say its format: end it in {', '.join(_BY_SUFFIX)}, or name "
            "a --format"
        )
    return _BY_SUFFIX[suffix]


def formatted(predictions: Predictions, kind: Format, *, width: int = 0) -> str:
    """Return predictions as text.

    Parameters
    ----------
    predictions
        What was predicted.
    kind
        Any format but Parquet and Excel.
    width
        Of a table's lines: images' names are shortened to leave room for answers. 0: no limit.
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
            write_excel(*_people_table(predictions), output)
        else:
            write_text(output, formatted(predictions, kind))
    except OSError as error:
        raise WriteError(f"cannot write {str(output)!r}: {error.strerror or error}") from error


def as_document(predictions: Predictions) -> dict[str, Any]:
    """Return predictions as a JSON document."""
    return {
        "predictions": [
            {
                "path": one.path,
                **_pooled(one),
                "unknown": one.unknown,
                "reason": one.reason,
                "top": [
                    {"class": name, "probability": p}
                    for name, p in zip(one.classes, one.probabilities, strict=True)
                ],
                **({} if one.set is None else {"set": list(one.set)}),
                **({} if one.outside is None else {"outside": one.outside}),
                **_taxon(one),
                **({"evidence": [asdict(near) for near in one.evidence]} if one.evidence else {}),
            }
            for one in predictions.predictions
        ],
        "assumed_prior": predictions.assumed_prior,
        **({"prior": predictions.prior_sentence} if predictions.prior_sentence else {}),
        **({"not_known": list(predictions.not_known)} if predictions.not_known else {}),
        **_counts(predictions.counts),
        **({"notes": list(predictions.notes)} if predictions.notes else {}),
        "skipped": [{"path": path, "reason": reason} for path, reason in predictions.skipped],
        "left_out": [{"path": path, "reason": reason} for path, reason in predictions.left_out],
    }


def _pooled(one: Prediction) -> dict[str, Any]:
    if len(one.paths) < 2 and not one.pool:
        return {}
    return {"pool": one.pool, "images": len(one.paths), "paths": list(one.paths)}


def _taxon(one: Prediction) -> dict[str, Any]:
    if one.taxon is None:
        return {}
    rank, name, sure = one.taxon
    return {"taxon": {"rank": rank, "name": name, "probability": sure}}


def _counts(counts: CatchCounts | None) -> dict[str, Any]:
    if counts is None:
        return {}
    rows = zip(counts.names, counts.called, counts.expected, counts.low, counts.high, strict=True)
    return {
        "counts": [
            {"class": name, "called": called, "count": mean, "low": low, "high": high}
            for name, called, mean, low, high in rows
        ],
        "like_none": counts.like_none,
        "checked": counts.checked,
    }


def _columns(predictions: Sequence[Prediction]) -> list[str]:
    first = predictions[0]
    n_top = max(len(one.classes) for one in predictions)
    top = [f"{name}{k}" for k in range(1, n_top + 1) for name in ("top", "p")]
    near = [
        f"{name}{k}"
        for k in range(1, len(first.evidence) + 1)
        for name in ("nearest", "nearest_label", "similarity")
    ]
    pool = ["pool", "images"] if any(one.pool for one in predictions) else []
    inside = [] if first.set is None else ["set"]
    outside = [] if first.outside is None else ["outside"]
    taxon = [] if first.taxon is None else ["rank", "taxon", "taxon_p"]
    return ["path", *pool, *top, "unknown", "reason", *inside, *outside, *taxon, *near]


def _cells(one: Prediction, columns: Sequence[str]) -> list[str | float | None]:
    cells: dict[str, str | float | None] = {
        "path": one.path,
        "pool": one.pool,
        "images": len(one.paths),
        "unknown": str(one.unknown).lower(),
        "reason": one.reason,
        "set": " | ".join(one.set or ()),
        "outside": one.outside,
    }
    for k, (name, p) in enumerate(zip(one.classes, one.probabilities, strict=True), 1):
        cells |= {f"top{k}": name, f"p{k}": p}
    if one.taxon is not None:
        cells |= dict(zip(("rank", "taxon", "taxon_p"), one.taxon, strict=True))
    for k, near in enumerate(one.evidence, 1):
        cells |= {
            f"nearest{k}": near.path,
            f"nearest_label{k}": near.label,
            f"similarity{k}": near.similarity,
        }
    return [_rounded(cells.get(column)) for column in columns]


def _rounded(value: str | float | None) -> str | float | None:
    return round(value, _DECIMALS) if isinstance(value, float) else value


def _people_table(predictions: Predictions) -> tuple[list[str], list[list[object]]]:
    return list(PEOPLE_COLUMNS), [list(row) for row in people_rows(predictions)]


def _whole_table(predictions: Predictions) -> tuple[list[str], list[list[object]]]:
    """Return what people read, and the columns for programs behind it."""
    columns, rows = _people_table(predictions)
    if not predictions.predictions:
        return columns, rows
    own = _columns(predictions.predictions)
    cells: list[list[object]] = [list(_cells(one, own)) for one in predictions.predictions]
    cells += [[path, *[None] * (len(own) - 1)] for path, _ in predictions.skipped]
    return [*columns, *own], [[*row, *more] for row, more in zip(rows, cells, strict=True)]


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
    """Write a line for each prediction: its image, its classes, then what else is known of it.

    What a narrow terminal cuts off is at the end, so images' names leave most of a line to answers;
    where sets were asked for they take the place of the second and third answer there.
    """
    shown = [printable(one.pool or one.path) for one in predictions]
    if width:
        shown = [shortened(name, max(_SHORTEST_NAME, width * 2 // 5)) for name in shown]
    with_sets = any(one.set is not None for one in predictions)
    n_top = 1 if width and with_sets else max(len(one.classes) for one in predictions)
    table = [
        [name, *_before(one), *_answers(one)[:n_top], *[""] * (n_top - len(one.classes))]
        for name, one in zip(shown, predictions, strict=True)
    ]
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


def _answers(one: Prediction) -> list[str]:
    pairs = zip(one.classes, one.probabilities, strict=True)
    return [f"{printable(name)} {100 * p:.1f}%" for name, p in pairs]


def _before(one: Prediction) -> list[str]:
    """Return what stands before the most probable classes, a column each."""
    pooled = f"{len(one.paths)} images" if one.pool else ""
    unknown = "unknown" if one.unknown else ""
    taxon = ""
    if one.taxon is not None:
        rank, name, sure = one.taxon
        taxon = UNDECIDED if rank == ROOT else f"{printable(name)} {100 * sure:.1f}%"
    return [pooled, unknown, taxon]


def _after(one: Prediction) -> list[str]:
    """Return what stands behind the most probable classes."""
    inside = [] if one.set is None else ["{" + ", ".join(map(printable, one.set)) + "}"]
    outside = [] if one.outside is None else [f"outside the list {100 * one.outside:.1f}%"]
    return [*inside, *outside, *([printable(one.reason)] if one.unknown else [])]


def counts_table(counts: CatchCounts) -> str:
    """Write the counts as lines: "312 cod, 280 to 345 (called so 330)"."""
    lines = [
        f"{mean:,.0f} {printable(name)}, {low:,} to {high:,} (called so {called:,})"
        for name, called, mean, low, high in zip(
            counts.names, counts.called, counts.expected, counts.low, counts.high, strict=True
        )
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
            _fill(cell, value)
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = sheet.dimensions
    for at, name in enumerate(columns, 1):
        longest = max([len(name), *(len(str(row[at - 1] or "")) for row in rows[:200])])
        sheet.column_dimensions[get_column_letter(at)].width = min(60, longest + 3)
    with atomic_file(output) as temporary:
        book.save(temporary)


def _fill(cell: Any, value: object) -> None:
    if isinstance(value, str):
        cell.value = printable(value)
        cell.data_type = "s"  # a name that begins with = is no formula
    else:
        cell.value = value
