"""What the README shows runs, and what can be run stands in the README."""

from __future__ import annotations

import io
import re
import shlex
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.main import get_command

from fishembed.cli import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ (?:.*&& )?(fishembed .+)$", README, flags=re.MULTILINE)
VERBS = get_command(app).commands


BLOCKS = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)


def draw(place: Path, number: int) -> None:
    rng = np.random.default_rng(number)
    colour = ((30, 60, 90), (120, 80, 20))[number % 2]
    pixels = np.clip(rng.normal(colour, 20, (40, 60, 3)), 0, 255).astype(np.uint8)
    place.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(place)


def class_folders(folder: Path) -> str:
    for i in range(24):
        draw(folder / "photos" / ("cod", "eel")[i % 2] / f"{i}.png", i)
    return "photos"


def split_folders(folder: Path) -> str:
    for i in range(24):
        split = ("train", "train", "test", "val")[i // 2 % 4]
        draw(folder / "photos" / split / ("cod", "eel")[i % 2] / f"{i}.png", i)
    return "photos"


def flat_folder(folder: Path) -> str:
    for i in range(6):
        draw(folder / "photos" / f"{i}.png", i)
    return "photos"


def rows_of(folder: Path) -> list[dict[str, str]]:
    for i in range(24):
        draw(folder / f"{i}.png", i)
    return [
        {"path": f"{i}.png", "label": ("cod", "eel")[i % 2], "group": f"trip{i // 4}"}
        for i in range(24)
    ]


def manifest(folder: Path) -> str:
    lines = [",".join(row.values()) for row in rows_of(folder)]
    (folder / "photos.csv").write_text("\n".join(["path,label,group", *lines]))
    return "photos.csv"


def parquet(folder: Path) -> str:
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    pandas.DataFrame(rows_of(folder)).to_parquet(folder / "photos.parquet")
    return "photos.parquet"


def tars(folder: Path) -> str:
    rows_of(folder)
    (folder / "shards").mkdir()
    for part in range(2):
        with tarfile.open(folder / f"shards/{part:05d}.tar", "w") as tar:
            for i in range(12 * part, 12 * part + 12):
                tar.add(folder / f"{i}.png", f"{i:04d}.png")
                name = ("cod", "eel")[i % 2].encode()
                info = tarfile.TarInfo(f"{i:04d}.cls")
                info.size = len(name)
                tar.addfile(info, io.BytesIO(name))
    return "shards/{00000..00001}.tar"


@pytest.mark.parametrize(
    "make", [class_folders, split_folders, flat_folder, manifest, parquet, tars]
)
def test_python_runs_on_every_layout(workspace, capsys, make):
    assert len(BLOCKS) == 1
    code = BLOCKS[0].replace('"photos"', repr(make(workspace)))
    exec(compile(code, "README.md", "exec"), {})
    out = capsys.readouterr().out
    assert "FeatureStore(" in out
    if make is flat_folder:
        assert "right" not in out
        return
    assert re.search(r"right +100\.0", out), out
    assert ("groups" in out.split("run ")[1]) == (make in (manifest, parquet))


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_are_the_programs_own(line):
    words = shlex.split(line)[1:]
    if words[0].startswith("--"):
        assert words[0] in {"--install-completion", "--version"}
        return
    known = {option for parameter in VERBS[words[0]].params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= known


def test_every_verb_is_shown():
    shown = set(re.findall(r"fishembed (\w+)", README))
    assert set(VERBS) <= shown, set(VERBS) - shown


def test_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        if "://" not in target:
            assert (ROOT / target).exists(), target


def test_nothing_was_left_open():
    assert not re.search(r"\b[A-Z0-9]+_[A-Z]+\b(?<!FISHEMBED_DATA)(?<!_CACHE)(?<!_REPORTS)", README)
