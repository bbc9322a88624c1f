"""Compare two images by pixels, also where one is shifted, scaled, turned or mirrored.

A hash cannot tell a cropped copy from the next photo of a burst, and an off-centre crop shares few
of its bits. Here the middle of one small image is searched roughly in the other; where it is
found they are aligned to a fraction of a pixel, and their fine detail is compared. It agrees in
copies but for the noise of encoding. The rough search needs a fifth of a millisecond a pair, the
rest some milliseconds for the pairs it leaves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from fishembed._base.arrays import Flags, Indices, Single, ranks_among_equals
from fishembed.audit.image_alignment import (
    Agreement,
    Green,
    alignable_image,
    detail_agreement,
    find_roughly,
    rough_patches,
    rough_windows,
    small_green,
)
from fishembed.audit.similar_rows import Pairs
from fishembed.cache import Store
from fishembed.errors import ImageError
from fishembed.evaluation.near_duplicates import CopyDetector
from fishembed.images import ImageFiles, read_bytes
from fishembed.images.decoding.decode import quiet_decoding

MOST_PAIRS = 8000
"""Pairs that are compared, those with the most similar features first."""

_NEAREST, _HELD = 3, 1 << 18
"""Rows that are compared with each row, and pairs in memory before the nearest are chosen."""

ROUGHLY, SAME_PHOTO = 0.94, 0.988
"""Correlation of the rough search from which images are aligned, and of their detail from which
they are the same. Chosen on one half of Fish4Knowledge's tracks, as the next are."""

_PERHAPS = 0.88
"""Correlation from which the rough search is done the other way round too."""

_NOISE, _SAME_BUT_FOR_NOISE = 2.2, 0.96
"""Difference of detail, of 255, that is the noise of encoding, and the correlation that suffices
then: in a murky image noise is much of the detail."""

_THREADS = 4
_SMALL_CACHED, _ALIGNABLE_CACHED = 4096, 128


class ImageComparison:
    """Comparison of a store's images, pair by pair.

    Parameters
    ----------
    store
        Its rows that are parts of images or frames of videos are not compared: they are alike.
    files
        Where its images are.
    """

    def __init__(self, store: Store, files: ImageFiles) -> None:
        whole = np.isnan(np.asarray(store.boxes)[:, 0]) & np.isnan(np.asarray(store.times))
        self.comparable: Flags = whole
        self._paths, self._files = store.paths, files
        self._green = lru_cache(_SMALL_CACHED)(self._read)
        self._windows = lru_cache(_ALIGNABLE_CACHED)(lambda row: rough_windows(self._known(row)))
        self._alignable = lru_cache(_ALIGNABLE_CACHED)(
            lambda row: alignable_image(self._known(row))
        )

    def are_copies(self, first: Sequence[int], second: Sequence[int]) -> npt.NDArray[np.int8]:
        """Return for pairs of rows 1 for copies, 0 for others, -1 where an image is unreadable.

        Parameters
        ----------
        first, second
            Row numbers (n_pairs,).
        """
        found = np.empty(len(first), np.int8)
        order = np.lexsort((second, first))  # what is made of an image serves all its pairs
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
        return [self._is_copy(row, patches, other) for other in others]

    def _is_copy(self, row: int, patches: Single, other: int) -> int:
        if self._green(other) is None:
            return -1
        roughly, place = find_roughly(patches, self._windows(other))
        if roughly < _PERHAPS:
            return 0
        first, second = row, other
        if roughly < ROUGHLY:  # it may be found the other way round
            first, second = other, row
            roughly, place = find_roughly(rough_patches(self._known(other)), self._windows(row))
        if roughly < ROUGHLY:
            return 0
        found = detail_agreement(self._alignable(first), self._alignable(second), place)
        return int(found is not None and _agrees(found))

    def _known(self, row: int) -> Green:
        green = self._green(row)
        if green is None:
            raise LookupError(row)
        return green

    def _read(self, row: int) -> Green | None:
        with suppress(ImageError):
            return small_green(read_bytes(self._files.at(self._paths[row])))
        return None


def _agrees(found: Agreement) -> bool:
    """Return whether the detail of two aligned images agrees as that of copies does."""
    is_noise = found.difference <= _NOISE and found.correlation >= _SAME_BUT_FOR_NOISE
    return found.correlation >= SAME_PHOTO or is_noise


class ComparedPairs:
    """The pairs whose images are compared: those whose features are most alike.

    Parameters
    ----------
    comparison
        Of the images of one store.
    digests
        Of all rows: equal bytes need no comparison.
    detector
        With the hashes: pairs that are not compared are copies where these nearly agree.
    """

    def __init__(
        self,
        comparison: ImageComparison,
        digests: Sequence[str],
        detector: CopyDetector | None = None,
    ) -> None:
        self._comparison, self._detector = comparison, detector
        self._digests = np.unique(np.array(digests, np.str_), return_inverse=True)[1]
        self._unknown = np.array([not one for one in digests], bool)
        self._candidates: list[Pairs] = []
        self._by_hash: list[Pairs] = []

    def add(self, pairs: Pairs) -> None:
        """Add pairs; those beyond the limit of comparisons are decided by their hashes."""
        usable = self._comparison.comparable
        same = self._digests[pairs.first] == self._digests[pairs.second]
        seen = usable[pairs.first] & usable[pairs.second]
        seen &= ~same | self._unknown[pairs.first]
        self._candidates.append(pairs.where(seen))
        self._by_hash.append(pairs.where(~seen & pairs.copies))
        if sum(len(one.first) for one in self._candidates) > _HELD:
            self._candidates = [self._nearest()]

    def copies(self) -> Iterator[tuple[Indices, Indices]]:
        """Yield the pairs that are copies, in two arrays of rows at a time."""
        if not self._candidates:
            return
        nearest = self._nearest()
        best = np.zeros(len(nearest.first), bool)
        best[np.argsort(-nearest.cosine, kind="stable")[:MOST_PAIRS]] = True
        chosen = self._choose(nearest, best)
        decided = self._comparison.are_copies(chosen.first.tolist(), chosen.second.tolist())
        same = np.where(decided < 0, chosen.copies, decided == 1)
        for one in (chosen.where(same), *self._by_hash):
            yield one.first, one.second

    def _nearest(self) -> Pairs:
        """Return each row's pairs with the rows of the most similar features."""
        whole = Pairs(*map(np.concatenate, zip(*self._candidates, strict=True)))
        order = np.argsort(-whole.cosine, kind="stable")
        rank = np.minimum(
            ranks_among_equals(whole.first[order]), ranks_among_equals(whole.second[order])
        )
        best = np.zeros(len(order), bool)
        best[order[rank < _NEAREST]] = True
        return self._choose(whole, best)

    def _choose(self, pairs: Pairs, best: Flags) -> Pairs:
        """Return the best pairs; decide the others, which are not compared, by their hashes."""
        if self._detector is not None:
            others = pairs.where(~best)
            nearly = self._detector.nearly_equal(others.first, others.second)
            self._by_hash.append(others.where(nearly))
        return pairs.where(best)
