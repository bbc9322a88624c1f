"""The files of a run folder: a result written as JSON, CSV and head, and read back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fishembed._base.bounded_reading import open_file, read_file
from fishembed._base.files import write_json
from fishembed._base.paths import places_of, without_secrets
from fishembed._base.tables.csv_files import CsvTable, write_csv
from fishembed.errors import RunFormatError
from fishembed.evaluation.confusion_counts import most_often_called_instead
from fishembed.experiments.runs.run_result import TOP_K, ClassTable, Floats, RunResult, ScoredImages

RUN_FORMAT = "fishembed-run"
_LOOKED_AT = 4096
RUN_SCHEMA = 1

RUN_JSON = "run.json"
METRICS_JSON = "metrics.json"
PER_CLASS_CSV = "per_class.csv"
PREDICTIONS_CSV = "predictions.csv"
HISTORY_CSV = "history.csv"
SELECTION_CSV = "selection.csv"
FEW_SHOT_CSV = "shots.csv"
HEAD_NPZ = "head.npz"
HEAD_JOBLIB = "head.joblib"
PAGE_HTML = "index.html"

FILES = "files"
CHECKSUM = "checksum"
"""Keys of `run.json`: the SHA-256 of each file of the run, and that of `run.json` itself."""

_TYPES: Mapping[str, type] = {
    "parameters": dict,
    "encoder": dict,
    "stores": list,
    "selection": list,
    "features": str,
    "command": str,
    "seconds": dict,
    "versions": dict,
    FILES: dict,
}
_OF_THE_FILE = frozenset({"format", "schema", "name", FILES, CHECKSUM})

_CHANGED = "is not as it was written: make the run again, or take the file from a copy"

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
    """Write a result into an empty folder; see `reports/README.md` for its files.

    Parameters
    ----------
    result
        What `fit` or `score_zeroshot` returned.
    folder
        Where to write.
    name
        Of the run, for its record.
    """
    write_csv(folder / PER_CLASS_CSV, PER_CLASS, _class_rows(result))
    write_csv(folder / PREDICTIONS_CSV, PREDICTIONS, _image_rows(result.images))
    for file, rows in (
        (HISTORY_CSV, result.epochs),
        (SELECTION_CSV, result.selection),
        (FEW_SHOT_CSV, result.few_shot),
    ):
        if rows:
            write_csv(folder / file, list(rows[0]), [list(row.values()) for row in rows])
    write_json(folder / METRICS_JSON, result.metrics)
    _write_head(result, folder)
    write_run_json(folder, name, result.info)


def write_run_json(folder: Path, name: str, info: Mapping[str, Any]) -> None:
    """Write a run's record, with the digest of every file that is in its folder."""
    about = {"format": RUN_FORMAT, "schema": RUN_SCHEMA, "name": name}
    write_document(folder / RUN_JSON, {**about, **info, FILES: _digests(folder)})


def read_result(folder: Path, info: Mapping[str, Any], metrics: Mapping[str, Any]) -> RunResult:
    """Read the tables of a run folder.

    Parameters
    ----------
    folder, info, metrics
        The folder, and its `run.json` and `metrics.json`.

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


def is_run(folder: Path) -> bool:
    """Return whether a folder holds a run, by the first bytes of its `run.json`."""
    place = folder / RUN_JSON
    try:
        if not place.is_file():  # a pipe would not end
            return False
        with place.open("rb") as file:
            return RUN_FORMAT.encode() in file.read(_LOOKED_AT)
    except OSError:
        return False


def refuse_links_out(folder: Path) -> None:
    """Refuse a run folder with links out of it: a stranger's run may have others read or replaced.

    Raises
    ------
    RunFormatError
        When there is one. The cache of the hub's client, whose files are links into it, has none.
    """
    real = folder.resolve()
    inside = real, real.parent.parent / "blobs"
    for path in real.rglob("*"):
        if path.is_symlink() and not any(map(_target(path).is_relative_to, inside)):
            raise RunFormatError(
                f"{str(folder / path.relative_to(real))!r} is a link out of the run's folder, "
                "which no run has: put a copy of the file in its place"
            )


def _target(link: Path) -> Path:
    try:
        return link.resolve()
    except (OSError, RuntimeError):  # it leads to itself
        return Path()


def check_document(place: Path, document: Mapping[str, Any]) -> None:
    """Compare `run.json` or `field.json` with the checksum in it; before 0.2 there was none.

    Raises
    ------
    RunFormatError
        When it is not as it was written.
    """
    expected = document.get(CHECKSUM)
    if expected is not None and expected != _checksum(document):
        raise RunFormatError(f"{str(place)!r} {_CHANGED}")


def check_file(folder: Path, info: Mapping[str, Any], name: str) -> None:
    """Compare a file of a run with its digest in `run.json`, where that has one.

    Raises
    ------
    RunFormatError
        When it is gone, or not as it was written.
    """
    known = info.get(FILES) or {}
    if name not in known:
        return
    place = folder / name
    try:
        digest = _sha256(place)
    except OSError as error:
        raise RunFormatError(
            f"cannot read {str(place)!r}: {error.strerror or error}; make the run again"
        ) from error
    if digest != known[name]:
        raise RunFormatError(f"{str(place)!r} {_CHANGED}")


def check_types(folder: Path, info: Mapping[str, Any]) -> None:
    """Check the values of `run.json` that are used as they are.

    Raises
    ------
    RunFormatError
        When something has another type than `run_info` writes.
    """
    stores = [info.get("store"), *(info.get("stores") or ())]
    good = (
        all(isinstance(info.get(name, kind()), kind | None) for name, kind in _TYPES.items())
        and all(isinstance(name, str) for name in info.get("classes") or ())
        and all(isinstance(row, dict) for row in info.get("selection") or ())
        and all(isinstance(one, dict) and isinstance(one.get("path"), str) for one in stores)
        and all(isinstance(one.get("fingerprint"), str | None) for one in stores)
        and isinstance(info.get("head"), str)
        and isinstance(info.get("classes"), list)
    )
    if not good:
        raise RunFormatError(f"{str(folder / RUN_JSON)!r} is damaged: make the run again")


def _digests(folder: Path) -> dict[str, str]:
    return {path.name: _sha256(path) for path in sorted(folder.iterdir()) if path.is_file()}


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with open_file(path) as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _checksum(info: Mapping[str, Any]) -> str:
    """Return the SHA-256 of all that a run's record says, however it is laid out."""
    described = {name: value for name, value in info.items() if name != CHECKSUM}
    text = json.dumps(described, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def write_document(place: Path, document: Mapping[str, Any]) -> None:
    """Write a JSON object with a checksum of all that it says."""
    write_json(place, {**document, CHECKSUM: _checksum(document)})


def read_document(place: Path) -> dict[str, Any]:
    """Read what `write_document` wrote, without the checksum; before 0.2 there was none.

    Raises
    ------
    RunFormatError
        When it cannot be read, or is not as it was written.
    """
    document = read_json(place)
    check_document(place, document)
    return {name: value for name, value in document.items() if name != CHECKSUM}


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises
    ------
    RunFormatError
        When the file cannot be read, or holds something else.
    """
    try:
        document = json.loads(read_file(path).decode("utf-8", "surrogateescape"))
    except (OSError, ValueError, RecursionError) as error:
        raise RunFormatError(f"cannot read {str(path)!r}: {error}") from error
    if not isinstance(document, dict):
        raise RunFormatError(f"{str(path)!r} is not a JSON object")
    return {name: without_secrets(value) for name, value in document.items()}


def read_csv_rows(path: Path) -> list[dict[str, str]]:
    """Read the rows of a table as text.

    Raises
    ------
    RunFormatError
        When there is no such file, or it cannot be read.
    """
    return [row for _, row in CsvTable(path, RunFormatError, delimiter=",", keep_invalid=True)]


def read_csv_columns(path: Path) -> Columns:
    """Read the columns of a table as text; see `read_csv_rows` for what is raised."""
    rows = read_csv_rows(path)
    return {name: [row[name] for row in rows] for name in rows[0]} if rows else {}


def _class_rows(result: RunResult) -> Iterator[list[object]]:
    table = result.classes
    numbers = [_cells(getattr(table, name), name) for name in _NUMBERS.values()]
    instead = most_often_called_instead(result.confusion)
    for name, wrong, *row in zip(table.raw_names, instead, *numbers, strict=True):
        other = (None, 0) if wrong is None else (table.raw_names[wrong[0]], wrong[1])
        yield [name, *row, *other]


def _cells(values: np.ndarray, name: str) -> list[object]:
    written = int if name in _WRITTEN_AS_COUNTS else float
    return [None if value != value else written(value) for value in values.tolist()]  # noqa: PLR0124 - NaN


def _image_rows(images: ScoredImages) -> Iterator[list[object]]:
    names = (*images.class_names, "")  # -1 is none
    blank: list[object] = [None] * (TOP_K - images.top.shape[1])
    for path, true, predicted, sure, top, p, group in zip(
        images.paths,
        images.true.tolist(),
        images.predicted.tolist(),
        images.confidence.tolist(),
        images.top.tolist(),
        images.top_probabilities.tolist(),
        images.group_names,
        strict=True,
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
    known = set(names)
    names = names + sorted({name for column in likely for name in column} - {*known, ""})
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
    columns = {
        name: list(table[name]) if name in texts else _numbers(table, name, path.name).tolist()
        for name in table
    }
    return tuple(
        dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)
    )


def _texts(columns: Columns, name: str, file: str) -> Sequence[str]:
    if columns and name not in columns:
        raise RunFormatError(f"{file} has no column {name!r}; make the run again")
    return columns.get(name, [])


def _numbers(columns: Columns, name: str, file: str) -> Floats:
    texts = _texts(columns, name, file)
    try:
        return np.array([float(text) if text else np.nan for text in texts], dtype=np.float64)
    except ValueError as error:
        raise RunFormatError(f"{file}, column {name!r}: {error}") from error
