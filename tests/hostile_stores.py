"""Stores and indexes that a stranger hands one; see `hostile_set`."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
from hostile_set import HUB, URL, Maker, odd_paths

from fishembed.cache import merge_stores, open_store, write_store
from fishembed.cache.validation import attributes_checksum, block_checksums


def _store(folder: Path, file: str, *, paths=(), root: str = "", **encoder: object) -> Path:
    """Write one's own store again, with other paths, root or encoder."""
    place = folder / file  # not in the cache: what lies there is one's own
    with open_store(folder / "cache/a.h5") as own:
        rows = own.rows
        source = {**own.source, "root": root or str(folder / "photos")}
        header = replace(own.header, encoder={**own.encoder, **encoder}, source=source)
        odd = [*paths, *rows.path[len(paths) :]]
        write_store(place, header, replace(rows, path=odd), own.features, trunk=own.trunk)
    return place


def paths_outside(folder: Path, out: Path) -> Path:
    for name, target in (("link.png", out / "secret.png"), ("door", out)):
        (folder / "photos" / name).symlink_to(target)
    return _store(folder, "paths.h5", paths=odd_paths(out))


def root_at_a_url(folder: Path, _: Path) -> Path:
    return _store(folder, "url.h5", root="http://127.0.0.1:9/photos")


def root_in_a_bucket(folder: Path, _: Path) -> Path:
    return _store(folder, "bucket.h5", root="s3://bucket/photos")


def encoder_of_the_hub(folder: Path, _: Path) -> Path:
    return _store(folder, "hub.h5", name=HUB, fingerprint="ab" * 32)


def encoder_in_a_file(folder: Path, out: Path) -> Path:
    name = f"ViT-B-32@{out}/weights.pt"
    return _store(folder, "file.h5", name=name, fingerprint="ab" * 32)


def _changed(change: Callable[[h5py.File, Path], str]) -> Maker:
    """Return what changes one's own store in place, and its checksums with it."""

    def make(folder: Path, out: Path) -> Path:
        place = folder / f"{change.__name__.strip('_')}.h5"
        shutil.copy(folder / "cache/a.h5", place)
        with h5py.File(place, "r+") as file:
            name = change(file, out)
            if name:
                del file[f"checksums/{name}"]
                file[f"checksums/{name}"] = block_checksums(file[name][()])
        return place

    make.__name__ = change.__name__.strip("_")
    return make


def _put(file: h5py.File, name: str, value: object) -> str:
    del file[name]
    file[name] = value
    return name


def _external_link(file: h5py.File, out: Path) -> str:
    _put(file, "rows/path", h5py.ExternalLink(str(out / "paths.h5"), "/paths"))
    return ""


def _external_storage(file: h5py.File, out: Path) -> str:
    del file["rows/path"]
    file.create_dataset("rows/path", (36,), "S6", external=[(str(out / "secret.txt"), 0, 216)])
    return ""


def _external_features(file: h5py.File, out: Path) -> str:
    del file["features/image"]
    file.create_dataset(
        "features/image", (36, 4), "f4", external=[(str(out / "secret.txt"), 0, 576)]
    )
    return ""


def _virtual(file: h5py.File, out: Path) -> str:
    layout = h5py.VirtualLayout((36,), "S6")
    layout[:] = h5py.VirtualSource(str(out / "paths.h5"), "paths", (36,))
    del file["rows/path"]
    file.create_virtual_dataset("rows/path", layout)
    return ""


def _soft_link(file: h5py.File, _: Path) -> str:
    _put(file, "rows/path", h5py.SoftLink("/rows/digest"))
    return ""


def _nan(file: h5py.File, _: Path) -> str:
    file["features/image"][3, 1] = np.nan
    return "features/image"


def _infinite_trunk(file: h5py.File, _: Path) -> str:
    file["features/trunk"][3, 1] = np.inf
    return "features/trunk"


def _nan_text(file: h5py.File, _: Path) -> str:
    file["text/single/features"][0, 0] = np.nan
    return "text/single/features"


def _label(file: h5py.File, _: Path) -> str:
    file["rows/label"][:] = np.arange(36) * 1_000_003
    return "rows/label"


def _negative_label(file: h5py.File, _: Path) -> str:
    file["rows/label"][2] = -7
    return "rows/label"


def _split(file: h5py.File, _: Path) -> str:
    return _put(file, "rows/split", np.array([b"../../x"] * 36))


def _deep_json(file: h5py.File, _: Path) -> str:
    file.attrs["source"] = "[" * 100_000
    file["checksums"].attrs["attributes"] = attributes_checksum(file.attrs)
    return ""


ROOTS: tuple[Maker, ...] = (root_at_a_url, root_in_a_bucket)
ENCODERS: tuple[Maker, ...] = (encoder_of_the_hub, encoder_in_a_file)

REFUSED: tuple[Maker, ...] = tuple(
    map(
        _changed,
        (
            _external_link, _external_storage, _external_features, _virtual, _soft_link, _nan,
            _infinite_trunk, _nan_text, _label, _negative_label, _split, _deep_json,
        ),
    )
)  # fmt: skip
"""Stores of which at least something is refused."""


def index_of(path: str) -> Maker:
    """Return what writes an index that names a store by this path, `OUT` being the folder."""

    def make(folder: Path, out: Path) -> Path:
        place = folder / "cache/index.json"
        merge_stores(place, [folder / "cache/a.h5", folder / "cache/b.h5"])
        index = json.loads(place.read_text())
        index["stores"][0]["path"] = path.replace("OUT", str(out))
        index.pop("checksum", None)
        place.write_text(json.dumps(index))
        return place

    make.__name__ = f"index of {path}"
    return make


INDEXES = tuple(map(index_of, (URL, "s3://bucket/a.h5", "/dev/zero", "OUT/pipe.h5")))
