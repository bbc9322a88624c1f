"""Show runs: figures, pages, text and LaTeX.

The names are loaded when first used. Those of `fishembed.experiments` stand here too, where they
were before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fishembed._base.runtime import lazy_names

if TYPE_CHECKING:
    from fishembed.experiments import (
        HEADS,
        Run,
        compare_runs,
        newest_run,
        predict_run,
        run_fit,
        run_zeroshot,
    )
    from fishembed.reports.comparison.write_comparison import write_comparison
    from fishembed.reports.figures.all_figures import write_learning_curve
    from fishembed.reports.run_report import write_report
    from fishembed.reports.run_sentences import summary_sentence
    from fishembed.reports.write_sheets import write_clusters, write_search, write_suggestions

_HOMES = {
    "summary_sentence": "run_sentences",
    "write_clusters": "write_sheets",
    "write_comparison": "comparison.write_comparison",
    "write_learning_curve": "figures.all_figures",
    "write_report": "run_report",
    "write_search": "write_sheets",
    "write_suggestions": "write_sheets",
}

__all__ = [
    "HEADS",
    "Run",
    "compare_runs",
    "newest_run",
    "predict_run",
    "run_fit",
    "run_zeroshot",
    "summary_sentence",
    "write_clusters",
    "write_comparison",
    "write_learning_curve",
    "write_report",
    "write_search",
    "write_suggestions",
]

_load, _ = lazy_names(__name__, _HOMES)


def __getattr__(name: str) -> object:
    if name in _HOMES or name not in __all__:
        return _load(name)
    from fishembed import experiments

    return getattr(experiments, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
