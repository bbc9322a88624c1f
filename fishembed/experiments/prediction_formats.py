"""Predictions as a table for people, CSV, JSON or Parquet."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from fishembed._base.csv_files import csv_text
from fishembed._base.files import atomic_file, write_text
from fishembed._base.printable import printable
from fishembed.errors import InputError, MissingExtraError
from fishembed.experiments.prediction import Prediction, Predictions

Format = Literal["table", "csv", "json", "parquet"]
_BY_SUFFIX: dict[str, Format] = {
    ".csv": "csv",
    ".json": "json",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".txt": "table",
}


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


def formatted(predictions: Predictions, kind: Format) -> str:
    """Write predictions as text; `kind` is any format but Parquet."""
    if kind == "table":
        return _table(predictions.predictions)
    if kind == "csv":
        return _csv(predictions.predictions)
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
                _write_parquet(predictions.predictions, temporary)
        else:
            write_text(output, formatted(predictions, kind))
    except OSError as error:
        raise InputError(f"cannot write {str(output)!r}: {error.strerror or error}") from error


def as_document(predictions: Predictions) -> dict[str, Any]:
    """Return predictions as a JSON document."""
    return {
        "predictions": [
            {
                "path": one.path,
                "top": [
                    {"class": name, "probability": p}
                    for name, p in zip(one.classes, one.probabilities, strict=True)
                ],
                **({"evidence": [asdict(near) for near in one.evidence]} if one.evidence else {}),
            }
            for one in predictions.predictions
        ],
        "assumed_prior": predictions.assumed_prior,
        "skipped": [{"path": path, "reason": reason} for path, reason in predictions.skipped],
    }


def _columns(predictions: Sequence[Prediction]) -> list[str]:
    first = predictions[0]
    top = [f"{name}{k}" for k in range(1, len(first.classes) + 1) for name in ("top", "p")]
    near = [
        f"{name}{k}"
        for k in range(1, len(first.evidence) + 1)
        for name in ("nearest", "nearest_label", "similarity")
    ]
    return ["path", *top, *near]


def _cells(one: Prediction) -> list[str | float]:
    row: list[str | float] = [one.path]
    for name, p in zip(one.classes, one.probabilities, strict=True):
        row += [name, p]
    for near in one.evidence:
        row += [near.path, near.label, near.similarity]
    return row


def _csv(predictions: Sequence[Prediction]) -> str:
    return csv_text(_columns(predictions), map(_cells, predictions))


def _write_parquet(predictions: Sequence[Prediction], output: Path) -> None:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise MissingExtraError("a Parquet file", "pyarrow", "parquet") from error
    columns = zip(_columns(predictions), zip(*map(_cells, predictions), strict=True), strict=True)
    table = {
        name: [printable(value) if isinstance(value, str) else value for value in values]
        for name, values in columns
    }
    parquet.write_table(pa.table(table), output)


def _table(predictions: Sequence[Prediction]) -> str:
    widths = [max(len(printable(one.path)) for one in predictions)]
    cells = [
        [f"{printable(c)} {100 * p:.1f}%" for c, p in zip(o.classes, o.probabilities, strict=True)]
        for o in predictions
    ]
    widths += [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = []
    for one, row in zip(predictions, cells, strict=True):
        padded = [
            text.ljust(width)
            for text, width in zip([printable(one.path), *row], widths, strict=True)
        ]
        lines.append("  ".join(padded).rstrip())
        lines += [
            f"    like {printable(near.path)} ({printable(near.label)}), "
            f"cosine {near.similarity:.3f}"
            for near in one.evidence
        ]
    return "\n".join(lines) + "\n"
