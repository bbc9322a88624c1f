"""Choose the images of a report's page, read each once, and number them for labelling."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fishembed._base.arrays import Indices
from fishembed._base.paths import is_url
from fishembed._base.text import counted, printable
from fishembed.errors import FishembedError
from fishembed.evaluation.confusion_counts import ConfusedPair, confused_pairs
from fishembed.experiments.runs.run_folder import Run
from fishembed.experiments.runs.run_result import RunResult, ScoredImages
from fishembed.images import ImageFiles
from fishembed.reports.embedding_map import map_rows
from fishembed.reports.label_sheet import LabelSheet, SheetImage, SheetSection, sheet_data
from fishembed.reports.run_sentences import mixup_reason
from fishembed.reports.thumbnails import Sprite, Thumbnail, make_sprite, original_place, thumbnails
from fishembed.reports.wording import percent, rounded

WORST = 3
"""Mistakes on the first screen."""

_PAIRS = 12
_PAIRS_WITH_IMAGES = 8
_MIXED_UP, _BESIDE = 3, 1
_MORE_MISTAKES = 12
_OF_ONE_PAIR = 2
_IN_CELLS = 300
_OF_ONE_CELL, _OF_ONE_CLASS = 12, 4
_STRIPS = "true_right", "mixed_up", "called_right"
_MOST_CHARACTERS = 1_500_000
"""Most characters of large thumbnails in a page; the last ones are left out beyond."""

Rows = list[int]


@dataclass(frozen=True)
class GalleryImage:
    """One scored image: its path, true class, predicted class and confidence.

    `answer` is its number among the images to label in the page; None where there are none.
    """

    path: str
    true: str
    called: str
    confidence: float
    right: bool
    thumbnail: Thumbnail | None
    answer: int | None = None

    @property
    def shown_path(self) -> str:
        """The path without characters that cannot be printed."""
        return printable(self.path)

    @property
    def original(self) -> str:
        """Address of the file itself for the page; "" without one."""
        return self.thumbnail.original if self.thumbnail else ""

    @property
    def words(self) -> str:
        """Description of the image for screen readers."""
        return f"{self.true}, identified {'right' if self.right else f'as {self.called}'}"

    @property
    def sure(self) -> str:
        """The confidence as text; "" where the run has none."""
        return "" if math.isnan(self.confidence) else f" ({rounded(self.confidence)}% sure)"


@dataclass(frozen=True)
class RunImages:
    """The images of a report.

    `worst` and `more` are the mistakes the head was surest of, those of the first screen and
    others; without a mistake the predictions it was least sure of. `pairs` are the largest mix-ups
    with their images, as values for the template, `small` the images of the matrix's `cells` (rows)
    and of the map. `sheet` is the data for `answer.js`, `number` an image's number there by its
    row, `missing` a sentence on images that could not be read.
    """

    worst: list[GalleryImage]
    more: list[GalleryImage]
    pairs: list[dict[str, Any]]
    small: Sprite | None
    sheet: dict[str, Any]
    number: Mapping[int, int]
    cells: Rows
    missing: str


def read_run_images(run: Run, photos: str | Path | None, *, fetch: bool = False) -> RunImages:
    """Choose the images of a run's page and read them; see `write_report` for the parameters."""
    result, paths = run.result, run.result.images.paths
    mistakes, mixed = surest_mistakes(result) or least_sure(result), mix_ups(result)
    on_map = map_rows(result.images).tolist()
    cells = cell_rows(result, on_map)
    large = [*mistakes[:WORST], *(row for one in mixed for row in one.rows), *mistakes[WORST:]]
    files = find_run_images(run, photos, fetch=fetch)
    wanted = [paths[row] for row in large]
    thumbs, missing = read_thumbnails(files, wanted, fetch=fetch, home=run.folder)
    sprite, others = None, []
    if isinstance(files, ImageFiles) and not is_url(str(files)):
        others = list(dict.fromkeys([*cells, *on_map]))
        sprite = make_sprite(files, list(dict.fromkeys(paths[row] for row in others)))
    number = {row: i for i, row in enumerate(dict.fromkeys([*large, *others]))}

    def gallery(rows: Rows) -> list[GalleryImage]:
        return [_gallery_image(result, row, thumbs, number[row]) for row in rows]

    return RunImages(
        worst=gallery(mistakes[:WORST]),
        more=gallery(mistakes[WORST:]),
        pairs=[_pair_view(result, one, gallery) for one in mixed],
        small=sprite,
        sheet=_sheet_data(run, number, files, thumbs),
        number=number,
        cells=cells if sprite else [],
        missing=missing,
    )


def _gallery_image(
    result: RunResult, row: int, thumbs: Mapping[str, Thumbnail], number: int
) -> GalleryImage:
    images, names = result.images, result.classes.names
    return GalleryImage(
        path=images.paths[row],
        true=names[images.true[row]],
        called=names[images.predicted[row]],
        confidence=float(images.confidence[row]),
        right=bool(images.true[row] == images.predicted[row]),
        thumbnail=thumbs.get(images.paths[row]),
        answer=number,
    )


def _pair_view(
    result: RunResult, one: MixUp, gallery: Callable[[Rows], list[GalleryImage]]
) -> dict[str, Any]:
    pair = one.pair
    strips = {name: gallery(getattr(one, name)) for name in _STRIPS}
    return {
        "true": result.classes.names[pair.true],
        "called": result.classes.names[pair.predicted],
        "count": pair.count,
        "total": pair.total,
        "share": pair.count / pair.total,
        "reason": mixup_reason(result.classes, pair),
        "with_photos": any(image.thumbnail for strip in strips.values() for image in strip),
        **strips,
    }


def _sheet_data(
    run: Run, number: Iterable[int], files: ImageFiles | str, thumbs: Mapping[str, Thumbnail]
) -> dict[str, Any]:
    images, names, home = run.result.images, run.result.classes.raw_names, run.folder.absolute()
    sheet_images, sources = [], {}
    for row in number:
        path, sure = images.paths[row], float(images.confidence[row])
        true, called = names[images.true[row]], names[images.predicted[row]]
        how = "" if math.isnan(sure) else f" ({percent(sure, 0)}% sure)"
        sheet_images.append(
            SheetImage(path, true, (called,), (f"identified as {printable(called)}{how}",))
        )
        if path in thumbs:
            sources[path] = {"file": thumbs[path].original}
        elif isinstance(files, ImageFiles):
            sources[path] = {"file": original_place(files.at(path), home)}
    sheet = LabelSheet(f"{run.name}: report", run.classes, [SheetSection("", sheet_images)])
    return sheet_data(sheet, sources)


def find_run_images(
    run: Run, photos: str | Path | None, *, fetch: bool = False
) -> ImageFiles | str:
    """Find a run's images; return a sentence with the reason where that is impossible."""
    known = photos or (run.info.get("store") or {}).get("source_root")
    hint = "give their folder with --photos"
    if not known:
        return f"There are no photos here: the store does not know its photos; {hint}."
    try:
        found = ImageFiles(known, fetch=fetch)
    except FishembedError as error:
        return f"There are no photos here: {printable(str(error))}."
    shown = printable(str(found))
    if found.wait_for_leave:
        return f"There are no photos here: they lie at {shown}; --fetch gets them."
    if not found.are_there():
        return f"There are no photos here: no folder of photos at {shown}; {hint}."
    return found


def read_thumbnails(
    files: ImageFiles | str, paths: Iterable[str], *, fetch: bool, home: Path | None
) -> tuple[dict[str, Thumbnail], str]:
    """Read thumbnails of a run's images, each file once, up to the size limit of a page.

    `files` is what `find_run_images` returned, with `fetch`; `home` is the folder of the page,
    which may show the files themselves large. Return the readable ones by their paths, and a
    sentence on the others.
    """
    if isinstance(files, str):
        return {}, files
    wanted = dict.fromkeys(paths)
    found = thumbnails(files, wanted, home=home and home.absolute())
    missing = ""
    if lost := len(wanted) - len(found):
        urls = 0 if fetch else sum(is_url(path) for path in wanted)
        also = f" {counted(urls, 'photo')} lie at URLs: --fetch gets them." if urls else ""
        missing = f"{counted(lost, 'photo')} could not be read in {printable(str(files))}.{also}"
    total = np.cumsum([len(one.uri) for one in found.values()])
    fit = zip(found.items(), total, strict=True)
    return {path: one for (path, one), end in fit if end <= _MOST_CHARACTERS}, missing


@dataclass(frozen=True)
class MixUp:
    """Two classes that are confused, and rows of their images, one of each group.

    They are of the true class and predicted right, predicted as the other class, and of the other
    class and predicted right.
    """

    pair: ConfusedPair
    true_right: Rows
    mixed_up: Rows
    called_right: Rows

    @property
    def rows(self) -> Rows:
        """All rows in the order of the page."""
        return [row for name in _STRIPS for row in getattr(self, name)]


def surest_mistakes(result: RunResult) -> Rows:
    """Choose the mistakes the head was surest of, those of other classes first.

    The first `WORST` are of different pairs of classes where there are so many; of one class for
    another at most two are chosen, and of each group one.
    """
    images = result.images
    n_of_pair: Counter[tuple[int, int]] = Counter()
    rounds: tuple[Rows, Rows] = ([], [])
    for row in surest(images, images.wrong):
        pair = int(images.true[row]), int(images.predicted[row])
        n_of_pair[pair] += 1
        if n_of_pair[pair] <= _OF_ONE_PAIR:
            rounds[n_of_pair[pair] - 1].append(row)
    first = rounds[0][:WORST]
    others = [*rounds[0][WORST:], *rounds[1]]
    sure = np.nan_to_num(images.confidence, nan=-1.0)
    others.sort(key=lambda row: -sure[row])
    return [*first, *others][: WORST + _MORE_MISTAKES]


def least_sure(result: RunResult) -> Rows:
    """Choose the least sure predictions, for the first screen of a run without mistakes."""
    images = result.images
    certain = images.labelled & images.right & np.isfinite(images.confidence)
    return surest(images, certain)[::-1][:WORST]


def mix_ups(result: RunResult) -> list[MixUp]:
    """Choose the mix-ups of a page, those of the largest share of their class first.

    Single images are left out where there are larger mix-ups.
    """
    pairs = confused_pairs(result.confusion)
    several = [pair for pair in pairs if pair.count > 1]
    shown = several if len(several) >= 3 else pairs
    shown = sorted(shown, key=lambda pair: (-pair.count / pair.total, -pair.count))[:_PAIRS]
    used: set[int] = set()
    return [
        _strips(result.images, pair, used) if i < _PAIRS_WITH_IMAGES else MixUp(pair, [], [], [])
        for i, pair in enumerate(shown)
    ]


def _strips(images: ScoredImages, pair: ConfusedPair, used: set[int]) -> MixUp:
    """Choose images of a mix-up; of those predicted right others than were `used` before."""
    is_true, is_other = images.true == pair.true, images.true == pair.predicted
    beside = []
    for of_class in (is_true, is_other):
        rows = surest(images, of_class & images.right)
        fresh = [row for row in rows if row not in used] or rows
        beside.append(fresh[:_BESIDE])
        used.update(fresh[:_BESIDE])
    mixed_up = surest(images, is_true & (images.predicted == pair.predicted))[:_MIXED_UP]
    return MixUp(pair, beside[0], mixed_up, beside[1])


def surest(images: ScoredImages, chosen: npt.NDArray[np.bool_]) -> Rows:
    """Order images by confidence, the highest first, one of each group."""
    rows = np.flatnonzero(chosen)
    rows = rows[np.argsort(-np.nan_to_num(images.confidence[rows], nan=-1.0), kind="stable")]
    return [int(row) for row in one_of_each_group(rows, images.groups)]


def one_of_each_group(rows: Indices, groups: npt.NDArray[np.int64] | None) -> Indices:
    """Return the first row of each group, in the order of the rows."""
    if groups is None:
        return rows
    return rows[np.sort(np.unique(groups[rows], return_index=True)[1])]


def cell_rows(result: RunResult, at_hand: Collection[int] = ()) -> Rows:
    """Choose images for the cells of the confusion matrix: one of each cell before any second.

    Large cells come first, mistakes before what is right; of each group one in a cell. Images
    that are `at_hand`, since the page shows them anyway, are chosen before others.
    """
    images, k = result.images, len(result.images.class_names)
    at = np.flatnonzero(images.labelled & (images.predicted >= 0))
    if not len(at):
        return []
    sure = np.nan_to_num(images.confidence[at], nan=-1.0)
    at = at[np.lexsort((-sure, ~np.isin(at, list(at_hand))))]
    cell = images.true[at] * k + images.predicted[at]
    if images.groups is not None:
        pairs = np.column_stack([cell, images.groups[at]])
        firsts = np.sort(np.unique(pairs, axis=0, return_index=True)[1])
        at, cell = at[firsts], cell[firsts]
    _, code, count = np.unique(cell, return_inverse=True, return_counts=True)
    order = np.argsort(code, kind="stable")
    starts = np.concatenate([[0], np.cumsum(count)[:-1]])
    place = np.empty(len(at), np.intp)
    place[order] = np.arange(len(at)) - starts[code[order]]
    right = images.right[at]
    wanted = np.flatnonzero(place < np.where(right, _OF_ONE_CLASS, _OF_ONE_CELL))
    first = wanted[np.lexsort((-count[code[wanted]], right[wanted], place[wanted]))]
    return [int(row) for row in at[first[:_IN_CELLS]]]
