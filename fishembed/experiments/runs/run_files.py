"""Files of a run folder: the tables and the head of a result, written and read back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fishembed._base.arrays import Double
from fishembed._base.csv_files import CsvTable, write_csv
from fishembed._base.files import write_json
from fishembed._base.paths import places_of
from fishembed.errors import RunFormatError
from fishembed.experiments.runs.run_documents import (
    CHECKSUM,
    FILES,
    HEAD_NPZ,
    METRICS_JSON,
    check_file,
    write_run_json,
)
from fishembed.experiments.runs.run_result import TOP_K, ClassTable, RunResult, ScoredImages

PER_CLASS_CSV = "per_class.csv"
PREDICTIONS_CSV = "predictions.csv"
HISTORY_CSV = "history.csv"
SELECTION_CSV = "selection.csv"
FEW_SHOT_CSV = "shots.csv"
HEAD_JOBLIB = "head.joblib"
PAGE_HTML = "index.html"

_OF_THE_FILE = frozenset({"format", "schema", "name", FILES, CHECKSUM})

_NUMBERS = {
    "n_train": "n_train",
    "n": "n",
    "correct": "correct",
    "recall": "recall",
    "recall_low": "low",
    "recall_high": "high",
    "precision": "precision",
    "f1": "f1",
    "predicted": "predicted",
}
"""Columns of `per_class.csv`, and the attributes of `ClassTable` they hold."""

PER_CLASS = ("class", *_NUMBERS, "confused_with", "confused_count")
PREDICTIONS = (
    "path",
    "true",
    "predicted",
    "confidence",
    *(f"top{k}" for k in range(1, TOP_K + 1)),
    *(f"p{k}" for k in range(1, TOP_K + 1)),
    "group",
)
_COUNTS = ("n", "correct", "predicted")
_WRITTEN_AS_COUNTS = (*_COUNTS, "n_train")

Columns = Mapping[str, Sequence[str]]


def write_result(result: RunResult, folder: Path, name: str) -> None:
    """Write a result, as a run of this name, into an empty folder; see `reports/README.md`."""
    write_csv(folder / PER_CLASS_CSV, PER_CLASS, _class_rows(result))
    write_csv(folder / PREDICTIONS_CSV, PREDICTIONS, _image_rows(result.images))
    tables = {
        HISTORY_CSV: result.epochs,
        SELECTION_CSV: result.selection,
        FEW_SHOT_CSV: result.few_shot,
    }
    for file, rows in tables.items():
        if rows:
            write_csv(folder / file, list(rows[0]), [list(row.values()) for row in rows])
    write_json(folder / METRICS_JSON, result.metrics)
    _write_head(result, folder)
    write_run_json(folder, name, result.info)


def read_result(folder: Path, info: Mapping[str, Any], metrics: Mapping[str, Any]) -> RunResult:
    """Read the tables of a run folder; `info` and `metrics` are its `run.json`, `metrics.json`.

    Raises
    ------
    RunFormatError
        When a table is missing, is not as it was written, lacks a column, or holds text where a
        number belongs.
    """
    for name in (PER_CLASS_CSV, PREDICTIONS_CSV, HISTORY_CSV, FEW_SHOT_CSV):
        check_file(folder, info, name)
    table = read_csv_columns(folder / PER_CLASS_CSV)
    predictions = read_csv_columns(folder / PREDICTIONS_CSV)
    names = list(_texts(table, "class", PER_CLASS_CSV))
    true = _texts(predictions, "true", PREDICTIONS_CSV)
    predicted = _texts(predictions, "predicted", PREDICTIONS_CSV)
    names += sorted({*true, *predicted} - {*names, ""})
    return RunResult(
        info={key: info[key] for key in info if key not in _OF_THE_FILE},
        metrics=metrics,
        classes=_read_classes(table, tuple(names)),
        images=_read_images(predictions, names),
        epochs=_read_numbers(folder / HISTORY_CSV),
        few_shot=_read_numbers(folder / FEW_SHOT_CSV, texts=("head",)),
    )


def read_csv_rows(path: Path) -> list[dict[str, str]]:
    """Read the rows of a table as text.

    Raises
    ------
    RunFormatError
        When there is no such file, or it cannot be read.
    """
    return [row for _, row in CsvTable(path, RunFormatError, delimiter=",", utf8_only=True)]


def read_csv_columns(path: Path) -> Columns:
    """Read the columns of a table as text; see `read_csv_rows` for what is raised."""
    rows = read_csv_rows(path)
    return {name: [row[name] for row in rows] for name in rows[0]} if rows else {}


def _class_rows(result: RunResult) -> Iterator[list[object]]:
    table = result.classes
    numbers = [_cells(getattr(table, name), name) for name in _NUMBERS.values()]
    for name, wrong, *row in zip(table.raw_names, result.called_instead, *numbers, strict=True):
        other = (None, 0) if wrong is None else (table.raw_names[wrong[0]], wrong[1])
        yield [name, *row, *other]


def _cells(values: np.ndarray, name: str) -> list[object]:
    written = int if name in _WRITTEN_AS_COUNTS else float
    return [None if value != value else written(value) for value in values.tolist()]  # noqa: PLR0124 - NaN


def _image_rows(images: ScoredImages) -> Iterator[list[object]]:
    names = (*images.class_names, "")  # -1 is none
    blank: list[object] = [None] * (TOP_K - images.top.shape[1])
    arrays = (images.true, images.predicted, images.confidence, images.top)
    columns = [array.tolist() for array in (*arrays, images.top_probabilities)]
    for path, group, true, predicted, sure, top, p in zip(
        images.paths, images.group_names, *columns, strict=True
    ):
        likely = [names[c] for c in top]
        yield [path, names[true], names[predicted], sure, *likely, *blank, *p, *blank, group]


def _write_head(result: RunResult, folder: Path) -> None:
    """Write the fitted head, as arrays where it is a map of them, and as estimator."""
    import joblib

    from fishembed.classifiers import save_head
    from fishembed.experiments.held_out import HELD_OUT_NPZ

    if (head := result.head) is not None:
        save_head(
            head,
            folder / HEAD_NPZ,
            feature_fingerprint=head.feature_fingerprint,
            class_names=head.class_names,
        )
    if result.held_out is not None:
        result.held_out.save(folder / HELD_OUT_NPZ)
    if result.estimator is not None:
        joblib.dump(result.estimator, folder / HEAD_JOBLIB)


def _read_classes(table: Columns, names: tuple[str, ...]) -> ClassTable:
    numbers = {}
    for column, name in _NUMBERS.items():
        known = _numbers(table, column, PER_CLASS_CSV)
        values = np.concatenate([known, np.full(len(names) - len(known), np.nan)])
        numbers[name] = np.nan_to_num(values).astype(np.int64) if name in _COUNTS else values
    return ClassTable(raw_names=names, **numbers)


def _read_images(columns: Columns, names: list[str]) -> ScoredImages:
    n = len(_texts(columns, "path", PREDICTIONS_CSV))
    ranks = [k for k in range(1, TOP_K + 1) if n and columns.get(f"top{k}", [""])[0]]
    likely = [columns[f"top{k}"] for k in ranks]
    names = names + sorted({name for column in likely for name in column} - {*names, ""})
    index = {name: i for i, name in enumerate(names)}

    def places(column: Sequence[str]) -> np.ndarray:
        return np.array([index.get(name, -1) for name in column], dtype=np.int64)

    def side_by_side(arrays: list[np.ndarray], kind: type) -> np.ndarray:
        return np.stack(arrays, axis=1) if arrays else np.empty((n, 0), kind)

    probabilities = [_numbers(columns, f"p{k}", PREDICTIONS_CSV) for k in ranks]
    return ScoredImages(
        paths=tuple(places_of(_texts(columns, "path", PREDICTIONS_CSV))),
        class_names=tuple(names),
        true=places(_texts(columns, "true", PREDICTIONS_CSV)),
        predicted=places(_texts(columns, "predicted", PREDICTIONS_CSV)),
        confidence=_numbers(columns, "confidence", PREDICTIONS_CSV),
        top=side_by_side([places(column) for column in likely], np.int64),
        top_probabilities=side_by_side(probabilities, np.float64),
        group_names=tuple(columns.get("group", [""] * n)),
    )


def _read_numbers(path: Path, texts: Sequence[str] = ()) -> tuple[dict[str, Any], ...]:
    """Read a table of numbers, some columns text; an empty one where there is no such file."""
    if not path.is_file():
        return ()
    table = read_csv_columns(path)
    columns = [
        table[name] if name in texts else _numbers(table, name, path.name).tolist()
        for name in table
    ]
    return tuple(dict(zip(table, row, strict=True)) for row in zip(*columns, strict=True))


def _texts(columns: Columns, name: str, file: str) -> Sequence[str]:
    if columns and name not in columns:
        raise RunFormatError(f"{file} has no column {name!r}; make the run again")
    return columns.get(name, [])


def _numbers(columns: Columns, name: str, file: str) -> Double:
    texts = _texts(columns, name, file)
    try:
        return np.array([float(text) if text else np.nan for text in texts], dtype=np.float64)
    except ValueError as error:
        raise RunFormatError(f"{file}, column {name!r}: {error}") from error
