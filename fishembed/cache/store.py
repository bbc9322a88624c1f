"""Reading a store: opened in milliseconds, read where it is looked at."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import numpy.typing as npt

from fishembed._base.paths import to_path
from fishembed._base.remote_files import local_copy
from fishembed.cache.checksums import Damage, attributes_checksum, find_damage, read_checksums
from fishembed.cache.files import map_rows, open_hdf5
from fishembed.cache.history import Dropped, Edit, read_dropped, read_history
from fishembed.cache.labelled import LabelledVectors, Which
from fishembed.cache.migrations import at_this_schema
from fishembed.cache.schema import (
    ATTRIBUTES,
    CHECKSUMS,
    IMAGE,
    INDEX_SUFFIX,
    TEXT,
    TRUNK,
    VECTORS,
    Rows,
    StoreHead,
    TextVectors,
    decode_attribute,
    decode_texts,
)
from fishembed.errors import (
    InputError,
    StoreFormatError,
    StoreIntegrityError,
    StoreNotFoundError,
)

if TYPE_CHECKING:
    import pandas as pd
    from upath import UPath

    from fishembed._base.paths import AnyPath


_WAY_OUT = "name another, or move it away and extract again"


class FeatureStore(LabelledVectors):
    """One set of pictures under one encoder, as vectors.

    Open it with `FeatureStore.open`. It stays the store that was opened, also when another
    is written to its place meanwhile.

    Examples
    --------
    >>> store = FeatureStore.open("cache/fish.h5")           # doctest: +SKIP
    >>> X, y = store.split("train")                          # doctest: +SKIP
    """

    def __init__(self, file: h5py.File, path: AnyPath) -> None:
        self.path = path
        self._vectors = file
        self._file = at_this_schema(file, path)
        said = {name: decode_attribute(value) for name, value in self._file.attrs.items()}
        self.encoder: dict[str, Any] = json.loads(said["encoder"])
        self.source: dict[str, Any] = json.loads(said["source"])
        self.versions: dict[str, str] = json.loads(said["versions"])
        self.extraction: dict[str, Any] = json.loads(said.get("extraction", "{}"))
        self.fingerprint = said["fingerprint"]
        self.created = said["created"]
        self._n, self._dim = map(int, file[IMAGE].shape)

    @classmethod
    def open(cls, path: str | Path | UPath) -> FeatureStore:
        """Open a store for reading.

        Parameters
        ----------
        path
            The HDF5 file, or an index (`.json`) over several; or the URL of one: then a copy
            is fetched to this machine and kept until the one there changes.

        Raises
        ------
        StoreNotFoundError
            When there is no such file.
        StoreFormatError
            When it is no store, is damaged, or has a newer schema.
        """
        path = to_path(path)
        try:
            if path.suffix == INDEX_SUFFIX:
                from fishembed.cache.partitioned import open_index

                return open_index(path)
            file = open_hdf5(local_copy(path))
        except FileNotFoundError as error:
            raise StoreNotFoundError(
                f"no feature store at {str(path)!r}: 'fishembed extract' and 'fishembed import' "
                "make one"
            ) from error
        except OSError as error:
            raise StoreFormatError(
                f"{str(path)!r} is not a readable HDF5 file ({error}): {_WAY_OUT}"
            ) from error
        try:
            return cls(file, path)
        except StoreFormatError:
            file.close()
            raise
        except (KeyError, ValueError, OSError, RuntimeError) as error:
            file.close()
            raise StoreFormatError(f"{str(path)!r} is damaged ({error}): {_WAY_OUT}") from error

    def close(self) -> None:
        """Let go of the file; vectors that were handed out stay readable."""
        self._file.close()
        self._vectors.close()

    def __enter__(self) -> FeatureStore:  # noqa: PYI034 - Self needs Python 3.11
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __len__(self) -> int:
        return self._n

    def __repr__(self) -> str:
        return f"FeatureStore({str(self.path)!r}: {len(self):,} × {self.dim}, {self.encoder_name})"

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return self.path.stem

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self._dim

    @property
    def encoder_name(self) -> str:
        """What the encoder is called."""
        return str(self.encoder.get("name", "unknown"))

    @property
    def encoder_fingerprint(self) -> str:
        """Identity of the encoder: vectors of two fingerprints are not comparable."""
        return str(self.encoder.get("fingerprint", ""))

    def width(self, which: Which = "image") -> int:
        """Give the length of a vector."""
        return int((self.trunk if which == "trunk" else self.features).shape[1])

    def feature_fingerprint(self, which: Which = "image") -> str:
        """Give the identity of the vectors' space: a head that learnt in it fits no other."""
        own_space = which == "trunk" and not self.trunk_is_image
        return f"{self.encoder_fingerprint}-trunk" if own_space else self.encoder_fingerprint

    @cached_property
    def features(self) -> npt.NDArray[Any]:
        """float32 or float16 (n, dim), as the encoder gave them; a read-only memory map."""
        return self._vector_map(IMAGE)

    @cached_property
    def has_trunk(self) -> bool:
        """Whether the vectors before the projection are kept too."""
        return TRUNK in self._vectors

    @cached_property
    def trunk_is_image(self) -> bool:
        """Whether the encoder projects nothing, so that both are the same vectors."""
        return self.has_trunk and bool(self._vectors[TRUNK] == self._vectors[IMAGE])

    @cached_property
    def trunk(self) -> npt.NDArray[Any]:
        """float32 or float16 (n, width), the vectors before the projection; a memory map."""
        if not self.has_trunk:
            raise InputError(
                f"{str(self.path)!r} has no trunk vectors: 'fishembed extract … --trunk' adds "
                "them, which encodes its pictures again"
            )
        return self.features if self.trunk_is_image else self._vector_map(TRUNK)

    @cached_property
    def paths(self) -> list[str]:
        """Path of each picture, relative to the source's root or absolute."""
        return self._texts("rows/path")

    @cached_property
    def digests(self) -> list[str]:
        """SHA-256 of each picture's bytes in hex."""
        return self._texts("rows/digest")

    @cached_property
    def labels(self) -> npt.NDArray[np.int32]:
        """int32 (n,) into `classes`, -1 for none."""
        return self._read("rows/label").astype(np.int32, copy=False)

    @cached_property
    def classes(self) -> list[str]:
        """Names of the classes, in the order that labels count."""
        return self._texts("classes")

    @cached_property
    def splits(self) -> npt.NDArray[np.str_]:
        """Text (n,): train, val, test or ""."""
        return np.array(self._texts("rows/split"), dtype="U5")

    @cached_property
    def groups(self) -> list[str]:
        """Group of each row; "" for none."""
        return self._texts("rows/group") if "rows/group" in self._file else [""] * len(self)

    @cached_property
    def rows(self) -> Rows:
        """All that is known of the pictures, as columns."""
        return Rows(
            path=self.paths,
            digest=self.digests,
            size=self._read("rows/size"),
            mtime_ns=self._read("rows/mtime_ns"),
            label=self.labels,
            split=self.splits.tolist(),
            group=self.groups,
        )

    @cached_property
    def skipped(self) -> list[tuple[str, str]]:
        """(path, reason) of every picture that could not be read."""
        paths, reasons = self._texts("skipped/path"), self._texts("skipped/reason")
        return list(zip(paths, reasons, strict=True))

    @cached_property
    def history(self) -> tuple[Edit, ...]:
        """What people changed since, by `split` and `fix`; oldest first."""
        return read_history(self._file, self._texts)

    @cached_property
    def dropped(self) -> Dropped | None:
        """Rows that `fix` dropped and can put back."""
        return read_dropped(self._file, self._texts, self._read)

    @property
    def head(self) -> StoreHead:
        """All of the store but its vectors and rows."""
        return StoreHead(
            encoder=self.encoder,
            source=self.source,
            classes=tuple(self.classes),
            skipped=tuple(self.skipped),
            text={key: self.text(key) for key in self.text_keys},
            history=self.history,
            dropped=self.dropped,
            extraction=self.extraction,
        )

    @property
    def text_keys(self) -> list[str]:
        """Names of the prompt sets that text vectors are cached for."""
        return list(self._file[TEXT]) if TEXT in self._file else []

    def text(self, key: str) -> TextVectors:
        """Give the text vectors of a prompt set.

        Raises
        ------
        InputError
            When the store has none under that name.
        """
        if key not in self.text_keys:
            have = ", ".join(self.text_keys) or "none"
            raise InputError(
                f"{str(self.path)!r} has no text vectors {key!r} (it has {have}): "
                f"'fishembed extract … --prompts {key}' adds them without encoding pictures again"
            )
        return TextVectors(
            features=self._read(f"{TEXT}/{key}/features").astype(np.float32, copy=False),
            names=tuple(self._texts(f"{TEXT}/{key}/names")),
            templates=tuple(self._texts(f"{TEXT}/{key}/templates")),
            logit_scale=float(self._file[TEXT][key].attrs["logit_scale"]),
            tower=decode_attribute(self._file[TEXT][key].attrs.get("tower", "")),
        )

    def vectors(
        self, rows: npt.NDArray[np.intp] | Sequence[int], which: Which = "image"
    ) -> npt.NDArray[np.float32]:
        """Give float32 (len(rows), dim) of the rows named.

        Parameters
        ----------
        rows
            Row numbers, in any order.
        which
            "image", or "trunk" for the vectors before the projection.

        Raises
        ------
        InputError
            When there are no trunk vectors.
        """
        array = self.trunk if which == "trunk" else self.features
        return np.asarray(array[np.asarray(rows, dtype=np.intp)], dtype=np.float32)

    def verify(self) -> list[Damage]:
        """Compare all that is in the store with the checksums it was written with.

        Returns
        -------
        list of Damage
            Empty where the store is as it was written.
        """
        try:
            checksums = read_checksums(self._file)
            expected = self._file[CHECKSUMS].attrs.get(ATTRIBUTES)
        except (KeyError, OSError, RuntimeError, ValueError) as error:
            raise self._damaged(CHECKSUMS, error) from error
        found = [one for name, sums in checksums.items() for one in self._damage(name, sums)]
        if expected is not None and expected != attributes_checksum(self._file.attrs):
            found.append(Damage(ATTRIBUTES, 0, 0))
        return found

    def to_pandas(self, *, vectors: bool = True) -> pd.DataFrame:
        """Give the rows as a table.

        Parameters
        ----------
        vectors
            Whether a column `vector` holds each row's vector, a view without a copy.

        Returns
        -------
        pandas.DataFrame
            Columns path, label (name of the class, None without), split, group, digest,
            size, mtime_ns[, vector]; one row for each picture, in the store's order.

        Raises
        ------
        MissingExtraError
            When pandas is not installed.
        """
        from fishembed.cache.table import store_table

        return store_table(self, vectors=vectors)

    def _damage(self, name: str, checksums: npt.NDArray[np.uint32]) -> list[Damage]:
        try:
            data = self._vector_map(name) if name in VECTORS else self._read(name)
        except StoreIntegrityError:
            return [Damage(name, 0, max(0, len(self) - 1))]
        return find_damage(name, data, checksums)

    def _vector_map(self, name: str) -> npt.NDArray[Any]:
        try:
            return map_rows(self._vectors[name])
        except (KeyError, OSError, RuntimeError, ValueError) as error:
            raise self._damaged(name, error) from error

    def _read(self, name: str) -> npt.NDArray[Any]:
        try:
            return np.asarray(self._file[name][()])
        except (KeyError, OSError, RuntimeError, ValueError) as error:
            raise self._damaged(name, error) from error

    def _texts(self, name: str) -> list[str]:
        return decode_texts(self._read(name))

    def _damaged(self, name: str, error: Exception) -> StoreIntegrityError:
        return StoreIntegrityError(
            f"{str(self.path)!r} is damaged: {name!r} cannot be read ({error}): {_WAY_OUT}"
        )
