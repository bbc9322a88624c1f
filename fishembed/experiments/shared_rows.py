"""The images that several runs were scored on, and their predicted classes by each run."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from fishembed._base.text import counted, listed, printable
from fishembed.errors import InputError
from fishembed.experiments.runs.run_folder import Run
from fishembed.images.datasets.boxes import parse_box_path

ImageKey = tuple[str, int]
"""Path, and which of the images of that path."""

_NAMED = 4


class ScoredRow(NamedTuple):
    """Prediction of one image by one run: classes by name, "" where it names none."""

    true: str
    predicted: str
    group: str
    weights: Mapping[str, float]
    """Probabilities of the most probable classes; 1 for `predicted` where the run names none."""


Rows = Mapping[ImageKey, ScoredRow]


@dataclass(frozen=True)
class SharedRows:
    """The images that all runs were scored on, in the order of the first run."""

    keys: tuple[ImageKey, ...]
    labels: tuple[str, ...]  # names of their classes
    groups: tuple[str, ...]  # "" for none
    predicted: tuple[tuple[str, ...], ...]  # for each run the class of each image
    scored: tuple[int, ...]  # images, or rows of boxes merged, that each run was scored on
    notes: tuple[str, ...]  # on images left out, and on those predicted from their boxes


def shared_rows(runs: Sequence[Run]) -> SharedRows:
    """Find the labelled images that all runs were scored on.

    Where some runs were scored on boxes and others on whole images, boxes are merged by image.

    Raises
    ------
    InputError
        When a run has no labelled image, the runs share none, or they disagree on a label.
    """
    rows: list[Rows] = [_labelled_rows(run) for run in runs]
    boxed = [any(parse_box_path(path) for path, _ in own) for own in rows]
    whole = [any(not parse_box_path(path) for path, _ in own) for own in rows]
    notes: list[str] = []
    if any(boxed) and not all(boxed) and any(whole):
        rows, note = _merged_by_image(runs, rows, boxed)
        notes.append(note)
    first = rows[0]
    keys = [key for key in first if all(key in own for own in rows[1:])]
    if not keys:
        raise InputError(_nothing_shared(runs, rows))
    for run, own in zip(runs[1:], rows[1:], strict=True):
        _check_labels(runs[0], first, run, own, keys)
    if any(len(own) > len(keys) for own in rows):
        notes.insert(0, _what_is_shared(runs, rows, len(keys)))
    grouped = next((own for own in rows if any(own[key].group for key in keys)), first)
    return SharedRows(
        keys=tuple(keys),
        labels=tuple(first[key].true for key in keys),
        groups=tuple(grouped[key].group for key in keys),
        predicted=tuple(tuple(own[key].predicted for key in keys) for own in rows),
        scored=tuple(map(len, rows)),
        notes=tuple(notes),
    )


def _labelled_rows(run: Run) -> Rows:
    """Return the labelled images by path, and by number where a path occurs again."""
    seen: Counter[str] = Counter()
    rows: dict[ImageKey, ScoredRow] = {}
    images = run.result.images
    names = (*images.class_names, "")  # -1, for none, is the last
    columns = (images.true, images.predicted, images.top, images.top_probabilities)
    for path, group, true, called, top, p in zip(
        images.paths, images.group_names, *(column.tolist() for column in columns), strict=True
    ):
        if true >= 0:
            likely = {names[c]: x for c, x in zip(top, p, strict=True) if c >= 0 and x >= 0}
            weights = likely or {names[called]: 1.0}
            rows[path, seen[path]] = ScoredRow(names[true], names[called], group, weights)
        seen[path] += 1
    if not rows:
        raise InputError(f"run {printable(run.name)!r} has no labelled images to compare on")
    return rows


def _merged_by_image(
    runs: Sequence[Run], rows: Sequence[Rows], boxed: Sequence[bool]
) -> tuple[list[Rows], str]:
    """Merge rows of boxes into rows of whole images; return them and a note."""
    mixed: set[str] = set()
    pairs = zip(rows, boxed, strict=True)
    made = [_merged_boxes(own, mixed) if boxes else own for own, boxes in pairs]
    names = [printable(run.name) for run, boxes in zip(runs, boxed, strict=True) if boxes]
    note = (
        f"{listed(names)} identified boxes, the others whole photos: compared photo by photo; a "
        "photo is what its boxes, their probabilities added, are most likely to show."
    )
    if mixed:
        note += f" {counted(len(mixed), 'photo')} with boxes of several classes left out."
    return [{key: row for key, row in own.items() if key[0] not in mixed} for own in made], note


def _merged_boxes(rows: Rows, mixed: set[str]) -> Rows:
    """Return one row for each image; images with boxes of several classes go to `mixed`."""
    boxes: dict[str, list[ScoredRow]] = defaultdict(list)
    whole: dict[ImageKey, ScoredRow] = {}
    for key, row in rows.items():
        if part := parse_box_path(key[0]):
            boxes[part[0]].append(row)
        else:
            whole[key] = row
    made = {key: row for key, row in whole.items() if key[0] not in boxes}
    for image, parts in boxes.items():
        if len({row.true for row in parts}) > 1:
            mixed.add(image)
            continue
        total: Counter[str] = Counter()
        for row in parts:
            total.update(row.weights)
        made[image, 0] = parts[0]._replace(predicted=max(total, key=total.__getitem__))
    return made


def _what_is_shared(runs: Sequence[Run], rows: Sequence[Rows], n: int) -> str:
    sizes = [f"{printable(run.name)} on {len(own):,}" for run, own in zip(runs, rows, strict=True)]
    if len(sizes) > _NAMED:
        sizes = [*sizes[:_NAMED], f"{len(sizes) - _NAMED} more"]
    return (
        f"The runs were scored on different images ({', '.join(sizes)}): all are compared on the "
        f"{n:,} that they share."
    )


def _nothing_shared(runs: Sequence[Run], rows: Sequence[Rows]) -> str:
    shown = "; ".join(
        f"{printable(run.name)!r} {counted(len(own), 'image')}, such as "
        f"{printable(next(iter(own))[0])!r}"
        for run, own in zip(runs[:_NAMED], rows, strict=False)
    )
    return f"these runs were scored on no image in common ({shown}): compare runs of one data set"


def _check_labels(
    first: Run, known: Rows, other: Run, rows: Rows, keys: Sequence[ImageKey]
) -> None:
    for key in keys:
        one, two = known[key].true, rows[key].true
        if one != two:
            names = printable(first.name), printable(other.name)
            raise InputError(
                f"{printable(key[0])!r} is {printable(one)!r} in {names[0]!r} but "
                f"{printable(two)!r} in {names[1]!r}; score both runs again"
            )
