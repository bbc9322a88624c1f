"""The images of a report's page, read once and numbered for those who answer them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fishembed._base.paths import is_url
from fishembed._base.text import counted, printable
from fishembed.errors import FishembedError
from fishembed.experiments.runs.run_folder import Run
from fishembed.experiments.runs.run_result import RunResult
from fishembed.images import ImageFiles
from fishembed.reports.embedding_map import map_rows
from fishembed.reports.label_sheet import (
    AnswerImage,
    AnswerSection,
    AnswerSheet,
    ImageSources,
    answering_data,
)
from fishembed.reports.page.image_choice import (
    WORST,
    MixUp,
    Rows,
    cell_rows,
    least_sure,
    mix_ups,
    surest_mistakes,
)
from fishembed.reports.run_sentences import mixup_reason
from fishembed.reports.thumbnails import Sprite, Thumbnail, make_sprite, original_place, thumbnails
from fishembed.reports.wording import percent, rounded

_MOST_CHARACTERS = 1_500_000
"""Of large thumbnails in a page; those that come last are left out beyond."""


@dataclass(frozen=True)
class GalleryImage:
    """One scored image: where it lies, what it is, what it was called, how sure the head was.

    `answer` is its number among the images that are answered in the page; None where they are not.
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
        """The path as it may be shown."""
        return printable(self.path)

    @property
    def original(self) -> str:
        """Where the page finds the file itself; "" where it does not."""
        return self.thumbnail.original if self.thumbnail else ""

    @property
    def words(self) -> str:
        """Description of the image for screen readers."""
        return f"{self.true}, identified {'right' if self.right else f'as {self.called}'}"

    @property
    def sure(self) -> str:
        """How sure the head was; "" where the run does not say."""
        return "" if math.isnan(self.confidence) else f" ({rounded(self.confidence)}% sure)"


@dataclass(frozen=True)
class RunPhotos:
    """The images of a report.

    Attributes
    ----------
    worst, more
        The mistakes the head was surest of: those of the first screen, and others. Without a
        mistake the answers it was least sure of.
    pairs
        The largest mix-ups with their images, as values for the template.
    small
        Small images of the matrix's cells and the map; None where there are none.
    answering
        What `answer.js` reads.
    number
        Row of the run's images to their number there.
    cells
        Rows of images for the cells of the matrix.
    missing
        A sentence on what is missing, "" for nothing.
    """

    worst: list[GalleryImage]
    more: list[GalleryImage]
    pairs: list[dict[str, Any]]
    small: Sprite | None
    answering: dict[str, Any]
    number: Mapping[int, int]
    cells: Rows
    missing: str


def run_photos(run: Run, photos: str | Path | None, *, fetch: bool = False) -> RunPhotos:
    """Choose the images of a run's page and read them.

    Parameters
    ----------
    run
        The run.
    photos
        Folder of the photos, or None for the one the store knows.
    fetch
        Whether images that lie at URLs are fetched.
    """
    result = run.result
    mistakes, mixed = surest_mistakes(result) or least_sure(result), mix_ups(result)
    on_map = map_rows(result.images).tolist()
    cells = cell_rows(result, on_map)
    large = [*mistakes[:WORST], *(row for one in mixed for row in one.rows), *mistakes[WORST:]]
    found = run_images(run, photos, fetch=fetch)
    paths = result.images.paths
    small: dict[str, Thumbnail] = {}
    missing, sprite = found if isinstance(found, str) else "", None
    others: Rows = []
    if isinstance(found, ImageFiles):
        wanted = [paths[row] for row in large]
        small, missing = _read(found, wanted, fetch=fetch, home=run.folder.absolute())
        if not is_url(str(found)):
            others = list(dict.fromkeys([*cells, *on_map]))
            sprite = make_sprite(found, list(dict.fromkeys(paths[row] for row in others)))
    number = {row: i for i, row in enumerate(dict.fromkeys([*large, *others]))}
    show = _Show(result, small, number)
    return RunPhotos(
        worst=show(mistakes[:WORST]),
        more=show(mistakes[WORST:]),
        pairs=[_pair_view(result, one, show) for one in mixed],
        small=sprite,
        answering=_answering(run, number, found, small),
        number=number,
        cells=cells if sprite else [],
        missing=missing,
    )


@dataclass(frozen=True)
class _Show:
    """Turns rows into images for the template."""

    result: RunResult
    small: Mapping[str, Thumbnail]
    number: Mapping[int, int]

    def __call__(self, rows: Rows) -> list[GalleryImage]:
        images, names = self.result.images, self.result.classes.names
        return [
            GalleryImage(
                path=images.paths[row],
                true=names[images.true[row]],
                called=names[images.predicted[row]],
                confidence=float(images.confidence[row]),
                right=bool(images.true[row] == images.predicted[row]),
                thumbnail=self.small.get(images.paths[row]),
                answer=self.number[row],
            )
            for row in rows
        ]


def _pair_view(result: RunResult, one: MixUp, show: _Show) -> dict[str, Any]:
    pair = one.pair
    strips = {
        "true_right": show(one.true_right),
        "mixed_up": show(one.mixed_up),
        "called_right": show(one.called_right),
    }
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


def _answering(
    run: Run, number: Mapping[int, int], found: ImageFiles | str, small: Mapping[str, Thumbnail]
) -> dict[str, Any]:
    images, names = run.result.images, run.result.classes.raw_names
    asked = []
    originals = {}
    home = run.folder.absolute()
    for row in number:
        path, sure = images.paths[row], float(images.confidence[row])
        true, called = names[images.true[row]], names[images.predicted[row]]
        how = "" if math.isnan(sure) else f" ({percent(sure, 0)}% sure)"
        asked.append(
            AnswerImage(path, true, (called,), (f"identified as {printable(called)}{how}",))
        )
        if path in small:
            originals[path] = small[path].original
        elif isinstance(found, ImageFiles):
            originals[path] = original_place(found.at(path), home)
    sheet = AnswerSheet(f"{run.name}: report", run.classes, [AnswerSection("", asked)])
    return answering_data(sheet, ImageSources(originals=originals))


def run_images(run: Run, photos: str | Path | None, *, fetch: bool = False) -> ImageFiles | str:
    """Find a run's images; the sentence that says why not, where they are not at hand."""
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
    run: Run,
    photos: str | Path | None,
    paths: Iterable[str],
    *,
    fetch: bool = False,
    home: Path | None = None,
) -> tuple[dict[str, Thumbnail], str]:
    """Read the thumbnails of a run's images, each file once.

    `home` is the folder of the page, which may show the files themselves large.

    Returns
    -------
    dict of str to Thumbnail, str
        Those that could be read by their paths, and the sentence that says what is missing.
    """
    found = run_images(run, photos, fetch=fetch)
    if isinstance(found, str):
        return {}, found
    return _read(found, list(paths), fetch=fetch, home=home and home.absolute())


def _read(
    found: ImageFiles, paths: Sequence[str], *, fetch: bool, home: Path | None
) -> tuple[dict[str, Thumbnail], str]:
    wanted = dict.fromkeys(paths)
    small = thumbnails(found, wanted, home=home)
    lost = len(wanted) - len(small)
    urls = 0 if fetch else sum(is_url(path) for path in wanted)
    also = f" {counted(urls, 'photo')} lie at URLs: --fetch gets them." if urls else ""
    shown = printable(str(found))
    missing = f"{counted(lost, 'photo')} could not be read in {shown}.{also}" if lost else ""
    return _as_many_as_fit(small), missing


def _as_many_as_fit(small: Mapping[str, Thumbnail]) -> dict[str, Thumbnail]:
    """Leave out those that would make a page too heavy, the last ones first."""
    kept, characters = {}, 0
    for path, one in small.items():
        characters += len(one.uri)
        if characters <= _MOST_CHARACTERS:
            kept[path] = one
    return kept
