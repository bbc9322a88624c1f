"""Reading a store: opened in milliseconds, read where it is looked at."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from fishembed.cache.checksums import damaged_blocks
from fishembed.cache.files import map_rows
from fishembed.cache.schema import (
    CHECKSUMS,
    IMAGE,
    TEXT,
    Rows,
    StoreHead,
    TextVectors,
    check_schema,
    decode_utf8,
)
from fishembed.errors import InputError, StoreFormatError, StoreNotFoundError


class FeatureStore:
    """One set of pictures under one encoder, as vectors.

    Open it with `FeatureStore.open`. It stays the store that was opened, also when another
    is written to its place meanwhile.

    Examples
    --------
    >>> store = FeatureStore.open("cache/fish.h5")           # doctest: +SKIP
    >>> X, y = store.split("train")                          # doctest: +SKIP
    """

    def __init__(self, file: h5py.File, path: Path) -> None:
        self._file = file
        self.path = path
        check_schema(dict(file.attrs), path)
        self.encoder: dict[str, Any] = json.loads(file.attrs["encoder"])
        self.source: dict[str, Any] = json.loads(file.attrs["source"])
        self.fingerprint: str = str(file.attrs["fingerprint"])
        self.created: str = str(file.attrs["created"])

    @classmethod
    def open(cls, path: str | Path) -> FeatureStore:
        """Open a store for reading.

        Parameters
        ----------
        path
            The HDF5 file.

        Raises
        ------
        StoreNotFoundError
            When there is no such file.
        StoreFormatError
            When it is no store, is damaged, or has a newer schema.
        """
        path = Path(path)
        if not path.is_file():
            raise StoreNotFoundError(
                f"no feature store at {str(path)!r}: 'fishembed extract' and 'fishembed import' "
                "make one"
            )
        try:
            file = h5py.File(path, "r", locking=False)
        except OSError as error:
            raise StoreFormatError(f"{str(path)!r} is not a readable HDF5 file: {error}") from error
        try:
            return cls(file, path)
        except StoreFormatError:
            file.close()
            raise
        except (KeyError, ValueError) as error:
            file.close()
            raise StoreFormatError(f"{str(path)!r} is damaged: {error}") from error

    def close(self) -> None:
        """Let go of the file; vectors that were handed out stay readable."""
        self._file.close()

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
        return int(self._file[IMAGE].shape[0])

    def __repr__(self) -> str:
        return f"FeatureStore({str(self.path)!r}: {len(self):,} × {self.dim}, {self.encoder_name})"

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return self.path.stem

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return int(self._file[IMAGE].shape[1])

    @property
    def encoder_name(self) -> str:
        """What the encoder is called."""
        return str(self.encoder.get("name", "unknown"))

    @property
    def encoder_fingerprint(self) -> str:
        """Identity of the encoder: vectors of two fingerprints are not comparable."""
        return str(self.encoder.get("fingerprint", ""))

    @cached_property
    def features(self) -> npt.NDArray[Any]:
        """float32 or float16 (n, dim), as the encoder gave them; a read-only memory map."""
        return map_rows(self._file, IMAGE)

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
        return np.asarray(self._file["rows/label"][()], dtype=np.int32)

    @cached_property
    def classes(self) -> list[str]:
        """Names of the classes, in the order that labels count."""
        return self._texts("classes")

    @cached_property
    def splits(self) -> npt.NDArray[np.str_]:
        """Text (n,): train, val, test or ""."""
        return np.char.decode(np.asarray(self._file["rows/split"][()], dtype="S5"), "utf-8")

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
            size=np.asarray(self._file["rows/size"][()]),
            mtime_ns=np.asarray(self._file["rows/mtime_ns"][()]),
            label=self.labels,
            split=self.splits.tolist(),
            group=self.groups,
        )

    @cached_property
    def skipped(self) -> list[tuple[str, str]]:
        """(path, reason) of every picture that could not be read."""
        paths, reasons = self._texts("skipped/path"), self._texts("skipped/reason")
        return list(zip(paths, reasons, strict=True))

    @property
    def head(self) -> StoreHead:
        """All of the store but its vectors and rows."""
        return StoreHead(
            encoder=self.encoder,
            source=self.source,
            classes=tuple(self.classes),
            skipped=tuple(self.skipped),
            text={key: self.text(key) for key in self.text_keys},
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
        group = self._file[TEXT][key]
        return TextVectors(
            features=np.asarray(group["features"][()], np.float32),
            names=tuple(self._texts(f"{TEXT}/{key}/names")),
            templates=tuple(self._texts(f"{TEXT}/{key}/templates")),
            logit_scale=float(group.attrs["logit_scale"]),
        )

    def split(self, name: str) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int32]]:
        """Give the labelled rows of a split, ready for a classifier.

        Parameters
        ----------
        name
            train, val or test; "all" for every labelled row.

        Returns
        -------
        X : float32 (n, dim)
        y : int32 (n,)
            Labels into `classes`.

        Raises
        ------
        InputError
            When no labelled row has that split.
        """
        rows = self.split_rows(name)
        return self.vectors(rows), self.labels[rows]

    def split_rows(self, name: str) -> npt.NDArray[np.intp]:
        """Give the row numbers that `split` reads."""
        wanted = self.labels >= 0
        if name != "all":
            wanted &= self.splits == name
        rows = np.flatnonzero(wanted)
        if not len(rows):
            raise InputError(
                f"{str(self.path)!r} has no labelled row in the split {name!r}; it has "
                f"{self._what_is_labelled()}"
            )
        return rows

    def _what_is_labelled(self) -> str:
        labelled = self.labels >= 0
        names = sorted({str(name) for name in np.unique(self.splits[labelled])} - {""})
        return ", ".join(names) or ("labels without splits" if labelled.any() else "no labels")

    def vectors(self, rows: npt.NDArray[np.intp] | Sequence[int]) -> npt.NDArray[np.float32]:
        """Give float32 (len(rows), dim) of the rows named."""
        return np.asarray(self.features[np.asarray(rows)], dtype=np.float32)

    def damaged_rows(self) -> list[tuple[int, int]]:
        """Compare checksums; give (first, behind last) row of each damaged block."""
        return damaged_blocks(self.features, self._file[f"{CHECKSUMS}/image"][()])

    def _texts(self, name: str) -> list[str]:
        return decode_utf8(self._file[name][()].tolist())


def newest_store(folder: str | Path) -> Path:
    """Give the store in `folder` that was written last.

    Raises
    ------
    StoreNotFoundError
        When there is none.
    """
    found = [path for path in Path(folder).glob("*.h5") if not path.name.startswith(".")]
    if not found:
        raise StoreNotFoundError(
            f"no feature store in {str(folder)!r}: make one with 'fishembed extract' or "
            "'fishembed import'"
        )
    return max(found, key=lambda path: (path.stat().st_mtime_ns, path.name))
