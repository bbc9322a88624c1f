"""Make and read runs: fit a head, score zero-shot, predict, compare.

The names are loaded when first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fishembed._base.runtime import lazy_names

if TYPE_CHECKING:
    from fishembed.experiments.comparison import Comparison, compare_runs
    from fishembed.experiments.few_shot import FewShotSettings
    from fishembed.experiments.fitting import fit, run_fit, run_seeds
    from fishembed.experiments.heads import HEADS
    from fishembed.experiments.predicting.camtrap_dp_export import export_camtrap_dp
    from fishembed.experiments.predicting.prediction import predict_run
    from fishembed.experiments.runs.find_runs import list_runs, newest_run
    from fishembed.experiments.runs.run_folder import Run, save_run
    from fishembed.experiments.runs.run_result import RunResult
    from fishembed.experiments.scoring import run_zeroshot, score_zeroshot

_HOMES = {
    "HEADS": "heads",
    "Comparison": "comparison",
    "FewShotSettings": "few_shot",
    "Run": "runs.run_folder",
    "RunResult": "runs.run_result",
    "export_camtrap_dp": "predicting.camtrap_dp_export",
    "compare_runs": "comparison",
    "fit": "fitting",
    "list_runs": "runs.find_runs",
    "newest_run": "runs.find_runs",
    "predict_run": "predicting.prediction",
    "run_fit": "fitting",
    "run_seeds": "fitting",
    "run_zeroshot": "scoring",
    "save_run": "runs.run_folder",
    "score_zeroshot": "scoring",
}

__all__ = [
    "HEADS",
    "Comparison",
    "FewShotSettings",
    "Run",
    "RunResult",
    "compare_runs",
    "export_camtrap_dp",
    "fit",
    "list_runs",
    "newest_run",
    "predict_run",
    "run_fit",
    "run_seeds",
    "run_zeroshot",
    "save_run",
    "score_zeroshot",
]

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
