"""A workspace, and what a stranger hands one: tars and tables; see also `hostile_stores`."""

from __future__ import annotations

import io
import os
import pickle
import tarfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
from fake_encoder import FakeEncoder
from small_pictures import draw
from small_shards import png, write_shard

from fishembed import import_features, run_fit, run_zeroshot
from fishembed.encoders import parse_name
from fishembed.errors import UnknownEncoderError
from fishembed.extraction import extract

URL = "http://127.0.0.1:9/photo.png"
HUB = "hf-hub:evil/clip"
MARK = "ran.txt"
"""What code of a stranger writes into the folder outside."""


def load_fake(name: str, **_: object) -> FakeEncoder:
    """Stand in for `load_encoder`: the one that comes with the install, and no other."""
    if name != "embedded":
        assert not parse_name(name).needs_trust, f"the encoder {name} is loaded unasked"
        raise UnknownEncoderError(f"{name!r} names no encoder")
    return FakeEncoder(width=12, name="embedded")


def workspace_of_ones_own(folder: Path) -> Path:
    """Fill a folder: photos, a store, two runs and tables."""
    lines = ["path,label,split,group"]
    for i in range(36):
        draw(folder / f"photos/{i}.png", i)
        split = ("train", "train", "test")[i // 3 % 3]
        lines.append(f"photos/{i}.png,{('cod', 'eel', 'ray')[i % 3]},{split},t{i // 2}")
    (folder / "m.csv").write_text("\n".join(lines) + "\n")
    encoder = load_fake("embedded")
    for name in ("cache/a.h5", "cache/b.h5"):
        extract(
            folder / "m.csv", folder / name, encoder=encoder, trunk=True, prompts=["single"],
            workers=1,
        )  # fmt: skip
    run_fit(folder / "cache/a.h5", head="centroid", run="own", reports=folder / "reports")
    run_zeroshot(folder / "cache/a.h5", run="zero", reports=folder / "reports")
    (folder / "fix.csv").write_text("path,action,new_label\nphotos/4.png,drop,\n")
    return folder


def secrets(folder: Path) -> Path:
    """Fill the folder outside, of which nothing may be read."""
    for name in ("secret.png", "box.png", "sub/secret.png"):
        draw(folder / name, 1000)
    (folder / "secret.txt").write_text("root:x:0:0:secret\n" * 40)
    (folder / "list.csv").write_text("path,label\nsecret.png,cod\n")
    write_shard(folder / "s.tar", [1, 2])
    with h5py.File(folder / "paths.h5", "w") as file:
        file["paths"] = np.array([b"secret"] * 36)
    arrays = {"features": np.eye(8, dtype=np.float32), "labels": ["cod", "eel"] * 4}
    import_features(arrays, folder / "other.h5")
    (folder / "weights.pt").write_bytes(pickle.dumps(Code(folder / MARK)))
    return folder


class Code:
    """What a pickle runs when it is read."""

    def __init__(self, mark: Path) -> None:
        self._mark = mark

    def __reduce__(self):
        return eval, (f"open({str(self._mark)!r}, 'w').write('ran')",)


Maker = Callable[[Path, Path], Path]
"""Makes something hostile: the workspace, the folder outside → where it lies."""


def odd_paths(out: Path) -> list[str]:
    """List paths that lead out of a root, in all spellings."""
    return [
        f"../../{out.name}/secret.png",
        f"../{out.name}/../../{out.name}/secret.png",
        str(out / "secret.png"),
        f"file://{out}/secret.png",
        f"file:///../{out}/secret.png",
        "link.png",
        "door/secret.png",
        f"../../{out.name}/box.png#xywh=1,1,4,4",
        f"../../{out.name}/box.png#t=1.5",
        f"../../{out.name}/s.tar/000000001.png",
        f"x.tar/../../../{out.name}/secret.png",
        URL,
        "HTTP://127.0.0.1:9/x.png",
        "https://example.org/x.png#xywh=1,1,4,4",
        "http:/127.0.0.1:9/x.png",
        "s3://bucket/x.png",
        "ftp://127.0.0.1/x.png",
        "reference://x",
        "simplecache::http://127.0.0.1:9/x.png",
        f"zip://x.png::{out}/x.zip",
        "/dev/zero",
        "file:///dev/zero",
        "/etc/passwd",
        "\\\\127.0.0.1\\share\\x.png",
        '=HYPERLINK("http://127.0.0.1:9")\x1b[2J',
        "<img src=http://127.0.0.1:9/x.png>.png",
    ]


def tar_of_everything(folder: Path, out: Path) -> Path:
    """Write a tar with members that lead out, links, devices, and what grows without end."""
    place = folder / "photos.tar"
    image = png(1)
    with tarfile.open(place, "w") as tar:

        def add(
            name: str, data: bytes = b"", kind: bytes = tarfile.REGTYPE, link: str = ""
        ) -> None:
            info = tarfile.TarInfo(name)
            info.size, info.type, info.linkname = len(data), kind, link
            info.devmajor = info.devminor = 1
            tar.addfile(info, io.BytesIO(data))

        for name in (
            "cod/a.png",
            f"../{out.name}/new.png",
            str(out / "new.png"),
            "cod/../../b.png",
        ):
            add(name, image)
        for name, kind in (("sym", tarfile.SYMTYPE), ("hard", tarfile.LNKTYPE)):
            for target in (str(out / "secret.png"), f"../../{out.name}/secret.png"):
                add(f"cod/{name}{len(target)}.png", kind=kind, link=target)
        for name, kind in (("zero", tarfile.CHRTYPE), ("disk", tarfile.BLKTYPE)):
            add(f"cod/{name}.png", kind=kind)
        add("cod/pipe.png", kind=tarfile.FIFOTYPE)
        add("cod/bomb.png", _bomb())
        add("cod/deep.json", b"[" * 100_000)
        add("cod/deep.png", png(2))
        for i in range(8):
            add(f"eel/{i}.png", png(i + 10))
    return place


def _bomb() -> bytes:
    """Return a picture of 400 million pixels in few bytes."""
    import struct
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    head = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 0, 0, 0, 0)
    body = zlib.compress(b"\0" * 1_000_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def tar_that_inflates(folder: Path, _: Path) -> Path:
    """Write a compressed tar of one member of 1 TB, of which little is there."""
    import gzip

    place = folder / "bomb.tar.gz"
    info = tarfile.TarInfo("cod/a.png")
    info.size = 1 << 40
    with gzip.open(place, "wb") as file:
        file.write(info.tobuf(tarfile.GNU_FORMAT) + b"\0" * (1 << 22))
    return place


TARS: tuple[Maker, ...] = (tar_of_everything, tar_that_inflates)


def manifest(folder: Path, out: Path) -> Path:
    """Write a table that names what is nobody's business, and one photo."""
    place = folder / "strange.csv"
    lines = ["path,label,split,group", "photos/1.png,cod,train,t", "photos/2.png,eel,train,t"]
    for path in odd_paths(out):
        cell = path.replace('"', '""')
        lines.append(f'"{cell}",cod,train,t')
    place.write_text("\n".join(lines) + "\n")
    return place


def pipe(out: Path) -> None:
    """Add a pipe that nobody writes to: whoever reads it waits for ever."""
    os.mkfifo(out / "pipe.h5")
