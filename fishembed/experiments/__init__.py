"""Make and read runs: fit a head, score zero-shot, predict, compare.

The names are loaded when first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fishembed._base.runtime import lazy_names

if TYPE_CHECKING:
    from fishembed.experiments.comparing.comparison import Comparison, compare_runs
    from fishembed.experiments.comparing.run_seeds import run_seeds
    from fishembed.experiments.few_shot import FewShotSettings
    from fishembed.experiments.fitting import fit, run_fit
    from fishembed.experiments.heads import HEADS
    from fishembed.experiments.predicting.camtrap_dp_export import export_camtrap_dp
    from fishembed.experiments.predicting.prediction import predict_run
    from fishembed.experiments.runs.run_folder import Run, newest_run, save_run
    from fishembed.experiments.runs.run_list import list_runs
    from fishembed.experiments.runs.run_result import RunResult
    from fishembed.experiments.zeroshot_scoring import run_zeroshot, score_zeroshot

_HOMES = {
    "HEADS": "heads",
    "Comparison": "comparing.comparison",
    "FewShotSettings": "few_shot",
    "Run": "runs.run_folder",
    "RunResult": "runs.run_result",
    "export_camtrap_dp": "predicting.camtrap_dp_export",
    "compare_runs": "comparing.comparison",
    "fit": "fitting",
    "list_runs": "runs.run_list",
    "newest_run": "runs.run_folder",
    "predict_run": "predicting.prediction",
    "run_fit": "fitting",
    "run_seeds": "comparing.run_seeds",
    "run_zeroshot": "zeroshot_scoring",
    "save_run": "runs.run_folder",
    "score_zeroshot": "zeroshot_scoring",
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
