"""fishembed fit."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from fishembed._base.default_dirs import reports_dir
from fishembed.cli.console import Console, command_line
from fishembed.cli.places import chosen_stores
from fishembed.cli.told import tell_curve, tell_run, tell_selection
from fishembed.errors import InputError


def fit(
    stores: Annotated[
        list[Path] | None,
        typer.Argument(
            help="The store, or several of the same pictures: their vectors side by side, each "
            "scaled to length 1.",
            show_default="the newest in ./cache",
        ),
    ] = None,
    head: Annotated[
        str,
        typer.Option(
            help="auto compares heads and takes the best for rare classes. One of them: logistic, "
            "prior-corrected, gaussian, text-anchored, blend, centroid, knn; linear is a torch "
            "layer trained by epochs, the paper's.",
        ),
    ] = "auto",
    features: Annotated[
        Literal["image", "trunk"],
        typer.Option(help="trunk: the vectors before the projection, see 'extract --trunk'."),
    ] = "image",
    select_on: Annotated[
        Literal["macro_recall", "accuracy", "macro_f1", "log_loss"] | None,
        typer.Option(help="auto, blend: the score that decides.", show_default="macro_recall"),
    ] = None,
    validate: Annotated[
        Literal["cv", "val"],
        typer.Option(
            help="auto: compare by cross-validation on the training rows, groups kept together, or "
            "on the val split."
        ),
    ] = "cv",
    C: Annotated[
        float | None,
        typer.Option(
            "--C", help="logistic, prior-corrected, blend: inverse strength of the penalty."
        ),
    ] = None,
    class_weight: Annotated[
        Literal["balanced"] | None,
        typer.Option(help="logistic: weigh every class the same.", show_default="none"),
    ] = None,
    tau: Annotated[
        float | None,
        typer.Option(help="prior-corrected: share of the log class prior that is taken back."),
    ] = None,
    shrinkage: Annotated[
        float | None,
        typer.Option(
            min=0, max=1, help="gaussian, text-anchored: weight of the sphere in the covariance."
        ),
    ] = None,
    pseudo_count: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="gaussian, text-anchored: images that a class's words, or the mean of all "
            "classes, count for.",
        ),
    ] = None,
    neighbors: Annotated[int | None, typer.Option(min=1, help="knn: neighbours that vote.")] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="linear: passes over the data.")] = None,
    batch_size: Annotated[int | None, typer.Option(min=1, help="linear: rows in a step.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="linear: Adam's step.")] = None,
    loss: Annotated[
        Literal["cross_entropy", "balanced_softmax"] | None,
        typer.Option(help="linear: balanced_softmax lets every class count the same."),
    ] = None,
    schedule: Annotated[
        Literal["constant", "cosine"] | None, typer.Option(help="linear: of the learning rate.")
    ] = None,
    patience: Annotated[
        int | None,
        typer.Option(min=1, help="linear: stop after so many epochs without a better val recall."),
    ] = None,
    normalize: Annotated[
        str | None, typer.Option(help="Scale of the vectors a head sees: l2 or none.")
    ] = None,
    sweep: Annotated[
        bool,
        typer.Option(
            "--sweep", help="The head sweep: logistic, its C chosen from 96 as in CLIP's protocol."
        ),
    ] = False,
    shots: Annotated[
        str | None,
        typer.Option(help="Also learn from 1,2,4,8,16 images of each class: a learning curve."),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="--shots: how often images are drawn.")] = 3,
    split: Annotated[
        str | None,
        typer.Option(
            help="Rows to score: train, val, test or all.",
            show_default="test where there is one, else val, else a hold-out",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the hold-out, the head and the bootstrap.")] = 0,
    run: Annotated[
        str | None, typer.Option(help="Name of the run.", show_default="<store>-<head>")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Fit a head on the cached vectors and score it.

    Bare, it compares heads by cross-validation on the training rows and takes the one that does
    best by the rare classes, too. Test rows are never looked at before the head is there.

    Examples: **fishembed fit**, **fishembed fit --head linear --epochs 7**
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
    with Console(as_json=as_json) as console:
        places = chosen_stores(stores, console)
        from fishembed.reports import run_fit
        from fishembed.reports.shots import Protocol

        done = run_fit(
            places,
            head="sweep" if sweep else head,
            features=features,
            parameters={key: value for key, value in given.items() if value is not None},
            validate=validate,
            shots=None if shots is None else Protocol(_numbers(shots), seeds),
            split=split,
            seed=seed,
            run=run,
            reports=reports_dir(),
            command=command_line(),
            say=console.message,
        )
        tell_selection(console, done)
        tell_curve(console, done)
        tell_run(console, done)


def _numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(word) for word in text.split(","))
    except ValueError:
        raise InputError(
            f"--shots {text!r}: give numbers with commas, such as 1,2,4,8,16"
        ) from None
