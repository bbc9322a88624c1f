"""A store in one HDF5 file: opened in milliseconds, read when accessed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import numpy.typing as npt

from fishembed._base.paths import places_of, scrub, without_secrets
from fishembed._base.text import reason_of
from fishembed.cache.edit_history import (
    DROPPED,
    DROPPED_ARRAYS,
    DROPPED_TEXTS,
    Dropped,
    Edit,
    read_history,
)
from fishembed.cache.hdf5_files import ForeignDataError, map_dataset, open_hdf5
from fishembed.cache.lazy_rows import Matrix, file_rows
from fishembed.cache.rows import OPTIONAL_ARRAYS, Column, dataset_name, text_column, unknown_array
from fishembed.cache.schema import (
    ATTRIBUTES,
    CHECKSUMS,
    IMAGE,
    METADATA,
    METADATA_NAMES,
    TEXT,
    TRUNK,
    TextFeatures,
    decode_attribute,
    decode_texts,
    migrated,
)
from fishembed.cache.store import FeatureKind, Store
from fishembed.cache.validation import (
    Damage,
    attributes_checksum,
    check_column,
    check_layout,
    find_damage,
    first_not_finite,
    read_checksums,
    read_description,
    read_safely,
)
from fishembed.errors import InputError, StoreFormatError, StoreIntegrityError, StoreLockedError

if TYPE_CHECKING:
    from fishembed._base.paths import AnyPath

_ALONE = "ask whoever made it for a file that stands alone"
_ADVICE = "name another, or move it away and extract again"
_TEXT_COLUMNS = frozenset({"path", "digest", "split", "group"})
_FEATURES = {"image": IMAGE, "trunk": TRUNK}
_UNREADABLE = (KeyError, OSError, RuntimeError, ValueError, TypeError)
"""Errors that HDF5 raises on damaged data."""


class Hdf5Store(Store):
    """One HDF5 file, whose features are read-only memory maps.

    It stays the store that was opened, also when another is written to its place meanwhile. With
    `check` everything is compared with its checksums on first read. Open it with `read`.
    """

    def __init__(self, file: h5py.File, path: AnyPath, *, check: bool = True) -> None:
        self._features = file
        # An older schema is migrated to this one in memory, all but the features.
        self._file = migrated(file, path)
        about = read_description(self._file.attrs)
        check_layout(self._file, file)
        super().__init__(
            path,
            int(file[IMAGE].shape[0]),
            encoder=about["encoder"],
            source=without_secrets(about["source"]),
            fingerprint=about["fingerprint"],
            has_trunk=TRUNK in file,
            trunk_is_image=TRUNK in file and bool(file[TRUNK] == file[IMAGE]),
        )
        self.versions, self.created = about["versions"], about["created"]
        self.extraction = about["extraction"]
        self._checks = check
        self.checked: set[str] = set()
        """Data sets that were compared with their checksums."""
        if check and not self._attributes_hold():
            raise self._changed(Damage(ATTRIBUTES, 0, 0))

    @classmethod
    def read(cls, local: Path, path: AnyPath, *, check: bool = True) -> Hdf5Store:
        """Open a file of this machine, of a store at `path`; see `fishembed.cache.open_store`."""
        try:
            file = open_hdf5(local)
        except ForeignDataError as error:
            raise StoreFormatError(f"{str(path)!r} is refused: {error}: {_ALONE}") from error
        except (FileNotFoundError, StoreLockedError):
            raise
        except OSError as error:
            raise StoreFormatError(
                f"{str(path)!r} is not a readable HDF5 file ({error}): {_ADVICE}"
            ) from error
        try:
            return cls(file, path, check=check)
        except (StoreFormatError, StoreIntegrityError):
            file.close()
            raise
        except Exception as error:  # what a crafted file breaks cannot be listed
            file.close()
            raise StoreFormatError(
                f"{str(path)!r} is damaged ({reason_of(error)}): {_ADVICE}"
            ) from error

    def close(self) -> None:
        """Close the file; arrays that were handed out stay readable."""
        self._file.close()
        self._features.close()
        self._closed = True

    def layout(self, which: FeatureKind = "image") -> tuple[tuple[int, ...], str]:
        """Return the shape and type of the features without reading any."""
        dataset = self._features[_FEATURES[which]]
        return tuple(dataset.shape), str(dataset.dtype)

    def width(self, which: FeatureKind = "image") -> int:
        """Return the length of an embedding of either kind; no features are read."""
        known = which == "image" or self.has_trunk
        return self.layout(which)[0][1] if known else super().width(which)

    def _mapped_features(self, which: FeatureKind) -> npt.NDArray[Any]:
        mapped = self._map(_FEATURES[which])
        self._check_features(_FEATURES[which], mapped)
        return mapped

    @read_safely
    def _feature_rows(self, which: FeatureKind) -> Matrix:
        rows = file_rows(self._features[_FEATURES[which]])
        self._check_features(_FEATURES[which], rows)
        return rows

    @read_safely
    def _classes(self) -> list[str]:
        return self._texts("classes")

    @read_safely
    def _skipped(self) -> list[tuple[str, str]]:
        paths, reasons = self._texts("skipped/path"), self._texts("skipped/reason")
        return list(zip(places_of(paths), map(scrub, reasons), strict=True))

    @read_safely
    def _history(self) -> tuple[Edit, ...]:
        return read_history(self._file, self._texts)

    @read_safely
    def _dropped(self) -> Dropped | None:
        if DROPPED not in self._file:
            return None
        place, group = f"{DROPPED}/", self._file[DROPPED]
        columns: dict[str, Any] = {name: self._texts(place + name) for name in DROPPED_TEXTS}
        columns |= {name: self._read(place + name) for name in DROPPED_ARRAYS if name in group}
        columns["path"] = list(places_of(columns["path"]))
        return Dropped(**columns, metadata=self._read_metadata(place))

    @read_safely
    def _text_keys(self) -> list[str]:
        return list(self._file[TEXT]) if TEXT in self._file else []

    @read_safely
    def _text(self, key: str) -> TextFeatures:
        if key not in self.text_keys:
            have = ", ".join(self.text_keys) or "none"
            raise InputError(
                f"{str(self.path)!r} has no text features {key!r} (it has {have}): "
                f"'fishembed extract … --prompts {key}' adds them without encoding images again"
            )
        attributes = self._file[TEXT][key].attrs
        features = self._read(f"{TEXT}/{key}/features").astype(np.float32, copy=False)
        if self._checks and not np.isfinite(features).all():
            raise ValueError(f"the text features {key!r} are not finite")
        return TextFeatures(
            features=features,
            names=tuple(self._texts(f"{TEXT}/{key}/names")),
            templates=tuple(self._texts(f"{TEXT}/{key}/templates")),
            logit_scale=float(attributes["logit_scale"]),
            tower=decode_attribute(attributes.get("tower", "")),
        )

    def _verify(self) -> list[Damage]:
        with self._reading(CHECKSUMS):
            checksums = read_checksums(self._file)
            holds = self._attributes_hold()
        found = [one for name, sums in checksums.items() for one in self._damage(name, sums)]
        return found if holds else [*found, Damage(ATTRIBUTES, 0, 0)]

    def _attributes_hold(self) -> bool:
        expected = self._file[CHECKSUMS].attrs.get(ATTRIBUTES)
        return expected is None or expected == attributes_checksum(self._features.attrs)

    def _damage(self, name: str, checksums: npt.NDArray[np.uint32]) -> list[Damage]:
        try:
            whole = self._map(name) if name in (IMAGE, TRUNK) else self._read_unchecked(name)
        except StoreIntegrityError:
            return [Damage(name, 0, max(0, len(self) - 1))]
        return find_damage(name, whole, checksums)

    def _check_features(self, name: str, matrix: Matrix) -> None:
        """Compare features with their checksums, and check that all are finite, once."""
        if name == TRUNK and self.trunk_is_image:
            name = IMAGE
        if self._checks and name not in self.checked:
            if damage := find_damage(name, matrix, self._checksums(name)):
                raise self._changed(damage[0])
            if (row := first_not_finite(matrix)) is not None:
                raise StoreIntegrityError(
                    f"{str(self.path)!r} is damaged: the embedding in row {row} of {name!r} is "
                    f"not finite: {_ADVICE}"
                )
            self.checked.add(name)

    def _checksums(self, name: str) -> npt.NDArray[np.uint32]:
        return self._read_unchecked(f"{CHECKSUMS}/{name}")

    def _changed(self, damage: Damage) -> StoreIntegrityError:
        rows = f", rows {damage.first} to {damage.last}"
        where = f"{damage.dataset!r}{'' if damage.dataset == ATTRIBUTES else rows}"
        return StoreIntegrityError(
            f"{str(self.path)!r} is damaged in {where}: 'fishembed info --verify' names all "
            "that is not as it was written, 'fishembed extract' makes it again"
        )

    @read_safely
    def column(self, name: str) -> Any:
        """Return a column of `Rows` by its name."""
        dataset = f"rows/{name}"
        if name == "group" and dataset not in self._file:
            return [""] * len(self)
        if name == "path":
            return list(places_of(self._texts(dataset)))
        if name in OPTIONAL_ARRAYS and dataset not in self._file:
            return unknown_array(name, len(self))
        column = self._texts(dataset) if name in _TEXT_COLUMNS else self._read(dataset)
        if self._checks:
            check_column(name, column, len(self.classes) if name == "label" else 0)
        return column

    @read_safely
    def _metadata(self) -> Mapping[str, Column]:
        return self._read_metadata("")

    def _read_metadata(self, prefix: str) -> dict[str, Column]:
        names = f"{prefix}{METADATA_NAMES}"
        found = self._texts(names) if names in self._file else []
        return {
            name: self._read_column(f"{prefix}{METADATA}/{dataset_name(name)}") for name in found
        }

    def _read_column(self, name: str) -> Column:
        if f"{name}/end" in self._file:
            blob, ends = self._read(f"{name}/bytes").tobytes(), self._read(f"{name}/end").tolist()
            parts = [blob[start:end] for start, end in zip([0, *ends], ends, strict=False)]
            return np.array([part.decode("utf-8", "surrogateescape") for part in parts], object)
        column = self._read(name)
        return column if column.dtype.kind == "f" else text_column(decode_texts(column))

    def _texts(self, name: str) -> list[str]:
        return decode_texts(self._read(name))

    def _read(self, name: str) -> npt.NDArray[Any]:
        found = self._read_unchecked(name)
        migrated_to = self._file is not self._features and f"{CHECKSUMS}/{name}" not in self._file
        if self._checks and name not in self.checked and not migrated_to:
            if damage := find_damage(name, found, self._checksums(name)):
                raise self._changed(damage[0])
            self.checked.add(name)
        return found

    def _read_unchecked(self, name: str) -> npt.NDArray[Any]:
        with self._reading(name):
            return np.asarray(self._file[name][()])

    def _map(self, name: str) -> npt.NDArray[Any]:
        with self._reading(name):
            return map_dataset(self._features[name])

    @contextmanager
    def _reading(self, name: str) -> Iterator[None]:
        """Raise an error that the file is damaged where HDF5 cannot read a data set."""
        try:
            yield
        except _UNREADABLE as error:
            raise StoreIntegrityError(
                f"{str(self.path)!r} is damaged: {name!r} cannot be read ({error}): {_ADVICE}"
            ) from error
