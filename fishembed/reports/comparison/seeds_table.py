"""The scores of the runs of several seeds, with their means and standard deviations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fishembed._base.printable import printable, shortened
from fishembed.experiments.runs.run_folder import Run
from fishembed.reports.text_tables import Table
from fishembed.reports.wording import percent

_WIDTH = 40
_SCORES = ("accuracy", "macro_recall")


def seeds_table(runs: Sequence[Run]) -> Table:
    """List the scores of each run, and below them mean ± standard deviation."""
    rows = [
        [shortened(printable(run.name), _WIDTH), *(percent(run.metrics[key]) for key in _SCORES)]
        for run in runs
    ]
    document = seeds_document(runs)
    ends = [f"{percent(document[key])} ± {percent(document[f'{key}_sd'])}" for key in _SCORES]
    rows.append([f"mean ± sd of {len(runs)} seeds", *ends])
    return ["run", "right %", "average over species %"], rows


def seeds_document(runs: Sequence[Run]) -> dict[str, Any]:
    """Return the runs, and the mean and standard deviation of their scores, for JSON."""
    document: dict[str, Any] = {
        "runs": [str(run.folder) for run in runs],
        "seeds": [run.info["seed"] for run in runs],
    }
    for key in _SCORES:
        values = np.array([run.metrics[key] for run in runs], np.float64)
        document[key] = float(values.mean())
        document[f"{key}_sd"] = float(values.std(ddof=1)) if len(values) > 1 else 0.0
    return document
