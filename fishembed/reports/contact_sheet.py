"""Predictions as a page of photos by class, the doubtful ones first, to be answered."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from fishembed._base.text import counted
from fishembed.experiments import Run
from fishembed.experiments.predicting.predicted_images import (
    UNDECIDED,
    UNKNOWN,
    Prediction,
    Predictions,
    doubt,
    is_higher_taxon,
    look_at_it,
    species,
    sureness,
)
from fishembed.images import ImageFiles
from fishembed.reports.label_sheet import (
    LabelSheet,
    SheetImage,
    SheetSection,
    images_at_hand,
    write_label_sheet,
)
from fishembed.reports.page_template import Tile


def write_contact_sheet(
    predictions: Predictions, run: str | Path | Run, output: Path, *, photos: str | None = None
) -> Path:
    """Write predictions as a contact sheet: by class, doubtful ones first, counts on top.

    Parameters
    ----------
    predictions, run
        What `predict_run` returned, and the run that made it.
    output
        The page; it is returned.
    photos
        Folder that paths start from; this folder when None, or the run's own where they are of
        its store.
    """
    run = run if isinstance(run, Run) else Run.open(run)
    by_class: dict[str, list[Prediction]] = defaultdict(list)
    for one in predictions.predictions:
        by_class[_section(one)].append(one)
    names = sorted(by_class, key=lambda name: (name != UNKNOWN, -len(by_class[name]), name))
    sections = [
        SheetSection(name, [_image(one) for one in sorted(by_class[name], key=doubt)[::-1]])
        for name in names
    ]
    n = len(predictions.predictions)
    doubtful = sum(bool(look_at_it(one)) for one in predictions.predictions)
    higher = {_section(one) for one in predictions.predictions if is_higher_taxon(one)}
    found = counted(len(by_class.keys() - higher - {UNKNOWN}), "species", "species")
    taxa = f" and {counted(len(higher), 'higher taxon', 'higher taxa')}" if higher else ""
    tiles = [
        Tile("Photos", f"{n:,}"),
        Tile("Look at", f"{doubtful:,}", "less than 80% sure, or close to the second guess"),
        Tile("None of these", f"{len(by_class.get(UNKNOWN, ())):,}", "or undecided between two"),
        Tile("Not read", f"{len(predictions.skipped):,}"),
    ]
    sheet = LabelSheet(
        f"{run.name}: predictions",
        run.classes,
        sections,
        eyebrow=f"predictions of {run.name}",
        headline=f"{counted(n, 'photo')} of {found}{taxa}; look at {doubtful:,} of them.",
        about="By species, the doubtful ones first. The number is how sure the classifier is.",
        tiles=tiles,
        counts=[(name, len(by_class[name]), at) for at, name in enumerate(names)],
        problems=predictions.skipped,
    )
    output.parent.mkdir(parents=True, exist_ok=True)
    write_label_sheet(output, sheet, _images(predictions, run, photos))
    return output


def _section(one: Prediction) -> str:
    """Return what an image stands under: undecided ones under what they are most like."""
    name = species(one)
    return one.classes[0] if name == UNDECIDED else name


def _image(one: Prediction) -> SheetImage:
    if one.unknown:
        return SheetImage(one.path, guesses=one.classes, lines=(one.reason,))
    sure = f"{100 * sureness(one):.0f}% sure"
    if is_higher_taxon(one):
        second = f"look: most like {one.classes[0]}"
    else:
        second = f"look: or {one.classes[1]}" if len(one.classes) > 1 else "look"
    lines = (sure, second) if look_at_it(one) else (sure,)
    return SheetImage(one.path, guesses=(_section(one), *one.classes), lines=lines)


def _images(predictions: Predictions, run: Run, photos: str | None) -> ImageFiles | None:
    if photos is not None:
        return images_at_hand(photos)
    first = predictions.predictions[0].path if predictions.predictions else ""
    if Path(first).is_file():
        return images_at_hand(Path.cwd())
    return images_at_hand((run.info.get("store") or {}).get("source_root"))
