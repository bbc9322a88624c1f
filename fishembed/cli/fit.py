"""The verb `fit`: train and score a classifier."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from fishembed._base.paths import reports_dir
from fishembed.cli.program.console import NOTHING_WRITTEN, Console
from fishembed.cli.program.lean_imports import import_sklearn
from fishembed.cli.program.options import (
    FIELD,
    FieldOptions,
    JsonOption,
    LogOption,
    head_names,
    option,
    store_names,
)
from fishembed.cli.program.output import command_line
from fishembed.cli.program.resolve_paths import resolve_stores
from fishembed.cli.program.summaries import (
    print_each,
    print_learning_curve,
    print_logged,
    print_run,
    print_seeds,
    print_selection,
)
from fishembed.errors import InputError

if TYPE_CHECKING:
    from fishembed.experiments import Run

_CHOICE = "How a head is chosen (auto, sweep, blend)"
_LOGISTIC = "Logistic heads (logistic, prior-corrected, angular, text-logistic, blend)"
_GAUSSIAN = "Heads of class means (gaussian, text-anchored, angular)"
_KNN = "Nearest neighbours (knn)"
_LINEAR = "Linear head of the paper (linear)"
_CURVE = "Learning curve"


@dataclass(frozen=True)
class HeadChoice:
    """Options of the head and the features it is fitted on."""

    head: str = option(
        "auto",
        "Classifier. auto: cross-validate several and weigh them. logistic: logistic "
        "regression. sweep: logistic, C chosen from 96 values as in CLIP's paper. "
        "prior-corrected: logistic with logit adjustment for rare classes. angular: the same "
        "on whitened features of length 1. gaussian: linear discriminant analysis. "
        "text-anchored: gaussian, class means shrunk towards text features. "
        "text-logistic: logistic, weights shrunk towards those of zero-shot. blend: logistic "
        "mixed with zero-shot. centroid: nearest class mean. knn: nearest neighbours. linear: "
        "a torch layer trained by Adam, the paper's.",
        autocompletion=head_names,
        metavar="NAME",
    )
    features: Literal["image", "trunk"] = option(
        "image",
        "image: features of the joint image-text space. trunk: those before the "
        "projection, kept by 'fishembed extract --trunk'.",
    )


@dataclass(frozen=True)
class HeadOptions:
    """Parameters of heads, by the names that `run_fit` knows."""

    select_on: Literal["macro_recall", "accuracy", "macro_f1", "log_loss"] | None = option(
        None,
        "auto, sweep, blend: what candidates are compared or weighed for.",
        panel=_CHOICE,
        shown="macro_recall; sweep: accuracy",
    )
    C: float | None = option(
        None,
        "logistic, prior-corrected, angular, text-logistic, blend: inverse of the "
        "regularization strength.",
        panel=_LOGISTIC,
        shown="100; angular: 30",
    )
    class_weight: Literal["balanced"] | None = option(
        None,
        "logistic, text-logistic: balanced weighs rows inversely to the size of their class.",
        panel=_LOGISTIC,
        shown="none",
    )
    tau: float | None = option(
        None,
        "prior-corrected, angular: strength of the logit adjustment; tau times the log "
        "frequency of each class is subtracted from its logit.",
        panel=_LOGISTIC,
        shown="1",
    )
    shrinkage: float | None = option(
        None,
        "angular, gaussian, text-anchored: shrinkage of the covariance towards a "
        "multiple of the identity, from 0 (none) to 1 (full).",
        panel=_GAUSSIAN,
        shown="0.5",
        min=0,
        max=1,
    )
    pseudo_count: float | None = option(
        None,
        "gaussian, text-anchored: shrinkage of class means towards the mean of all "
        "classes, or towards the text features, as a number of images.",
        panel=_GAUSSIAN,
        shown="1; text-anchored: 4",
        min=0,
    )
    n_neighbors: int | None = option(
        None, "knn: number of neighbours.", "--neighbors", panel=_KNN, shown="5", min=1
    )
    epochs: int | None = option(
        None, "linear: passes over the training rows.", panel=_LINEAR, shown="7", min=1
    )
    batch_size: int | None = option(
        None, "linear: rows of a minibatch.", panel=_LINEAR, shown="64", min=1
    )
    learning_rate: float | None = option(
        None, "linear: learning rate of Adam.", panel=_LINEAR, shown="0.001"
    )
    loss: Literal["cross_entropy", "balanced_softmax"] | None = option(
        None,
        "linear: balanced_softmax corrects for class frequencies while training.",
        panel=_LINEAR,
        shown="cross_entropy",
    )
    schedule: Literal["constant", "cosine"] | None = option(
        None,
        "linear: learning rate over the epochs; cosine lets it fall to 0.",
        panel=_LINEAR,
        shown="constant",
    )
    patience: int | None = option(
        None,
        "linear: stop after this many epochs without a better macro recall on val.",
        panel=_LINEAR,
        shown="train all epochs",
        min=1,
    )
    normalize: str | None = option(
        None,
        "l2: scale each embedding to length 1; none: use it as the encoder gave it.",
        shown="l2; linear: none",
    )


@dataclass(frozen=True)
class SeriesOptions:
    """Options of series of runs, and of the comparison of candidates."""

    validate: Literal["cv", "val"] = option(
        "cv",
        "auto, sweep: compare candidates by cross-validation on the training rows (cv; "
        "groups kept together) or on the val split (val).",
        panel=_CHOICE,
    )
    each: bool = option(False, "Several stores: a run for each, such as one for each encoder.")
    sweep: bool = option(False, "Short for --head sweep.", panel=_CHOICE)
    shots: str | None = option(
        None,
        "Also fit on a few images per class, such as 1,2,4,8,16: a learning curve.",
        panel=_CURVE,
        shown="none",
    )
    seeds: int | None = option(
        None,
        "Fit once for each of so many seeds, as a series of runs that 'fishembed compare' "
        "takes as one. With --shots: number of random draws for each point.",
        shown="one seed; --shots: 3",
        min=1,
    )


@dataclass(frozen=True)
class ScoringOptions:
    """Options of the rows to score and of the folder of the run."""

    split: str | None = option(
        None,
        "Split whose rows are scored: train, val, test or all.",
        shown="test if the store has one, else val, else a random hold-out",
    )
    seed: int = option(0, "Seed of the hold-out and of training.")
    run: str | None = option(None, "Name of the new run in ./reports.", shown="<store>-<head>")


@dataclass(frozen=True)
class FitFieldOptions(FieldOptions):
    """Options of scores by place, burst and taxon that a fit can add."""

    leave_out: str | None = option(
        None,
        "Also fit without each value of a column, such as site, and score it there.",
        panel=FIELD,
        shown="none",
    )


StoresArgument = Annotated[
    list[Path] | None,
    typer.Argument(
        help="Feature store: its path, or its name in ./cache. Several stores of the same "
        "images: their features are joined side by side, each scaled to length 1.",
        show_default="newest in ./cache",
        autocompletion=store_names,
    ),
]


def fit(
    stores: StoresArgument = None,
    *,
    chosen: HeadChoice,
    parameters: HeadOptions,
    series: SeriesOptions,
    scoring: ScoringOptions,
    field: FitFieldOptions,
    log: LogOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train a classifier on cached features and score it.

    Without options, several classifiers are cross-validated on the training rows and weighed into
    one, every class counting much the same. The scored rows are never used to choose or to train.

    Examples
    --------
    fishembed fit
    fishembed fit fish --head linear --epochs 7
    fishembed fit fish --shots 1,2,4,8,16
    """
    _check_together(series, scoring, field)
    with Console(as_json=as_json, working="fitting", interrupted=NOTHING_WRITTEN) as console:
        places = resolve_stores(stores, console)
        import_sklearn()
        from fishembed.cache import open_store
        from fishembed.cache.store_columns import require_columns
        from fishembed.experiments import FewShotSettings, run_fit, run_seeds
        from fishembed.experiments.runs.tracking import require_tracker

        require_tracker(log)
        options: dict[str, Any] = {
            "head": "sweep" if series.sweep else chosen.head,
            "features": chosen.features,
            "parameters": {k: v for k, v in vars(parameters).items() if v is not None},
            "validate": series.validate,
            **vars(scoring),
            "reports": reports_dir(),
            "command": command_line(),
            "progress": console,
        }
        if series.each:
            done = [run_fit(place, **options) for place in places]
            print_each(console, done)
        elif series.seeds is not None and series.shots is None:
            done = run_seeds(places, series.seeds, **options)
            print_seeds(console, done)
        else:
            few = None
            if series.shots is not None:
                few = FewShotSettings(_numbers(series.shots), series.seeds or 3)
            store = open_store(*places)
            if field.by or field.pool or field.leave_out:  # before the work
                require_columns(store, [field.by, field.pool, field.leave_out])
            done = [run_fit(store, shots=few, **options)]
            _print_fit(console, done[0], field)
        print_logged(console, done, log)


def _check_together(series: SeriesOptions, scoring: ScoringOptions, field: FitFieldOptions) -> None:
    """Raise InputError where options exclude each other."""
    if series.each and (scoring.run is not None or series.seeds is not None):
        raise InputError("--each names its runs itself, and takes one seed")
    if series.each and (field.asked or series.shots):
        raise InputError("--by, --pool, --taxonomy, --leave-out and --shots take one run")
    if series.seeds is not None and series.shots is None and field.asked:
        raise InputError("--by, --pool, --taxonomy and --leave-out take one seed each time")


def _print_fit(console: Console, run: Run, field: FieldOptions) -> None:
    """Print a run, with the scores of the field that were asked for."""
    from fishembed.experiments.field_questions import ask_run
    from fishembed.reports import write_learning_curve

    write_learning_curve(run)
    print_selection(console, run)
    print_learning_curve(console, run)
    print_run(console, run, ask_run(run, **vars(field)) if field.asked else None)


def _numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(word) for word in text.split(","))
    except ValueError:
        raise InputError(
            f"--shots {text!r}: give numbers with commas, such as 1,2,4,8,16"
        ) from None
