"""The interface that every kind of feature store has.

`Hdf5Store` reads one file, `ShardedStore` many files behind an index, and `JoinedStore` puts
several encoders side by side; `open_store` finds out which of them a path needs.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
import numpy.typing as npt

from fishembed._base.short_table import PrintsAsTable, ShortTable
from fishembed.cache.edit_history import Dropped, Edit
from fishembed.cache.lazy_rows import LazyRows, Matrix, SelectedRows
from fishembed.cache.schema import StoreHeader, TextFeatures
from fishembed.cache.store_columns import StoreColumns, class_table
from fishembed.cache.validation import Damage
from fishembed.errors import FishembedError, InputError, StoreClosedError

if TYPE_CHECKING:
    from typing_extensions import Self

    from fishembed._base.paths import AnyPath

FeatureKind = Literal["image", "trunk"]
"""Features of the space that images and texts share, or those before the projection into it."""


_AFTER_CLOSING = frozenset({"path", "stores", "close"})


class Store(StoreColumns, PrintsAsTable):
    """One set of samples under one encoder, or under several side by side.

    Parameters
    ----------
    path, n_rows
        Where it lies, and how many rows it has.
    encoder
        Description of the encoder, with its `fingerprint`.
    source
        `root`: the absolute folder that paths start from, None where there is none; `layout`:
        one sentence on it.
    fingerprint
        16 hex digits over everything that an experiment's result depends on.
    has_trunk
        Whether the features before the projection are stored too.
    trunk_is_image
        Whether the encoder projects nothing, so that both kinds are the same features.
    """

    _closed = False
    """Whether the store is closed: all but its place then raises StoreClosedError."""
    versions: Mapping[str, str] = {}
    """Versions of the packages that wrote it."""
    created: str = ""
    """When it was written, ISO 8601."""
    extraction: Mapping[str, Any] = {}
    """What the extraction that encoded last did; empty where that is not known."""

    def __init__(
        self,
        path: AnyPath,
        n_rows: int,
        *,
        encoder: dict[str, Any],
        source: dict[str, Any],
        fingerprint: str,
        has_trunk: bool,
        trunk_is_image: bool,
    ) -> None:
        self.path = path
        self.encoder = encoder
        self.source = source
        self.fingerprint = fingerprint
        self.has_trunk, self.trunk_is_image = has_trunk, trunk_is_image
        self._n_rows = n_rows

    def __len__(self) -> int:
        if self._closed:
            raise self._closed_error("length")
        return self._n_rows

    def __enter__(self) -> Self:
        if self._closed:
            raise self._closed_error("with block")
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        if self._closed:
            return f"FeatureStore({str(self.path)!r}, closed)"
        return f"FeatureStore({str(self.path)!r}: {len(self):,} × {self.dim}, {self.encoder_name})"

    def _short_table(self) -> ShortTable:
        """Return the table of the commonest classes by split."""
        if self._closed:
            return ShortTable(repr(self), [], [])
        try:
            return class_table(repr(self), self)
        except FishembedError as error:  # damaged: its file is there, and can be inspected
            return ShortTable(f"{self!r}: {error}", [], [])

    @abstractmethod
    def close(self) -> None:
        """Close the files; arrays that were handed out stay readable."""

    def __getattribute__(self, name: str) -> Any:
        """Return an attribute; raise StoreClosedError where the store is closed."""
        if not name.startswith("_") and name not in _AFTER_CLOSING and self._closed:
            raise self._closed_error(name)
        return super().__getattribute__(name)

    def _closed_error(self, name: str) -> StoreClosedError:
        return StoreClosedError(
            f"the store {str(self.path)!r} is closed, so it has no {name!r} any more: read it "
            "inside the 'with' block, or open the store again"
        )

    def verify(self) -> list[Damage]:
        """Return what differs from the checksums that the store was written with.

        Rows of joined stores count in each of them.
        """
        return self._verify()

    @abstractmethod
    def _verify(self) -> list[Damage]: ...

    @property
    def stores(self) -> Sequence[Store]:
        """The stores that are side by side here: more than this one where they were joined."""
        return (self,)

    def files(self) -> Iterator[AnyPath]:
        """Yield the paths of all files that the store is read from."""
        yield self.path

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return self.path.stem

    @property
    def encoder_name(self) -> str:
        """Name of the encoder, as for `load_encoder`."""
        return str(self.encoder.get("name", "unknown"))

    @property
    def encoder_fingerprint(self) -> str:
        """Identity of the encoder: features of two fingerprints are not comparable."""
        return str(self.encoder.get("fingerprint", ""))

    def feature_fingerprint(self, which: FeatureKind = "image") -> str:
        """Return the identity of the features' space: a head fits only the one of its training."""
        own_space = which == "trunk" and not self.trunk_is_image
        return f"{self.encoder_fingerprint}-trunk" if own_space else self.encoder_fingerprint

    def feature_rows(self, which: FeatureKind = "image") -> Matrix:
        """Return the features as rows that are read from disk on each access, and not cached."""
        return self._feature_rows(which)

    def layout(self, which: FeatureKind = "image") -> tuple[tuple[int, ...], str]:
        """Return the shape and type of the features."""
        rows = self._feature_rows(which)
        return tuple(rows.shape), str(rows.dtype)

    @abstractmethod
    def _feature_rows(self, which: FeatureKind) -> Matrix: ...

    @cached_property
    def features(self) -> npt.NDArray[Any]:
        """(n, dim), not normalised: a memory map, or `LazyRows` to be sliced as one."""
        return self._mapped_features("image")

    @cached_property
    def trunk(self) -> npt.NDArray[Any]:
        """(n, width), the features before the projection, as `features` are.

        Raises
        ------
        InputError
            When there are none.
        """
        for store in self.stores:
            if not store.has_trunk:
                raise InputError(
                    f"{str(store.path)!r} has no trunk features: 'fishembed extract … --trunk' "
                    "adds them, which encodes its images again"
                )
        return self.features if self.trunk_is_image else self._mapped_features("trunk")

    def _mapped_features(self, which: FeatureKind) -> npt.NDArray[Any]:
        return cast("npt.NDArray[Any]", self._feature_rows(which))

    @property
    def dim(self) -> int:
        """Length of an embedding."""
        return self.width()

    def width(self, which: FeatureKind = "image") -> int:
        """Return the length of an embedding of either kind."""
        return int(self._matrix(which).shape[1])

    def embeddings(
        self, rows: npt.NDArray[np.integer[Any]] | Sequence[int], which: FeatureKind = "image"
    ) -> npt.NDArray[np.float32]:
        """Return some rows' features as an array.

        Parameters
        ----------
        rows, which
            Row numbers, in any order; "image", or "trunk" for the features before the projection.

        Returns
        -------
        float32 (len(rows), dim)
        """
        return np.asarray(self._matrix(which)[np.asarray(rows, dtype=np.intp)], np.float32)

    vectors = embeddings

    def split(
        self, name: str, which: FeatureKind = "image"
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int32]]:
        """Return the labelled rows of a split, ready for a classifier.

        Parameters
        ----------
        name, which
            train, val or test, "all" for every labelled row; "image", or "trunk" for the features
            before the projection.

        Returns
        -------
        X : float32 (n, dim)
        y : int32 (n,)
            Labels into `classes`.

        Raises
        ------
        InputError
            When no labelled row has that split, or there are no trunk features.
        """
        rows = self.split_rows(name)
        return self.embeddings(rows, which), self.labels[rows]

    def lazy_split(
        self, name: str, which: FeatureKind = "image"
    ) -> tuple[LazyRows, npt.NDArray[np.int32]]:
        """Return the labelled rows of a split, as `split` does, without reading their features.

        Returns
        -------
        X : LazyRows
            (n, dim), in the type of the store; a slice of it is an array. The heads that
            train from blocks accept it as it is.
        y : int32 (n,)
            Labels into `classes`.
        """
        rows = self.split_rows(name)
        return SelectedRows(self._matrix(which), rows), self.labels[rows]

    def split_rows(self, name: str) -> npt.NDArray[np.intp]:
        """Return the row numbers that `split` reads."""
        chosen = self.labels >= 0
        if name != "all":
            chosen &= self.splits == name
        rows = np.flatnonzero(chosen)
        if not len(rows):
            raise InputError(
                f"{str(self.path)!r} has no labelled row in the split {name!r}; it has "
                f"{self._labelled_splits()}"
            )
        return rows

    def _labelled_splits(self) -> str:
        labelled = self.labels >= 0
        names = sorted({str(name) for name in np.unique(self.splits[labelled])} - {""})
        return ", ".join(names) or ("labels without splits" if labelled.any() else "no labels")

    def _matrix(self, which: FeatureKind) -> npt.NDArray[Any]:
        return self.trunk if which == "trunk" else self.features

    @cached_property
    def skipped(self) -> list[tuple[str, str]]:
        """(path, reason) of every image that could not be read."""
        return self._skipped()

    @abstractmethod
    def _skipped(self) -> list[tuple[str, str]]: ...

    @cached_property
    def history(self) -> tuple[Edit, ...]:
        """Edits by `split` and `fix`, oldest first; empty over several files."""
        return self._history()

    def _history(self) -> tuple[Edit, ...]:
        return ()

    @cached_property
    def dropped(self) -> Dropped | None:
        """Rows that `fix` dropped and can put back."""
        return self._dropped()

    def _dropped(self) -> Dropped | None:
        return None

    @property
    def text_keys(self) -> list[str]:
        """Names of the prompt sets that text features are cached for."""
        return self._text_keys()

    @abstractmethod
    def _text_keys(self) -> list[str]: ...

    def text(self, key: str) -> TextFeatures:
        """Return the text features of a prompt set; raise an `InputError` where it has none."""
        return self._text(key)

    @abstractmethod
    def _text(self, key: str) -> TextFeatures: ...

    @property
    def header(self) -> StoreHeader:
        """All of the store but its features and rows."""
        return StoreHeader(
            encoder=self.encoder,
            source=self.source,
            classes=tuple(self.classes),
            skipped=tuple(self.skipped),
            text={key: self.text(key) for key in self.text_keys},
            history=self.history,
            dropped=self.dropped,
            extraction=self.extraction,
        )
