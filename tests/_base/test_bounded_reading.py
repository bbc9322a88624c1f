from __future__ import annotations

import io
import json
import os
import resource
import zipfile
from pathlib import Path

import numpy as np
import pytest

from fishembed import import_features, load_head
from fishembed._base.bounded_reading import (
    TooLargeError,
    check_npz,
    open_file,
    read_file,
)
from fishembed.errors import InputError, RunFormatError


def test_a_file_is_read_whole_through_a_link_and_not_beyond_the_most(tmp_path):
    (tmp_path / "a").write_bytes(b"12345")
    (tmp_path / "link").symlink_to("a")
    assert read_file(tmp_path / "link") == read_file(tmp_path / "a", 5) == b"12345"
    with pytest.raises(TooLargeError, match="larger than 4 bytes"):
        read_file(tmp_path / "a", 4)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes")
def test_pipes_devices_and_folders_are_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for place in (tmp_path / "pipe", Path("/dev/zero"), tmp_path):
        with pytest.raises(OSError, match="a pipe, a device or a folder"):
            open_file(place)
        with pytest.raises(OSError, match="a pipe, a device or a folder"):
            read_file(place)
    with pytest.raises(FileNotFoundError):
        open_file(tmp_path / "gone")


def _header(shape: tuple[int, ...]) -> bytes:
    file = io.BytesIO()
    about = {"descr": "<f8", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, about)
    return file.getvalue()


def _claims(path: Path, name: str) -> Path:
    """Write an archive with an array that has the shape of 8 GB and eight bytes."""
    about = json.dumps({"format": "fishembed-head", "version": 1})
    np.savez(path, about=np.array(about), bias=np.zeros(3), classes=np.arange(3))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(f"{name}.npy", _header((1000, 1_000_000)) + bytes(8))
    return path


def _bomb(path: Path, name: str) -> Path:
    """Write 512 MB of zeros as some hundred kilobytes."""
    zeros = bytes(1 << 24)
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open(f"{name}.npy", "w", force_zip64=True) as file,
    ):
        file.write(_header((32, 1 << 21)))
        for _ in range(32):
            file.write(zeros)
    return path


@pytest.mark.parametrize("attack", [_claims, _bomb])
def test_what_claims_gigabytes_is_refused_before_memory_is_asked_for(tmp_path, attack):
    head, features = (attack(tmp_path / f"{n}.npz", n) for n in ("weights", "features"))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(RunFormatError, match="claim"):
        load_head(head)
    with pytest.raises(InputError, match="claim"):
        import_features(features, tmp_path / "x.h5")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kB


def test_archives_as_people_write_them_pass(tmp_path):
    arrays = {
        "features": np.ones((100, 8), np.float32),
        "labels": np.array(["cod" * 50, "eel"] * 50),
        "empty": np.zeros((0, 3)),
        "one": np.array(3.0),
        "fortran": np.asfortranarray(np.ones((3, 4))),
    }
    for write in (np.savez, np.savez_compressed):
        write(tmp_path / "a.npz", **arrays)
        check_npz(tmp_path / "a.npz")
    (tmp_path / "b.npz").write_bytes(b"no archive")
    with pytest.raises(zipfile.BadZipFile):
        check_npz(tmp_path / "b.npz")
