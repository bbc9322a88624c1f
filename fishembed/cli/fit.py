"""fishembed fit."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from fishembed.cli.console import Console, command_line
from fishembed.cli.places import chosen_stores, reports_folder
from fishembed.cli.told import tell_run


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
            help="logistic (scikit-learn's logistic regression) or linear (a torch layer trained "
            "by epochs)."
        ),
    ] = "logistic",
    features: Annotated[
        Literal["image", "trunk"],
        typer.Option(help="trunk: the vectors before the projection, see 'extract --trunk'."),
    ] = "image",
    epochs: Annotated[int | None, typer.Option(min=1, help="linear: passes over the data.")] = None,
    batch_size: Annotated[int | None, typer.Option(min=1, help="linear: rows in a step.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="linear: Adam's step.")] = None,
    C: Annotated[
        float | None, typer.Option("--C", help="logistic: inverse strength of the penalty.")
    ] = None,
    normalize: Annotated[
        str | None, typer.Option(help="Scale of the vectors a head sees: l2 or none.")
    ] = None,
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

    Example: **fishembed fit --head linear --epochs 7**
    """
    given = {
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "C": C,
        "normalize": normalize,
    }
    with Console(as_json=as_json) as console:
        places = chosen_stores(stores, console)
        from fishembed.reports import run_fit

        done = run_fit(
            places,
            head=head,
            features=features,
            parameters={key: value for key, value in given.items() if value is not None},
            split=split,
            seed=seed,
            run=run,
            reports=reports_folder(),
            command=command_line(),
            say=console.note,
        )
        tell_run(console, done)
