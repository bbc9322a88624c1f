"""The verb `demo`: all steps on drawn fish."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fishembed._base.default_dirs import cache_dir, data_dir, reports_dir
from fishembed.cli.console import Console
from fishembed.cli.options import DeviceOption, JsonOption

if TYPE_CHECKING:
    from fishembed.demo.story import Story


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

    Example: **fishembed demo**
    """
    with Console(as_json=as_json) as console:
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
        from fishembed.demo.story import tell_story

        story = tell_story(
            Path(data_dir()) / "demo",
            Path(str(cache_dir())),
            reports_dir(),
            seed=seed,
            device=device,
            reporter=console,
        )
        _tell(console, story)


def _tell(console: Console, story: Story) -> None:
    console.message(f"\n{'':<34}accuracy  macro recall  classes at zero")
    for chapter in story.chapters:
        scores = chapter.run.metrics
        console.message(
            f"{chapter.title:<34}{scores['accuracy']:>8.1%}{scores['macro_recall']:>14.1%}"
            f"{len(scores['zero_recall_classes']):>11} of {scores['n_classes']}"
        )
    console.message(f"\n{story.seconds:.0f} s. Look at {story.comparison}")
    console.document(
        {
            "pictures": str(story.pictures),
            "store": str(story.store),
            "comparison": str(story.comparison),
            "seconds": round(story.seconds, 2),
            "methods": [
                {
                    "method": chapter.title,
                    "run": str(chapter.run.folder),
                    "page": str(chapter.page),
                    **chapter.run.metrics,
                }
                for chapter in story.chapters
            ],
        }
    )
