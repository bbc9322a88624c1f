"""The verb `demo`: all steps on drawn fish."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fishembed._base.paths import cache_dir, data_dir, reports_dir
from fishembed.cli.program.console import Console
from fishembed.cli.program.options import DeviceOption, JsonOption

if TYPE_CHECKING:
    from fishembed.demo.demo_run import DemoRun


def demo(
    images_only: Annotated[
        Path | None,
        typer.Option(
            help="Only draw the images, into this folder; fit nothing.", show_default=False
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the drawings and of the classifiers.")] = 0,
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Run every step on drawn fish, with no network: zero-shot, two classifiers, a page for each.

    Examples
    --------
    fishembed demo
    fishembed demo --images-only fish
    """
    with Console(
        as_json=as_json, interrupted="what is finished is kept; the same command goes on"
    ) as console:
        if images_only is not None:
            from fishembed.demo import draw_dataset

            folder = draw_dataset(
                images_only,
                seed=seed,
                progress=lambda done, total: console.update(done, total, "drawing"),
            )
            console.message(f"drew {folder}: 'fishembed extract {folder}' encodes it")
            console.document({"pictures": str(folder)})
            return
        from fishembed.demo.demo_run import run_demo

        result = run_demo(
            Path(data_dir()) / "demo",
            Path(str(cache_dir())),
            reports_dir(),
            seed=seed,
            device=device,
            progress=console,
        )
        _print_result(console, result)


def _print_result(console: Console, result: DemoRun) -> None:
    rows = []
    for method, run in result.runs.items():
        scores = run.metrics
        zero = f"{len(scores['zero_recall_classes'])} of {scores['n_classes']}"
        shares = (f"{scores['accuracy']:.1%}", f"{scores['macro_recall']:.1%}")
        rows.append([method, *shares, zero])
    console.message("")
    console.table(["", "accuracy", "macro recall", "classes at zero"], rows)
    console.message(f"\n{result.seconds:.0f} s. Look at {result.comparison}")
    console.document(
        {
            "pictures": str(result.images),
            "store": str(result.store),
            "comparison": str(result.comparison),
            "seconds": round(result.seconds, 2),
            "methods": [
                {
                    "method": method,
                    "run": str(run.folder),
                    "page": str(run.folder / "index.html"),
                    **run.metrics,
                }
                for method, run in result.runs.items()
            ],
        }
    )
