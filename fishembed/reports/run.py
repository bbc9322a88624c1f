"""A run folder: what it holds, and how it is read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from fishembed._base.csv_files import CsvTable
from fishembed.cache import Which
from fishembed.errors import RunFormatError, RunNotFoundError

RUN_FORMAT = "fishembed-run"
RUN_SCHEMA = 1

RUN_JSON = "run.json"
METRICS_JSON = "metrics.json"
PER_CLASS_CSV = "per_class.csv"
PREDICTIONS_CSV = "predictions.csv"
HISTORY_CSV = "history.csv"
SELECTION_CSV = "selection.csv"
SHOTS_CSV = "shots.csv"
HEAD_NPZ = "head.npz"
HEAD_JOBLIB = "head.joblib"
PAGE_HTML = "index.html"

TOP_K = 5


@dataclass(frozen=True)
class Run:
    """One experiment on disk.

    Attributes
    ----------
    folder
        Where it lies.
    info
        `run.json`: kind, head, parameters, store, encoder, versions, seed, times.
    metrics
        `metrics.json`: the scores, see `fishembed.Scores.as_dict`, and each split's counts.
    """

    folder: Path
    info: dict[str, Any]
    metrics: dict[str, Any]

    @classmethod
    def open(cls, folder: str | Path) -> Run:
        """Open a run folder.

        Raises
        ------
        RunNotFoundError
            When there is no such folder, or no run in it.
        RunFormatError
            When its files are not a run's, or a newer version wrote them.
        """
        folder = Path(folder)
        if not (folder / RUN_JSON).is_file():
            raise RunNotFoundError(
                f"no run at {str(folder)!r}: 'fishembed fit' and 'fishembed zeroshot' make one"
            )
        info, metrics = (_read_json(folder / name) for name in (RUN_JSON, METRICS_JSON))
        if info.get("format") != RUN_FORMAT:
            raise RunFormatError(f"{str(folder / RUN_JSON)!r} was not written by fishembed")
        if info.get("schema", 0) > RUN_SCHEMA:
            raise RunFormatError(
                f"{str(folder)!r} has run schema {info['schema']}; this version reads up to "
                f"{RUN_SCHEMA}: pip install -U fishembed"
            )
        return cls(folder, info, metrics)

    @property
    def name(self) -> str:
        """The folder's own name."""
        return self.folder.name

    @property
    def classes(self) -> list[str]:
        """All classes of the store, in its order."""
        return list(self.info["classes"])

    @property
    def features(self) -> Which:
        """Which vectors the head learnt from."""
        return "trunk" if self.info.get("features") == "trunk" else "image"

    @cached_property
    def per_class(self) -> list[dict[str, str]]:
        """Rows of `per_class.csv`, as text."""
        return _read_csv(self.folder / PER_CLASS_CSV)

    @cached_property
    def predictions(self) -> list[dict[str, str]]:
        """Rows of `predictions.csv`, as text."""
        return _read_csv(self.folder / PREDICTIONS_CSV)

    @cached_property
    def history(self) -> list[dict[str, str]]:
        """Rows of `history.csv`, as text; empty for heads that do not train by epochs."""
        path = self.folder / HISTORY_CSV
        return _read_csv(path) if path.is_file() else []

    @cached_property
    def shots(self) -> list[dict[str, str]]:
        """Rows of `shots.csv`, as text; empty where none were asked for."""
        path = self.folder / SHOTS_CSV
        return _read_csv(path) if path.is_file() else []

    @property
    def selection(self) -> list[dict[str, Any]]:
        """Candidates that the head was chosen from, the chosen one first; empty for no choice."""
        return list(self.info.get("selection") or [])


def newest_run(reports: str | Path) -> Path:
    """Give the run folder in `reports` that was written last.

    Raises
    ------
    RunNotFoundError
        When there is none.
    """
    found = [path.parent for path in Path(reports).glob(f"*/{RUN_JSON}")]
    if not found:
        raise RunNotFoundError(
            f"no run in {str(reports)!r}: make one with 'fishembed fit' or 'fishembed zeroshot'"
        )
    return max(found, key=lambda folder: ((folder / RUN_JSON).stat().st_mtime_ns, folder.name))


def _read_json(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8", errors="surrogateescape"))
    except (OSError, ValueError) as error:
        raise RunFormatError(f"cannot read {str(path)!r}: {error}") from error
    if not isinstance(document, dict):
        raise RunFormatError(f"{str(path)!r} is not a JSON object")
    return document


def _read_csv(path: Path) -> list[dict[str, str]]:
    return [row for _, row in CsvTable(path, RunFormatError, delimiter=",", keep_invalid=True)]
