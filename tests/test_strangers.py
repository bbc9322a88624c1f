"""A folder of 200 hostile and odd files, tars and tables through the whole program."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from small_pictures import draw

from fishembed.images import decode, open_dataset, read_bytes


def _tar(path: Path, members: list[tuple[str, bytes]]) -> None:
    with tarfile.open(path, "w") as tar:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


def _odd_folder(root: Path) -> None:
    for i in range(60):
        draw(root / f"{('Training', 'Test')[i % 3 == 0]}/{('cod', 'eel')[i % 2]}/{i:03d}.png", i)
    odd = root / "Training/cod"
    whole = (odd / "002.png").read_bytes()
    for i in range(100):
        start = (b"", b"GIF89a", b"\xff\xd8\xff", b"II*\0", b"RIFF", b"\x89PNG\r\n\x1a\n")[i % 6]
        ending = ("jpg", "png", "tif", "gif", "webp", "jp2", "tga", "ppm", "qoi", "pcx")[i % 10]
        (odd / f"odd{i}.{ending}").write_bytes(start + whole[i : 2 * i])
    for i, name in enumerate(("@eaDir", "#recycle", ".Trashes", "__MACOSX", "lost+found")):
        for j in range(6):
            draw(root / f"Training/eel/{name}/{j}.png", 1000 + 10 * i + j)
    for i in range(10):
        (root / f"Test/eel/phone{i}.HEIC").write_bytes(b"\0\0\0\x18ftypheic")
    (odd / "loop.jpg").symlink_to("loop.jpg")
    (odd / "gone.jpg").symlink_to("nowhere.jpg")
    os.mkfifo(odd / "pipe.jpg")
    (root / "Training/again").symlink_to(root / "Training")


def _program(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "fishembed", *words],
        capture_output=True, text=True, timeout=300, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip


@pytest.mark.slow
def test_a_folder_of_strange_files_goes_through_every_verb(workspace):
    _odd_folder(workspace / "data")
    done = _program("extract", "data", "--encoder", "embedded", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    walked = [name for _, _, names in os.walk(workspace / "data") for name in names]
    assert len(walked) >= 200
    assert told["rows"] + told["skipped"] + len(told["left_out"]) == len(walked)
    assert len(told["skipped_files"]) == told["skipped"]
    assert {"train", "test"} <= set(told["splits"])
    for words in (
        ("fit", "--head", "logistic", "--run", "r"), ("report", "r"), ("audit",),
        ("predict", "r", "data/Training"),
    ):  # fmt: skip
        done = _program(*words)
        assert "Traceback" not in done.stderr + done.stdout
        assert done.returncode == 0, (words, done.stderr, done.stdout)


def test_a_bad_member_of_a_tar_costs_itself_only(tmp_path):
    image = draw(tmp_path / "x.png", 1).read_bytes()
    facts = {
        "deep.json": b"[" * 200_000, "digits.cls": b"9" * 5000, "nul.cls": b"cod\0",
        "half.json": b'{"label": "\\ud800"}', "list.json": b'{"label": ["cod", "eel"]}',
        "fine.json": b'{"label": 3.0}', "none.json": b'{"label": NaN}',
        "v1.2.a.json": b'{"label": "ray"}',
    }  # fmt: skip
    members = [(f"{name.rpartition('.')[0]}.png", image) for name in facts]
    _tar(tmp_path / "a.tar", members + list(facts.items()))
    source = open_dataset(tmp_path / "a.tar")
    labels = {s.path.split("/")[-1]: s.label for s in source.samples if s.path not in source.blobs
              or source.blobs[s.path].state[0] >= 0}  # fmt: skip
    assert labels == {"fine.png": "3", "none.png": None, "v1.2.a.png": "ray"}


def test_a_size_below_zero_ends_the_list_and_not_the_program(tmp_path):
    image = draw(tmp_path / "x.png", 1).read_bytes()
    _tar(tmp_path / "a.tar", [("a.png", image), ("b.png", image)])
    raw = bytearray((tmp_path / "a.tar").read_bytes())
    at = raw.index(b"b.png")
    raw[at + 124 : at + 136] = b"\xff" * 12
    raw[at + 148 : at + 156] = b" " * 8
    raw[at + 148 : at + 156] = b"%06o\0 " % sum(raw[at : at + 512])
    (tmp_path / "a.tar").write_bytes(raw)
    source = open_dataset(tmp_path / "a.tar")
    assert [s.path for s in source.samples] == ["a.tar/a.png", "a.tar"]


def test_a_refused_connection_is_no_missing_file(tmp_path):
    (tmp_path / "m.csv").write_text("path\nhttp://127.0.0.1:9/a.jpg\nreference://x\n")
    source = open_dataset(tmp_path / "m.csv")
    reasons = [blob.reason for blob in source.image_bytes.values()]
    assert "cannot be reached" in reasons[0]
    assert all("is missing" not in reason for reason in reasons)


def test_twelve_bits_are_scaled_by_what_is_in_them(tmp_path):
    import numpy as np
    from PIL import Image

    for top, brightest in ((4095, 255), (40, 255), (60_000, 233)):
        grey = np.linspace(0, top, 64).astype(np.uint16).reshape(8, 8)
        Image.fromarray(grey).save(tmp_path / "a.tif")
        pixels = np.asarray(decode(read_bytes(tmp_path / "a.tif")))
        assert (pixels.min(), pixels.max()) == (0, brightest)
