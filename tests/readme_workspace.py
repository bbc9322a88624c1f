"""A workspace in which the README's commands run: photos, new photos, features, two trips."""

from __future__ import annotations

import csv
import os
import shutil
from pathlib import Path

import numpy as np
from fake_encoder import FakeEncoder
from PIL import Image

from fishembed.extraction import extract

SPECIES = ("Gadus morhua", "Anguilla anguilla", "Esox lucius", "Perca fluviatilis")
PER_SPLIT = {"train": 10, "val": 3, "test": 6}


def make_workspace(folder: Path) -> None:
    """Make everything that the README's commands name, of real photos where they are at hand."""
    real = os.environ.get("FISHEMBED_REALDATA")
    manifest = folder / "fish4knowledge/manifest.csv"
    if real:
        take_real_photos(Path(real) / "fish4knowledge", manifest)
    else:
        draw_photos(manifest)
    with manifest.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for number, row in enumerate(rows):
        name = f"{row['group'] or row['label']}_{number}.png".replace("/", "-")
        place = folder / "photos" / row["split"] / row["label"] / name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(manifest.parent / row["path"], place)
        if number % 9 == 0:
            (folder / "new-photos").mkdir(exist_ok=True)
            shutil.copy(manifest.parent / row["path"], folder / "new-photos" / name)
    rng = np.random.default_rng(0)
    np.savez(folder / "features.npz", features=rng.normal(size=(20, 8)), labels=np.arange(20) % 2)
    for trip in ("trip-1", "trip-2"):
        draw(folder / trip / "cod" / f"{trip}.png", rng, (40, 60, 80))
        extract(folder / trip, folder / f"cache/{trip}.h5", encoder=FakeEncoder())


def take_real_photos(source: Path, manifest: Path) -> None:
    """Copy some photos of the four commonest species, whole tracks in one split."""
    with (source / "manifest.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    labels = [row["label"] for row in rows]
    commonest = sorted(set(labels), key=labels.count)[-4:]
    left = {(one, split): n for one in commonest for split, n in PER_SPLIT.items()}
    kept = []
    for row in rows:
        key = row["label"], row["split"]
        if left.get(key, 0):
            left[key] -= 1
            kept.append(row)
            place = manifest.parent / row["path"]
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source / row["path"], place)
    write(manifest, kept)


def draw_photos(manifest: Path) -> None:
    """Draw photos of four species, three frames to a track."""
    rng = np.random.default_rng(0)
    rows = []
    for k, species in enumerate(SPECIES):
        for split, n in PER_SPLIT.items():
            for i in range(n):
                name = f"{split}-{k}-{i}.png"
                draw(manifest.parent / name, rng, (40 + 50 * k, 60, 200 - 40 * k))
                group = f"track-{split}-{k}-{i // 3}"
                rows.append({"path": name, "label": species, "split": split, "group": group})
    write(manifest, rows)


def draw(place: Path, rng: np.random.Generator, colour: tuple[int, int, int]) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.clip(rng.normal(colour, 25, (60, 80, 3)), 0, 255).astype(np.uint8)
    Image.fromarray(pixels).save(place)


def write(manifest: Path, rows: list[dict[str, str]]) -> None:
    manifest.parent.mkdir(parents=True, exist_ok=True)
    columns = ("path", "label", "split", "group")
    with manifest.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
