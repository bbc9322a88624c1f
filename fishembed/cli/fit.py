"""The verb `fit`: train and score a classifier."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from fishembed._base.paths import reports_dir
from fishembed.cli.program.console import NOTHING_WRITTEN, Console
from fishembed.cli.program.lean_imports import import_sklearn
from fishembed.cli.program.options import (
    FIELD,
    ByOption,
    JsonOption,
    LogOption,
    PoolOption,
    TaxonomyOption,
    head_names,
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


def fit(
    stores: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Feature store: its path, or its name in ./cache. Several stores of the same "
            "images: their features are joined side by side, each scaled to length 1.",
            show_default="newest in ./cache",
            autocompletion=store_names,
        ),
    ] = None,
    head: Annotated[
        str,
        typer.Option(
            autocompletion=head_names,
            metavar="NAME",
            help="Classifier. auto: cross-validate several and weigh them. logistic: logistic "
            "regression. sweep: logistic, C chosen from 96 values as in CLIP's paper. "
            "prior-corrected: logistic with logit adjustment for rare classes. angular: the same "
            "on whitened features of length 1. gaussian: linear discriminant analysis. "
            "text-anchored: gaussian, class means shrunk towards text features. "
            "text-logistic: logistic, weights shrunk towards those of zero-shot. blend: logistic "
            "mixed with zero-shot. centroid: nearest class mean. knn: nearest neighbours. linear: "
            "a torch layer trained by Adam, the paper's.",
        ),
    ] = "auto",
    features: Annotated[
        Literal["image", "trunk"],
        typer.Option(
            help="image: features of the joint image-text space. trunk: those before the "
            "projection, kept by 'fishembed extract --trunk'."
        ),
    ] = "image",
    select_on: Annotated[
        Literal["macro_recall", "accuracy", "macro_f1", "log_loss"] | None,
        typer.Option(
            rich_help_panel=_CHOICE,
            help="auto, sweep, blend: what candidates are compared or weighed for.",
            show_default="macro_recall; sweep: accuracy",
        ),
    ] = None,
    validate: Annotated[
        Literal["cv", "val"],
        typer.Option(
            rich_help_panel=_CHOICE,
            help="auto, sweep: compare candidates by cross-validation on the training rows (cv; "
            "groups kept together) or on the val split (val).",
        ),
    ] = "cv",
    C: Annotated[
        float | None,
        typer.Option(
            "--C",
            rich_help_panel=_LOGISTIC,
            help="logistic, prior-corrected, angular, text-logistic, blend: inverse of the "
            "regularization strength.",
            show_default="100; angular: 30",
        ),
    ] = None,
    class_weight: Annotated[
        Literal["balanced"] | None,
        typer.Option(
            rich_help_panel=_LOGISTIC,
            help="logistic, text-logistic: balanced weighs rows inversely to the size of their "
            "class.",
            show_default="none",
        ),
    ] = None,
    tau: Annotated[
        float | None,
        typer.Option(
            rich_help_panel=_LOGISTIC,
            help="prior-corrected, angular: strength of the logit adjustment; tau times the log "
            "frequency of each class is subtracted from its logit.",
            show_default="1",
        ),
    ] = None,
    shrinkage: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            rich_help_panel=_GAUSSIAN,
            help="angular, gaussian, text-anchored: shrinkage of the covariance towards a "
            "multiple of the identity, from 0 (none) to 1 (full).",
            show_default="0.5",
        ),
    ] = None,
    pseudo_count: Annotated[
        float | None,
        typer.Option(
            min=0,
            rich_help_panel=_GAUSSIAN,
            help="gaussian, text-anchored: shrinkage of class means towards the mean of all "
            "classes, or towards the text features, as a number of images.",
            show_default="1; text-anchored: 4",
        ),
    ] = None,
    neighbors: Annotated[
        int | None,
        typer.Option(
            min=1, rich_help_panel=_KNN, help="knn: number of neighbours.", show_default="5"
        ),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(
            min=1,
            rich_help_panel=_LINEAR,
            help="linear: passes over the training rows.",
            show_default="7",
        ),
    ] = None,
    batch_size: Annotated[
        int | None,
        typer.Option(
            min=1, rich_help_panel=_LINEAR, help="linear: rows of a minibatch.", show_default="64"
        ),
    ] = None,
    learning_rate: Annotated[
        float | None,
        typer.Option(
            rich_help_panel=_LINEAR, help="linear: learning rate of Adam.", show_default="0.001"
        ),
    ] = None,
    loss: Annotated[
        Literal["cross_entropy", "balanced_softmax"] | None,
        typer.Option(
            rich_help_panel=_LINEAR,
            help="linear: balanced_softmax corrects for class frequencies while training.",
            show_default="cross_entropy",
        ),
    ] = None,
    schedule: Annotated[
        Literal["constant", "cosine"] | None,
        typer.Option(
            rich_help_panel=_LINEAR,
            help="linear: learning rate over the epochs; cosine lets it fall to 0.",
            show_default="constant",
        ),
    ] = None,
    patience: Annotated[
        int | None,
        typer.Option(
            min=1,
            rich_help_panel=_LINEAR,
            help="linear: stop after this many epochs without a better macro recall on val.",
            show_default="train all epochs",
        ),
    ] = None,
    normalize: Annotated[
        str | None,
        typer.Option(
            help="l2: scale each embedding to length 1; none: use it as the encoder gave it.",
            show_default="l2; linear: none",
        ),
    ] = None,
    each: Annotated[
        bool,
        typer.Option(
            "--each", help="Several stores: a run for each, such as one for each encoder."
        ),
    ] = False,
    sweep: Annotated[
        bool, typer.Option("--sweep", rich_help_panel=_CHOICE, help="Short for --head sweep.")
    ] = False,
    shots: Annotated[
        str | None,
        typer.Option(
            rich_help_panel=_CURVE,
            help="Also fit on a few images per class, such as 1,2,4,8,16: a learning curve.",
            show_default="none",
        ),
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Fit once for each of so many seeds, as a series of runs that 'fishembed compare' "
            "takes as one. With --shots: number of random draws for each point.",
            show_default="one seed; --shots: 3",
        ),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(
            help="Split whose rows are scored: train, val, test or all.",
            show_default="test if the store has one, else val, else a random hold-out",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the hold-out and of training.")] = 0,
    run: Annotated[
        str | None,
        typer.Option(help="Name of the new run in ./reports.", show_default="<store>-<head>"),
    ] = None,
    by: ByOption = None,
    pool: PoolOption = None,
    taxonomy: TaxonomyOption = None,
    leave_out: Annotated[
        str | None,
        typer.Option(
            rich_help_panel=FIELD,
            help="Also fit without each value of a column, such as site, and score it there.",
            show_default="none",
        ),
    ] = None,
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
    given = {
        "select_on": select_on,
        "class_weight": class_weight,
        "tau": tau,
        "shrinkage": shrinkage,
        "pseudo_count": pseudo_count,
        "n_neighbors": neighbors,
        "loss": loss,
        "schedule": schedule,
        "patience": patience,
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "C": C,
        "normalize": normalize,
    }
    field = {"by": by, "pool": pool, "taxonomy": taxonomy, "leave_out": leave_out}
    options: dict[str, Any] = {
        "head": "sweep" if sweep else head,
        "features": features,
        "parameters": {key: value for key, value in given.items() if value is not None},
        "validate": validate,
        "split": split,
        "seed": seed,
        "run": run,
        "reports": reports_dir(),
        "command": command_line(),
    }
    if each and (run is not None or seeds is not None):
        raise InputError("--each names its runs itself, and takes one seed")
    if each and (any(field.values()) or shots):
        raise InputError("--by, --pool, --taxonomy, --leave-out and --shots take one run")
    if seeds is not None and shots is None and any(field.values()):
        raise InputError("--by, --pool, --taxonomy and --leave-out take one seed each time")
    with Console(as_json=as_json, working="fitting", interrupted=NOTHING_WRITTEN) as console:
        places = resolve_stores(stores, console)
        import_sklearn()
        from fishembed.cache import open_store
        from fishembed.cache.store_columns import require_columns
        from fishembed.experiments import FewShotSettings, run_fit, run_seeds
        from fishembed.experiments.runs.tracking import require_tracker

        require_tracker(log)
        options["progress"] = console
        if each:
            done = [run_fit(place, **options) for place in places]
            print_each(console, done)
        elif seeds is not None and shots is None:
            done = run_seeds(places, seeds, **options)
            print_seeds(console, done)
        else:
            few = None if shots is None else FewShotSettings(_numbers(shots), seeds or 3)
            store = open_store(*places)
            if by or pool or leave_out:  # before the work
                require_columns(store, [by, pool, leave_out])
            done = [run_fit(store, shots=few, **options)]
            _print_fit(console, done[0], field)
        print_logged(console, done, log)


def _print_fit(console: Console, run: Run, field: dict[str, Any]) -> None:
    """Print a run, with the answers to the questions of the field that were asked."""
    from fishembed.experiments.field_questions import ask_run
    from fishembed.reports import write_learning_curve

    write_learning_curve(run)
    print_selection(console, run)
    print_learning_curve(console, run)
    print_run(console, run, ask_run(run, **field) if any(field.values()) else None)


def _numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(word) for word in text.split(","))
    except ValueError:
        raise InputError(
            f"--shots {text!r}: give numbers with commas, such as 1,2,4,8,16"
        ) from None
