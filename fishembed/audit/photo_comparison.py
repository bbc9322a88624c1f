"""Comparison of two photos by pixels: laid over each other, shifted, scaled, turned, mirrored.

A hash cannot tell a cropped copy from the next photo of a burst, and an off-centre crop shares few
of its bits. Here the middle of one small photo is looked for roughly in the other; where it is
found they are aligned to a fraction of a pixel, and what is fine in them is compared. Copies agree
in it but for the noise of encoding. The rough search takes a fifth of a millisecond a pair, the
rest some milliseconds for those it leaves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from fishembed._base.arrays import ranks_among_equals
from fishembed.audit.same_photo.alignment import Agreement, aligned_photo, detail_agreement
from fishembed.audit.same_photo.rough_search import (
    Floats,
    find_roughly,
    rough_patches,
    rough_windows,
)
from fishembed.audit.same_photo.small_photo import Green, small_green
from fishembed.audit.similar_pairs import Pairs
from fishembed.cache import Store
from fishembed.errors import ImageError
from fishembed.evaluation.near_duplicates import CopyDetector
from fishembed.images import ImageFiles, read_bytes
from fishembed.images.decoding.decode import quiet_decoding

MOST_PAIRS = 8000
"""Pairs that are looked at, those with the most similar features first."""

_NEAREST, _HELD = 3, 1 << 18
"""Rows that are compared with each row, and pairs that are held until they are chosen."""

ROUGHLY, SAME_PHOTO = 0.94, 0.988
"""Correlation of the rough search from which photos are aligned, and of their detail from which
they are one. Chosen on photos of one half of Fish4Knowledge's tracks, as the next are."""

_PERHAPS = 0.88
"""Correlation from which the rough search is done the other way round too."""

_NOISE, _SAME_BUT_FOR_NOISE = 2.2, 0.96
"""Difference of detail, of 255, that is the noise of encoding, and the correlation that suffices
then: in a murky photo noise is much of the detail."""

_THREADS = 4
_PHOTOS_KEPT, _ALIGNED_KEPT = 4096, 128


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
        self._green = lru_cache(_PHOTOS_KEPT)(self._read)
        self._windows = lru_cache(_ALIGNED_KEPT)(lambda row: rough_windows(self._there(row)))
        self._aligned = lru_cache(_ALIGNED_KEPT)(lambda row: aligned_photo(self._there(row)))

    def same_photo(self, first: Sequence[int], second: Sequence[int]) -> npt.NDArray[np.int8]:
        """Return for pairs of rows 1 for the same photo, 0 for others, -1 where one is unreadable.

        Parameters
        ----------
        first, second
            Row numbers (n_pairs,).
        """
        found = np.empty(len(first), np.int8)
        order = np.lexsort((second, first))  # what is made of a photo serves all its pairs
        starts = np.flatnonzero(np.diff(np.asarray(first)[order])) + 1
        with quiet_decoding(), ThreadPoolExecutor(_THREADS) as pool:
            for at, same in pool.map(
                lambda pairs: (pairs, self._compare(first[pairs[0]], [second[i] for i in pairs])),
                np.split(order, starts) if len(order) else [],
            ):
                found[at] = same
        return found

    def _compare(self, row: int, others: Sequence[int]) -> list[int]:
        green = self._green(row)
        if green is None:
            return [-1] * len(others)
        patches = rough_patches(green)
        return [self._is_same(row, patches, other) for other in others]

    def _is_same(self, row: int, patches: Floats, other: int) -> int:
        if self._green(other) is None:
            return -1
        roughly, place = find_roughly(patches, self._windows(other))
        if roughly < _PERHAPS:
            return 0
        first, second = row, other
        if roughly < ROUGHLY:  # it may be found the other way round
            first, second = other, row
            roughly, place = find_roughly(rough_patches(self._there(other)), self._windows(row))
        if roughly < ROUGHLY:
            return 0
        found = detail_agreement(self._aligned(first), self._aligned(second), place)
        return int(found is not None and is_same_photo(found))

    def _there(self, row: int) -> Green:
        green = self._green(row)
        if green is None:
            raise LookupError(row)
        return green

    def _read(self, row: int) -> Green | None:
        with suppress(ImageError):
            return small_green(read_bytes(self._files.at(self._paths[row])))
        return None


class ComparedPairs:
    """The pairs whose photos are compared: those whose features are most alike.

    Parameters
    ----------
    comparison
        Compares them; None where no photo can be read, and nothing is kept.
    digests
        Of all rows: equal bytes need no comparison.
    detector
        Knows their hashes: pairs that are not compared are copies where these nearly agree.
    """

    def __init__(
        self,
        comparison: PhotoComparison | None,
        digests: Sequence[str],
        detector: CopyDetector | None = None,
    ) -> None:
        self._comparison, self._detector = comparison, detector
        self._digests = np.unique(np.array(digests, np.str_), return_inverse=True)[1]
        self._unknown = np.array([not one for one in digests], bool)
        self._kept: list[Pairs] = []
        self._hashed: list[Pairs] = []

    def add(self, pairs: Pairs) -> None:
        """Add pairs; what is beyond the most that are compared is decided without."""
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
        rank = np.minimum(
            ranks_among_equals(whole.first[order]), ranks_among_equals(whole.second[order])
        )
        best = np.zeros(len(order), bool)
        best[order[rank < _NEAREST]] = True
        self._set_aside(whole.where(~best))
        return whole.where(best)

    def _set_aside(self, pairs: Pairs) -> None:
        """Decide pairs that are not compared by their hashes alone."""
        if self._detector is not None:
            nearly = self._detector.nearly_equal(pairs.first, pairs.second)
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
        decided = self._comparison.same_photo(kept.first.tolist(), kept.second.tolist())
        same = np.where(decided < 0, kept.copies, decided == 1)
        for one in (kept.where(same), *self._hashed):
            yield one.first, one.second


def is_same_photo(found: Agreement) -> bool:
    """Tell whether the detail of two aligned photos agrees as that of one photo does."""
    is_noise = found.difference <= _NOISE and found.correlation >= _SAME_BUT_FOR_NOISE
    return found.correlation >= SAME_PHOTO or is_noise
