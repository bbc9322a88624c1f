"""Rank the rows of a store by their similarity to texts and images: exactly, block by block."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fishembed._base.arrays import Indices, Single, rows_and_lengths, unit_rows
from fishembed._base.paths import cache_dir, to_path
from fishembed._base.progress import Progress
from fishembed._base.runtime import one_blas_thread
from fishembed.cache import FeatureKind, Store, open_store
from fishembed.encoders import Encoder, load_encoder
from fishembed.errors import (
    DimensionError,
    ImageError,
    InputError,
    NoTextTowerError,
    StoreMismatchError,
)
from fishembed.explore.row_filter import filtered_rows
from fishembed.extraction import encode_images
from fishembed.extraction.recorded_encoder import load_recorded_encoder

if TYPE_CHECKING:
    from fishembed._base.paths import AnyPath

BLOCK = 2048
"""Rows that are read at once: 4 MB of 512 float32 each."""

_THREADS = 2


_MINUS = re.compile(r"""(?:^|(?<=\s))-(?:"([^"]+)"|'([^']+)'|(\S+))""")


class FeatureSearch:
    """Search a store again and again: lengths of rows are computed once.

    Parameters
    ----------
    store
        The store; it stays open as long as this is used.
    which
        image, or trunk for the features before the projection.

    Examples
    --------
    >>> import numpy as np
    >>> from fishembed import import_features, open_store
    >>> with open_store(import_features({"features": np.eye(3)}, "three.h5")) as store:
    ...     rows, cosines = FeatureSearch(store).nearest([0.0, 3.0, 4.0], 2)
    >>> rows.tolist(), cosines.round(2).tolist()
    ([2, 1], [0.800000011920929, 0.6000000238418579])
    """

    def __init__(self, store: Store, which: FeatureKind = "image") -> None:
        self._matrix: Any = store.trunk if which == "trunk" else store.features

    @cached_property
    def _lengths(self) -> Single:
        return self._by_block(lambda rows: np.asarray(rows_and_lengths(rows)[1], np.float32))

    def cosines(self, query: npt.ArrayLike) -> Single:
        """Return the cosine of every row to a query, float32 (n,); 0 for rows of zeros."""
        wanted = np.asarray(unit_rows(np.asarray(query)[None])[0], np.float32)
        n, dim = self._matrix.shape
        if wanted.shape != (dim,):
            raise DimensionError(f"the query has {wanted.shape} numbers, a row of {n:,} has {dim}")
        return np.asarray(self._by_block(lambda rows: rows @ wanted) / self._lengths)

    def nearest(
        self, query: npt.ArrayLike, n: int, rows: Indices | None = None
    ) -> tuple[Indices, Single]:
        """Return the `n` rows nearest to a query, nearest first, and their cosines.

        Parameters
        ----------
        query
            (dim,), of any scale.
        n
            Number of rows.
        rows
            Numbers of the rows to search, all where None.
        """
        return best_rows(self.cosines(query), n, rows)

    def _by_block(self, compute: Any) -> Single:
        n = int(self._matrix.shape[0])
        out = np.empty(n, np.float32)

        def one(start: int) -> None:
            stop = min(start + BLOCK, n)
            out[start:stop] = compute(_single(self._matrix[start:stop]))

        # Threads of BLAS below these would wait for each other, seconds on busy cores.
        with one_blas_thread(), ThreadPoolExecutor(_THREADS) as pool:
            list(pool.map(one, range(0, n, BLOCK)))
        return out


def best_rows(scores: Single, n: int, rows: Indices | None = None) -> tuple[Indices, Single]:
    """Return the numbers of the `n` best rows, best first and earlier ones first among equals."""
    among = np.arange(len(scores)) if rows is None else np.asarray(rows)
    values = scores[among]
    if n < len(among):
        worst = np.partition(values, len(values) - n)[len(values) - n]
        among, values = among[values >= worst], values[values >= worst]
    order = np.argsort(-values, kind="stable")[:n]
    return among[order], values[order]


@dataclass(frozen=True)
class SearchResult:
    """The rows most similar to a query.

    Attributes
    ----------
    query
        The query, as text for people.
    rows, scores
        intp and float32 (n,), best first; scores are cosines.
    paths
        Of these rows.
    searched
        Number of rows that were compared.
    """

    query: str
    rows: Indices
    scores: Single
    paths: tuple[str, ...]
    searched: int


def search_store(
    store: str | AnyPath | Store,
    text: str = "",
    *,
    like: Sequence[str | Path] = (),
    minus: Sequence[str] = (),
    where: Sequence[str] = (),
    top: int = 50,
    encoder: Encoder | None = None,
    device: str = "auto",
    trust_encoder: bool = False,
    progress: Progress | None = None,
) -> SearchResult:
    """Find the images of a store that match a text, are similar to other images, or both.

    Parameters
    ----------
    store
        The store or its path.
    text
        What the images show. A minus stands before what they do not show:
        `a fish with a tag -net`.
    like
        Images that they are similar to. A path of the store needs no encoder.
    minus
        More of what they do not show.
    where
        Conditions on the rows, see `filtered_rows`.
    top
        Number of images.
    encoder
        The store's encoder, where it is loaded already.
    device
        Where to encode, see `fishembed.load_encoder`.
    trust_encoder
        Whether to load a model of the hub that only a store of other people names.
    progress
        Receives what is loaded.

    Raises
    ------
    InputError
        When the query is empty, no row is left, or the encoder is not known.
    StoreMismatchError
        When the encoder is no longer the one of the store.

    Examples
    --------
    >>> import numpy as np
    >>> from fishembed import import_features, search_store
    >>> arrays = {"features": np.eye(3), "paths": ["a.jpg", "b.jpg", "c.jpg"]}
    >>> search_store(import_features(arrays, "three.h5"), like=["b.jpg"], top=1).paths
    ('b.jpg',)
    """
    if top < 1:
        raise InputError(f"top={top!r} must be at least 1")
    opened = store if isinstance(store, Store) else open_store(store)
    rows = filtered_rows(opened, where)
    terms = parse_query(text, minus)
    if not (any(terms) or like):
        raise InputError("nothing to search for: give words, or a photo with --like")
    known = _stored_rows(opened, like) if not any(terms) else None
    if known is not None:
        query = unit_rows(opened.embeddings(known)).sum(axis=0)
    else:
        encoder = encoder or store_encoder(opened, device, progress, trust=trust_encoder)
        query = query_embedding(terms, like, encoder, progress)
    found, scores = FeatureSearch(opened).nearest(query, top, rows)
    paths = opened.paths
    return SearchResult(
        _query_text(terms, like),
        found,
        scores,
        tuple(paths[row] for row in found),
        len(rows),
    )


def _stored_rows(store: Store, images: Sequence[str | Path]) -> list[int] | None:
    """Return the rows with the paths of `images`; None unless all have one and no file is there."""
    if not images or any(Path(one).is_file() for one in images):
        return None
    row_of = {path: row for row, path in enumerate(store.paths)}
    rows = [row_of.get(str(one)) for one in images]
    return None if None in rows else [row for row in rows if row is not None]


def _query_text(terms: Terms, images: Sequence[str | Path]) -> str:
    parts = [*terms.wanted, *(f"like {Path(one).name}" for one in images)]
    return " ".join([", ".join(parts), *(f"without {term}" for term in terms.unwanted)]).strip()


def _single(block: Any) -> npt.NDArray[Any]:
    """Return rows as float32; by torch where it is loaded, which is five times as fast."""
    rows = np.asarray(block)
    if rows.dtype == np.float16 and "torch" in sys.modules:
        import torch

        return np.asarray(torch.from_numpy(np.ascontiguousarray(rows)).float().numpy())
    return rows if rows.dtype == np.float32 else np.asarray(rows, np.float32)


class Terms(NamedTuple):
    """Terms of a query: those that images match, and those that they do not."""

    wanted: tuple[str, ...]
    unwanted: tuple[str, ...]


def parse_query(text: str, minus: Sequence[str] = ()) -> Terms:
    """Split a query into what is wanted and its minus-terms.

    Examples
    --------
    >>> parse_query('a fish with a tag -net -"a hand"')
    Terms(wanted=('a fish with a tag',), unwanted=('net', 'a hand'))
    """
    unwanted = [next(filter(None, match.groups())) for match in _MINUS.finditer(text)]
    wanted = " ".join(_MINUS.sub(" ", text).split())
    return Terms((wanted,) if wanted else (), (*unwanted, *(term for term in minus if term)))


def query_embedding(
    terms: Terms,
    photos: Sequence[str | Path],
    encoder: Encoder,
    progress: Progress | None = None,
) -> npt.NDArray[np.float32]:
    """Return the embeddings of what is wanted less those of what is not, summed at length 1 each.

    `photos` are image files, all wanted; `encoder` is the store's. Returns float32 (dim,) of
    length 1.

    Raises
    ------
    NoTextTowerError
        When there are terms and the encoder encodes no text.
    ImageError
        When an image cannot be read.
    """
    parts = np.zeros((0, encoder.spec.dim), np.float32)
    signs = [1.0] * len(terms.wanted) + [-1.0] * len(terms.unwanted)
    if signs:
        features = encoder.encode_texts([*terms.wanted, *terms.unwanted])
        if features is None:
            raise NoTextTowerError(
                f"the encoder {encoder.spec.name!r} knows no words: search with --like PHOTO"
            )
        parts = unit_rows(features)
    if photos:
        found = encode_images([Path(one) for one in photos], encoder, reporter=progress)
        if found.skipped:
            at, reason = found.skipped[0]
            raise ImageError(f"{str(photos[at])!r}: {reason}")
        parts = np.concatenate([parts, unit_rows(found.features)])
        signs += [1.0] * len(photos)
    together = np.asarray(signs, np.float32) @ parts
    return np.asarray(unit_rows(together[None])[0], np.float32)


def store_encoder(
    store: Store, device: str = "auto", progress: Progress | None = None, *, trust: bool = False
) -> Encoder:
    """Load the encoder that a store's features come from, and check that it is the same one.

    A model of the hub, or a file of weights, that only a store of other people names is refused
    unless `trust` is set, see `load_recorded_encoder`. Stores in the cache folder are trusted.

    Raises
    ------
    InputError
        When the features were imported or joined: their encoder is unknown.
    StoreMismatchError
        When the encoder has changed since the store was made.
    EncoderError
        When it cannot be had.
    """
    spec = store.encoder
    if spec.get("library") in ("imported", "joined", None):
        raise InputError(
            f"{str(store.path)!r} holds features whose encoder is not known here "
            f"({store.encoder_name}): words and photos cannot be brought into their space"
        )
    path, cache = to_path(store.path), cache_dir()
    local = path if isinstance(path, Path) else None
    own = local and isinstance(cache, Path) and local.resolve().parent == cache.resolve()
    encoder = load_recorded_encoder(
        spec,
        device=device,
        trust=trust or bool(own),
        beside=local,
        progress=progress,
        load=load_encoder,
    )
    if encoder.spec.fingerprint != store.encoder_fingerprint:
        raise StoreMismatchError(
            f"the encoder {encoder.spec.name!r} is not the one that {str(store.path)!r} was made "
            f"with: its fingerprint is {encoder.spec.fingerprint}, the store's "
            f"{store.encoder_fingerprint}. Extract again"
        )
    return encoder
