"""A store in one HDF5 file: opened in milliseconds, read where it is looked at."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import numpy.typing as npt

from fishembed.cache.checksums import Damage, attributes_checksum, find_damage, read_checksums
from fishembed.cache.hdf5_files import map_dataset, open_hdf5
from fishembed.cache.history import Dropped, Edit, read_dropped, read_history
from fishembed.cache.lazy_rows import Matrix, file_rows
from fishembed.cache.schema import (
    ATTRIBUTES,
    CHECKSUMS,
    IMAGE,
    TEXT,
    TRUNK,
    TextFeatures,
    decode_attribute,
    decode_texts,
    migrated,
)
from fishembed.cache.store import FeatureKind, Store
from fishembed.errors import InputError, StoreFormatError, StoreIntegrityError

if TYPE_CHECKING:
    from fishembed._base.paths import AnyPath

_ADVICE = "name another, or move it away and extract again"
_TEXT_COLUMNS = frozenset({"path", "digest", "split", "group"})


class Hdf5Store(Store):
    """One HDF5 file, whose features are read-only memory maps.

    It stays the store that was opened, also when another is written to its place meanwhile.

    Parameters
    ----------
    file
        The open file; it is closed with the store.
    path
        Where the store lies, which may be elsewhere than the file.

    Raises
    ------
    StoreFormatError
        When the file is no store, is damaged, or has a newer schema.
    """

    def __init__(self, file: h5py.File, path: AnyPath) -> None:
        self._features = file
        # What an older schema says is brought to this one in memory, all but the features.
        self._file = migrated(file, path)
        texts = {name: decode_attribute(value) for name, value in self._file.attrs.items()}
        super().__init__(
            path,
            int(file[IMAGE].shape[0]),
            encoder=json.loads(texts["encoder"]),
            source=json.loads(texts["source"]),
            fingerprint=texts["fingerprint"],
        )
        self.versions = json.loads(texts["versions"])
        self.extraction = json.loads(texts.get("extraction", "{}"))
        self.created = texts["created"]

    @classmethod
    def read(cls, local: Path, path: AnyPath) -> Hdf5Store:
        """Open a file of this machine; see `fishembed.cache.open_store`.

        Parameters
        ----------
        local
            The file.
        path
            The store's own path: that of the file, or of what it is a copy of.
        """
        try:
            file = open_hdf5(local)
        except OSError as error:
            raise StoreFormatError(
                f"{str(path)!r} is not a readable HDF5 file ({error}): {_ADVICE}"
            ) from error
        try:
            return cls(file, path)
        except StoreFormatError:
            file.close()
            raise
        except (KeyError, ValueError, OSError, RuntimeError) as error:
            file.close()
            raise StoreFormatError(f"{str(path)!r} is damaged ({error}): {_ADVICE}") from error

    def close(self) -> None:
        """Close the file; arrays that were handed out stay readable."""
        self._file.close()
        self._features.close()

    @cached_property
    def has_trunk(self) -> bool:
        """Whether the features before the projection are kept too."""
        return TRUNK in self._features

    @cached_property
    def trunk_is_image(self) -> bool:
        """Whether the encoder projects nothing, so that both kinds are the same features."""
        return self.has_trunk and bool(self._features[TRUNK] == self._features[IMAGE])

    @cached_property
    def features(self) -> npt.NDArray[Any]:
        """float32 or float16 (n, dim), as the encoder gave them; a read-only memory map."""
        return self._map(IMAGE)

    @cached_property
    def trunk(self) -> npt.NDArray[Any]:
        """float32 or float16 (n, width), the features before the projection; a memory map."""
        self._check_trunk()
        return self.features if self.trunk_is_image else self._map(TRUNK)

    def feature_rows(self, which: FeatureKind = "image") -> Matrix:
        """Return the features as rows that are read from disk when asked for, and not kept."""
        return file_rows(self._features[IMAGE if which == "image" else TRUNK])

    @cached_property
    def classes(self) -> list[str]:
        """Names of the classes, in the order that labels count."""
        return self._texts("classes")

    @cached_property
    def skipped(self) -> list[tuple[str, str]]:
        """(path, reason) of every image that could not be read."""
        paths, reasons = self._texts("skipped/path"), self._texts("skipped/reason")
        return list(zip(paths, reasons, strict=True))

    @cached_property
    def history(self) -> Sequence[Edit]:  # type: ignore[override]
        """What people changed since, by `split` and `fix`; oldest first."""
        return read_history(self._file, self._texts)

    @cached_property
    def dropped(self) -> Dropped | None:  # type: ignore[override]
        """Rows that `fix` dropped and can put back."""
        return read_dropped(self._file, self._texts, self._read)

    @property
    def text_keys(self) -> list[str]:
        """Names of the prompt sets that text features are cached for."""
        return list(self._file[TEXT]) if TEXT in self._file else []

    def text(self, key: str) -> TextFeatures:
        """Return the text features of a prompt set; see `Store.text`."""
        if key not in self.text_keys:
            have = ", ".join(self.text_keys) or "none"
            raise InputError(
                f"{str(self.path)!r} has no text features {key!r} (it has {have}): "
                f"'fishembed extract … --prompts {key}' adds them without encoding images again"
            )
        attributes = self._file[TEXT][key].attrs
        return TextFeatures(
            features=self._read(f"{TEXT}/{key}/features").astype(np.float32, copy=False),
            names=tuple(self._texts(f"{TEXT}/{key}/names")),
            templates=tuple(self._texts(f"{TEXT}/{key}/templates")),
            logit_scale=float(attributes["logit_scale"]),
            tower=decode_attribute(attributes.get("tower", "")),
        )

    def verify(self) -> list[Damage]:
        """Compare everything in the file with its checksums; see `Store.verify`."""
        try:
            checksums = read_checksums(self._file)
            expected = self._file[CHECKSUMS].attrs.get(ATTRIBUTES)
        except (KeyError, OSError, RuntimeError, ValueError) as error:
            raise self._damaged(CHECKSUMS, error) from error
        found = [one for name, sums in checksums.items() for one in self._damage(name, sums)]
        if expected is not None and expected != attributes_checksum(self._file.attrs):
            found.append(Damage(ATTRIBUTES, 0, 0))
        return found

    def _damage(self, name: str, checksums: npt.NDArray[np.uint32]) -> list[Damage]:
        try:
            data = self._map(name) if name in (IMAGE, TRUNK) else self._read(name)
        except StoreIntegrityError:
            return [Damage(name, 0, max(0, len(self) - 1))]
        return find_damage(name, data, checksums)

    def column(self, name: str) -> Any:
        """Return a column of `Rows` by its name."""
        dataset = f"rows/{name}"
        if name == "group" and dataset not in self._file:
            return [""] * len(self)
        return self._texts(dataset) if name in _TEXT_COLUMNS else self._read(dataset)

    def _texts(self, name: str) -> list[str]:
        return decode_texts(self._read(name))

    def _read(self, name: str) -> npt.NDArray[Any]:
        try:
            return np.asarray(self._file[name][()])
        except (KeyError, OSError, RuntimeError, ValueError) as error:
            raise self._damaged(name, error) from error

    def _map(self, name: str) -> npt.NDArray[Any]:
        try:
            return map_dataset(self._features[name])
        except (KeyError, OSError, RuntimeError, ValueError) as error:
            raise self._damaged(name, error) from error

    def _damaged(self, name: str, error: Exception) -> StoreIntegrityError:
        return StoreIntegrityError(
            f"{str(self.path)!r} is damaged: {name!r} cannot be read ({error}): {_ADVICE}"
        )
