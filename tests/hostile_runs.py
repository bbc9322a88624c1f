"""Runs and heads that a stranger hands one; see `hostile_set`."""

from __future__ import annotations

import io
import json
import os
import pickle
import shutil
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from hostile_set import HUB, MARK, Code, Maker


def _run(folder: Path, change: Callable[[dict[str, object], Path], object], out: Path) -> Path:
    """Copy one's own run, without checksums, with a changed record."""
    place = folder / "reports/strange"
    shutil.copytree(folder / "reports/own", place)
    info = json.loads((place / "run.json").read_text())
    change(info, place)
    for name in ("files", "checksum"):
        info.pop(name, None)
    (place / "run.json").write_text(json.dumps(info))
    return place


def run_with(**said: object) -> Maker:
    """Return what makes a run whose record says something else; `OUT` is the folder outside."""

    def make(folder: Path, out: Path) -> Path:
        def change(info: dict[str, object], _: Path) -> None:
            for name, value in said.items():
                text = json.loads(json.dumps(value).replace("OUT", str(out)))
                info[name] = {**info[name], **text} if isinstance(text, dict) else text  # type: ignore[dict-item]

        return _run(folder, change, out)

    make.__name__ = f"run {said}"[:60]
    return make


def run_of_a_store(path: str) -> Maker:
    """Return what makes a run of a store with this path."""
    make = run_with(store={"path": path})

    def linked(folder: Path, out: Path) -> Path:
        place = make(folder, out)
        info = json.loads((place / "run.json").read_text())
        info["stores"] = [info["store"]]
        (place / "run.json").write_text(json.dumps(info))
        return place

    linked.__name__ = f"run of {path}"
    return linked


PIPE = b"a pipe"


def run_with_file(name: str, content: bytes | str | None, link: str = "") -> Maker:
    """Return what makes a run with another file: other content, half of it, or a link."""

    def make(folder: Path, out: Path) -> Path:
        place = _run(folder, lambda *_: None, out)
        file = place / name
        old = file.read_bytes() if file.exists() else b"{}"
        file.unlink(missing_ok=True)
        if content is PIPE:
            os.mkfifo(file)
        elif link:
            file.symlink_to(link.replace("OUT", str(out)))
        else:
            new = old[: len(old) // 2] if content is None else content
            file.write_bytes(new if isinstance(new, bytes) else new.encode())
        return place

    make.__name__ = f"run with {name} {link or str(content)[:20]}"
    return make


def _npz(**arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def _huge_npy() -> bytes:
    file = io.BytesIO()
    header = {"descr": "<f4", "fortran_order": False, "shape": (1 << 20, 1 << 20)}
    np.lib.format.write_array_header_1_0(file, header)
    return file.getvalue()


def _npz_of(members: Mapping[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


def head_with(change: Callable[[dict[str, np.ndarray], Path], None]) -> Maker:
    """Return what makes a run whose head has other arrays."""

    def make(folder: Path, out: Path) -> Path:
        place = _run(folder, lambda *_: None, out)
        with np.load(place / "head.npz") as file:
            arrays = dict(file)
        change(arrays, out)
        (place / "head.npz").write_bytes(_npz(**arrays))
        return place

    make.__name__ = f"head with {change.__name__.strip('_')}"
    return make


def _floats(arrays: dict[str, np.ndarray]) -> list[str]:
    return [name for name, array in arrays.items() if array.dtype.kind == "f" and array.size > 1]


def _a_nan(arrays: dict[str, np.ndarray], _: Path) -> None:
    for name in _floats(arrays):
        arrays[name] = np.full_like(arrays[name], np.nan)


def _a_pickle(arrays: dict[str, np.ndarray], out: Path) -> None:
    first = next(iter(arrays))
    arrays[first] = np.array([Code(out / MARK)], object)


def _more_columns(arrays: dict[str, np.ndarray], _: Path) -> None:
    for name in _floats(arrays):
        arrays[name] = np.concatenate([arrays[name]] * 2)


RUNS: tuple[Maker, ...] = (
    run_with(encoder={"name": HUB, "fingerprint": "ab" * 32}),
    run_with(encoder={"name": f"timm:{HUB}", "trust_remote_code": True}),
    run_with(encoder={"name": "ViT-B-32@OUT/weights.pt", "fingerprint": "ab" * 32}),
    run_with(encoder={"name": "../OUT", "backend": "OUT/weights.pt", "revision": "../../x"}),
    run_with(classes=["../../x", "=cmd()", "\x1b[2J"], name="../../../x", command="OUT; rm -rf x"),
    run_of_a_store("http://127.0.0.1:9/a.h5"),
    run_of_a_store("s3://bucket/a.h5"),
    run_of_a_store("/dev/zero"),
    run_of_a_store("OUT/pipe.h5"),
    run_with_file("predictions.csv", None),
    run_with_file("predictions.csv", "path,true\n../../secret.png,cod\n"),
    run_with_file("predictions.csv", None, link="/dev/zero"),
    run_with_file("predictions.csv", None, link="OUT/pipe.h5"),
    run_with_file("metrics.json", "[" * 100_000),
    run_with_file("metrics.json", None, link="OUT/pipe.h5"),
    run_with_file("metrics.json", None, link="/dev/zero"),
    run_with_file("run.json", None, link="/dev/zero"),
    run_with_file("head.npz", None, link="/dev/zero"),
    run_with_file("head.npz", None, link="OUT/pipe.h5"),
    run_with_file("field.json", None, link="OUT/pipe.h5"),
    run_with_file("held_out.npz", None, link="OUT/pipe.h5"),
    run_with_file("index.html", None, link="OUT/secret.txt"),
    run_with_file("index.html", None, link="OUT/new.html"),
    run_with_file("figures", None, link="OUT/sub"),
    *(
        run_with_file(name, PIPE)
        for name in (
            "metrics.json",
            "predictions.csv",
            "head.npz",
            "field.json",
            "held_out.npz",
            "index.html",
        )
    ),
    run_with_file("held_out.npz", _npz_of({"means.npy": _huge_npy(), "about.npy": _huge_npy()})),
    run_with_file("head.joblib", pickle.dumps(Code(Path("ran.txt")))),
    head_with(_a_nan),
    head_with(_a_pickle),
    head_with(_more_columns),
    run_with_file("head.npz", _npz_of({"a.npy": _huge_npy(), "about.npy": _huge_npy()})),
    run_with_file("head.npz", _npz_of({"../../x.npy": b"\0" * (1 << 24)})),
)
