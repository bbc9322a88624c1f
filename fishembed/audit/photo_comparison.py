"""Whether two photos are one: laid over each other, shifted, scaled, turned and mirrored.

A hash cannot tell a cropped copy from the next photo of a burst, and an off-centre crop shares few
of its bits. Here the middle of one small grey photo is looked for in the other, in each of some
scales, turns and reflections, by normalised cross-correlation. Copies agree in all they share; in a
burst something has moved. It takes some milliseconds a pair, so that only pairs whose features are
alike are looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache, lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

from fishembed.audit.similar_pairs import Pairs
from fishembed.cache import Store
from fishembed.errors import ImageError
from fishembed.evaluation.photo_witness import PhotoWitness
from fishembed.images import ImageFiles, read_bytes
from fishembed.images.decoding.decode import decode_pixels, quiet_decoding

MOST_PAIRS = 8000
"""Pairs that are looked at, those with the most similar features first."""

_NEAREST, _HELD = 3, 1 << 18
"""Rows that are compared with each row, and pairs that are held until they are chosen."""

SAME_PHOTO, SAME_PHOTO_IN_GROUP = 0.978, 0.985
"""Correlations from which two photos are one: 95 in 100 cropped or turned copies of photos reach
it, and 6 in 100 pairs of photos of one fish moments apart; higher in a group, whose images are."""

_SIDE, _PATCH = 64, 36
_FINE, _BLUR = 0.7, 8.0
"""Pixels: what is smaller changes with encoding and by less than a pixel's shift; what is larger is
light, not shape."""

_THREADS = 4
_SCALES = (
    *((s, s) for s in (1.0, 0.95, 1.0 / 0.95, 0.9, 1 / 0.9)),
    *((1.0, 0.9), (0.9, 1.0), (1.0, 1 / 0.9), (1 / 0.9, 1.0)),
)
_TURNS = (
    *((turn, 1.0) for turn in (-5.0, -2.5, 2.5, 5.0)),
    *((turn, shape) for turn in (-5.0, 5.0) for shape in (1.4, 1 / 1.4)),
)
"""Degrees, and the width by the height of the photos that were made square."""


Grey = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]


class PhotoComparison:
    """Compares photos of a store, pair by pair.

    Parameters
    ----------
    store
        Its rows that are parts of images or frames of videos are not compared: they are alike.
    files
        Where its photos are.
    """

    def __init__(self, store: Store, files: ImageFiles) -> None:
        whole = np.isnan(np.asarray(store.boxes)[:, 0]) & np.isnan(np.asarray(store.times))
        self.comparable: npt.NDArray[np.bool_] = whole
        self._paths, self._files = store.paths, files
        names = np.array([name or f"\0{row}" for row, name in enumerate(store.groups)], np.str_)
        self._groups = np.unique(names, return_inverse=True)[1]

    def same_photo(self, first: Sequence[int], second: Sequence[int]) -> npt.NDArray[np.int8]:
        """Return for pairs of rows 1 for the same photo, 0 for others, -1 where one is unreadable.

        Parameters
        ----------
        first, second
            Row numbers (n_pairs,).
        """
        rows = sorted({*first, *second})
        with quiet_decoding(), ThreadPoolExecutor(_THREADS) as pool:
            greys = dict(zip(rows, pool.map(self._grey, rows), strict=True))
            shapes = _Shapes(greys)
            found = pool.map(
                lambda pair: self._is_same(shapes, *pair), zip(first, second, strict=True)
            )
            return np.fromiter(found, np.int8, len(first))

    def _is_same(self, shapes: _Shapes, first: int, second: int) -> int:
        agreement = shapes.agreement(first, second)
        if agreement is None:
            return -1
        in_group = self._groups[first] == self._groups[second]
        return int(agreement >= (SAME_PHOTO_IN_GROUP if in_group else SAME_PHOTO))

    def _grey(self, row: int) -> Grey | None:
        with suppress(ImageError):
            return small_grey(read_bytes(self._files.at(self._paths[row])))
        return None


class ComparedPairs:
    """The pairs whose photos are compared: those whose features are most alike.

    Parameters
    ----------
    comparison
        Compares them; None where no photo can be read, and nothing is kept.
    digests
        Of all rows: equal bytes need no comparison.
    witness
        Knows their hashes: pairs that are not compared are copies where these nearly agree.
    """

    def __init__(
        self,
        comparison: PhotoComparison | None,
        digests: Sequence[str],
        witness: PhotoWitness | None = None,
    ) -> None:
        self._comparison, self._witness = comparison, witness
        self._digests = np.unique(np.array(digests, np.str_), return_inverse=True)[1]
        self._unknown = np.array([not one for one in digests], bool)
        self._kept: list[Pairs] = []
        self._hashed: list[Pairs] = []

    def add(self, pairs: Pairs) -> None:
        """Take pairs in; what is beyond the most that are compared is decided without."""
        if self._comparison is None:
            return
        usable = self._comparison.comparable
        same = self._digests[pairs.first] == self._digests[pairs.second]
        seen = usable[pairs.first] & usable[pairs.second]
        seen &= ~same | self._unknown[pairs.first]
        self._kept.append(pairs.where(seen))
        self._hashed.append(pairs.where(~seen & pairs.copies))
        if sum(len(one.first) for one in self._kept) > _HELD:
            self._kept = [self._nearest()]

    def _nearest(self) -> Pairs:
        """Return the pairs of each row with those that its features are most like."""
        whole = Pairs(*map(np.concatenate, zip(*self._kept, strict=True)))
        order = np.argsort(-whole.cosine, kind="stable")
        rank = np.minimum(_ranks(whole.first[order]), _ranks(whole.second[order]))
        best = np.zeros(len(order), bool)
        best[order[rank < _NEAREST]] = True
        self._set_aside(whole.where(~best))
        return whole.where(best)

    def _set_aside(self, pairs: Pairs) -> None:
        """Decide pairs that are not compared by their hashes alone."""
        if self._witness is not None:
            nearly = self._witness.nearly_equal(pairs.first, pairs.second)
            self._hashed.append(pairs.where(nearly))

    def copies(self) -> Iterator[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]]:
        """Yield the pairs that are the same photo, in two arrays of rows at a time."""
        if self._comparison is None or not self._kept:
            return
        kept = self._nearest()
        best = np.zeros(len(kept.first), bool)
        best[np.argsort(-kept.cosine, kind="stable")[:MOST_PAIRS]] = True
        self._set_aside(kept.where(~best))
        kept = kept.where(best)
        verdict = self._comparison.same_photo(kept.first.tolist(), kept.second.tolist())
        same = np.where(verdict < 0, kept.copies, verdict == 1)
        if self._witness is not None:
            same |= self._witness.nearly_equal(kept.first, kept.second)
        for one in (kept.where(same), *self._hashed):
            yield one.first, one.second


def _ranks(rows: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """Return for each element how many equal ones stand before it."""
    order = np.argsort(rows, kind="stable")
    sorted_rows = rows[order]
    starts = np.flatnonzero(np.r_[True, sorted_rows[1:] != sorted_rows[:-1]][: len(rows)])
    counts = np.diff(np.r_[starts, len(rows)])
    ranks = np.empty(len(rows), np.intp)
    ranks[order] = np.arange(len(rows)) - np.repeat(starts, counts)
    return ranks


def small_grey(data: bytes) -> Grey:
    """Return uint8 (64, 64) of an image file.

    Raises
    ------
    ImageError
        When it cannot be decoded.
    """
    pixels = decode_pixels(data, at_least=lambda _: (2 * _SIDE, 2 * _SIDE))
    image = Image.fromarray(pixels).convert("L")
    return np.asarray(image.resize((_SIDE, _SIDE), Image.Resampling.BILINEAR))


def agreement(a: Grey, b: Grey) -> float:
    """Return how well two small photos lie over each other, 0 to 1, however they were changed."""
    shapes = _Shapes({0: a, 1: b})
    return shapes.agreement(0, 1) or 0.0


class _Shapes:
    """Photos without their light, as templates and as what templates are looked for in."""

    def __init__(self, greys: dict[int, Grey | None]) -> None:
        self._greys = greys
        self._template = lru_cache(256)(lambda row: _templates(self._shape(row)))
        self._place = lru_cache(256)(lambda row: _field(self._shape(row)))

    def _shape(self, row: int) -> Floats:
        return _shape(self._greys[row])  # type: ignore[arg-type]

    def agreement(self, first: int, second: int) -> float | None:
        """Return the agreement of two rows, None where one could not be read."""
        if self._greys[first] is None or self._greys[second] is None:
            return None
        there = _correlation(self._template(first), self._place(second))
        return max(there, _correlation(self._template(second), self._place(first)))


def _shape(grey: Grey) -> Floats:
    pixels = grey.astype(np.float32)
    shape = pixels - ndimage.gaussian_filter(pixels, _BLUR)
    return np.asarray(ndimage.gaussian_filter(shape, _FINE), np.float32)


def _templates(shape: Floats) -> tuple[Any, Floats]:
    """Return the changed middles of a photo as conjugate spectra, and their lengths."""
    at, weights = _samples()
    patches = (shape.reshape(-1)[at] * weights).sum(axis=0)
    patches -= patches.mean(axis=(1, 2), keepdims=True)
    lengths = np.sqrt((patches**2).sum(axis=(1, 2)))
    return np.conj(np.fft.rfft2(patches, (_SIDE, _SIDE))), lengths.astype(np.float32)


def _field(shape: Floats) -> tuple[Any, npt.NDArray[np.float64]]:
    """Return a photo's spectrum, and the length of what each place of the patch covers."""
    wide = shape.astype(np.float64)
    variance = _box_sums(wide**2) - _box_sums(wide) ** 2 / _PATCH**2
    return np.fft.rfft2(shape), np.sqrt(np.maximum(variance, 1.0))


def _box_sums(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    sums = np.pad(values.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    n = _PATCH
    return np.asarray(sums[n:, n:] - sums[:-n, n:] - sums[n:, :-n] + sums[:-n, :-n])


def _correlation(templates: tuple[Any, Floats], place: tuple[Any, Any]) -> float:
    spectra, lengths = templates
    spectrum, covered = place
    n = _SIDE - _PATCH + 1
    products = np.fft.irfft2(spectrum * spectra, (_SIDE, _SIDE))[:, :n, :n]
    return float((products / (np.maximum(lengths, 1.0)[:, None, None] * covered)).max())


@cache
def _samples() -> tuple[npt.NDArray[np.intp], Floats]:
    """Return which four pixels make each pixel of each changed patch, and their weights."""
    steps = np.arange(_PATCH) - (_PATCH - 1) / 2
    down, across = np.meshgrid(steps, steps, indexing="ij")
    changes = [(*sizes, 0.0, 1.0) for sizes in _SCALES]
    changes += [(1.0, 1.0, turn, shape) for turn, shape in _TURNS]
    places, weights = [], []
    for mirror in ((1, 1), (1, -1), (-1, 1)):
        for high, wide, turn, shape in changes:
            angle = np.deg2rad(turn)
            y = (np.cos(angle) * down - np.sin(angle) * across * shape) * high * mirror[0]
            x = (np.sin(angle) * down / shape + np.cos(angle) * across) * wide * mirror[1]
            y, x = y + (_SIDE - 1) / 2, x + (_SIDE - 1) / 2
            top, left = np.floor(y).astype(np.intp), np.floor(x).astype(np.intp)
            dy, dx = y - top, x - left
            places.append([(top + j) * _SIDE + left + i for j in (0, 1) for i in (0, 1)])
            weights.append([(1 - dy) * (1 - dx), (1 - dy) * dx, dy * (1 - dx), dy * dx])
    at = np.array(places).transpose(1, 0, 2, 3)
    return at, np.array(weights, np.float32).transpose(1, 0, 2, 3)
