"""A folder of drawn fish: train, val and test with a long tail, a folder a species, captions."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from itertools import product
from pathlib import Path
from typing import TypeAlias

import numpy as np

from fishembed._base.files import temporary_folder
from fishembed._base.runtime import end_with_parent
from fishembed._base.splits import SPLITS
from fishembed.demo.catalogue import COMMON_TO_RARE, SPECIES
from fishembed.demo.scenes import caption, choose_scene, paint
from fishembed.errors import InputError, WriteError

DRAWING = 2
"""Version of the images; raised whenever the same seed would draw others."""

MOST, FEWEST = 120, 6
"""Training images of the commonest and of the rarest species: 20 to 1."""

STAMP, CAPTIONS = "demo.json", "captions.csv"

Drawing: TypeAlias = tuple[str, tuple[int, ...]]  # path and seed of one image to draw
Progress: TypeAlias = Callable[[int, int], None]


def long_tail() -> dict[str, tuple[int, ...]]:
    """Return the number of images of each species in each split, from common to rare.

    Training counts fall geometrically from `MOST` to `FEWEST`. Validation and test counts fall
    much less, so that recall means something for every species: 2 to 8, and 8 to 16.
    """
    train = np.rint(MOST * (FEWEST / MOST) ** np.linspace(0.0, 1.0, len(COMMON_TO_RARE)))
    common = (train - FEWEST) / (MOST - FEWEST)
    counts = np.rint([train, 2 + 6 * common, 8 + 8 * common]).astype(int).T.tolist()
    return {name: tuple(row) for name, row in zip(COMMON_TO_RARE, counts, strict=True)}


def draw_dataset(
    folder: str | Path,
    *,
    seed: int = 0,
    counts: Mapping[str, tuple[int, ...]] | None = None,
    n_jobs: int | None = None,
    progress: Progress | None = None,
) -> Path:
    """Draw the demo's dataset: 31 species, about 1,600 images, with a 20:1 long tail.

    The folder is `FOLDER/{train,val,test}/<species>/<name>.jpg`, with `captions.csv` (path, label,
    split, caption) and `demo.json`, which records version and seed. It is built beside its place
    and moved there whole; a complete one is left unchanged.

    The same `seed` draws the same bytes on one machine with the same library versions. `counts` of
    each species in each split are `long_tail()` by default, `n_jobs` processes one for each core;
    `progress` is called with the number of images drawn and the number in all.

    Raises
    ------
    InputError
        If the folder holds anything that was not drawn by this function, or `seed` is negative.
    FishembedError
        If the folder cannot be written.
    """
    if seed < 0:
        raise InputError(f"the seed must not be negative, but is {seed}")
    folder = Path(folder).expanduser().resolve()
    drawings = _drawings(seed, long_tail() if counts is None else counts)
    stamp = {"format": "fishembed-demo", "drawing": DRAWING, "seed": seed, "images": len(drawings)}
    if _is_complete(folder, stamp):
        return folder
    _refuse_foreign(folder)
    try:
        with temporary_folder(folder) as beside:
            new = beside / "new"
            _write_images(new, drawings, n_jobs, progress)
            (new / STAMP).write_text(json.dumps(stamp, indent=1) + "\n", encoding="utf-8")
            # Drawing takes a while: another process may have drawn, or copied photos, there.
            if not _is_complete(folder, stamp):
                _refuse_foreign(folder)
                if folder.exists():
                    folder.replace(beside / "before")
                new.rename(folder)
    except OSError as error:
        raise WriteError(
            f"cannot draw into {folder}: {error.strerror or error}; "
            "free some space there or name another folder"
        ) from error
    return folder


def _drawings(seed: int, counts: Mapping[str, tuple[int, ...]]) -> list[Drawing]:
    """List every image to draw; each has a seed of its own, so that none depends on another."""
    row = {species.name: number for number, species in enumerate(SPECIES)}
    slugs = {name: name.lower().replace(" ", "_").replace("-", "_") for name in counts}
    return [
        (f"{split}/{name}/{slug}_{split}_{number + 1:03d}.jpg", (seed, row[name], at, number))
        for (at, split), (name, slug) in product(enumerate(SPLITS), slugs.items())
        for number in range(counts[name][at])
    ]


def _draw(drawings: Sequence[Drawing]) -> list[tuple[str, bytes, str]]:
    """Draw some images: the path, the bytes of a JPEG and a caption of each."""
    drawn = []
    for path, seed in drawings:
        rng = np.random.default_rng(seed)
        scene, file = choose_scene(SPECIES[seed[1]], rng), BytesIO()
        paint(scene).save(file, format="JPEG", quality=int(rng.integers(52, 94)))
        drawn.append((path, file.getvalue(), caption(scene)))
    return drawn


def _write_images(
    folder: Path, drawings: Sequence[Drawing], n_jobs: int | None, progress: Progress | None
) -> None:
    """Draw every image into a new folder, in batches on `n_jobs` processes, and the captions."""
    from joblib import Parallel, cpu_count, delayed

    for parent in {(folder / path).parent for path, _ in drawings}:
        parent.mkdir(parents=True)
    batches = [drawings[start : start + 16] for start in range(0, len(drawings), 16)]
    parallel = Parallel(
        n_jobs=n_jobs or cpu_count(),
        return_as="generator",
        batch_size=1,
        initializer=end_with_parent,
        initargs=(os.getpid(),),
    )
    with (folder / CAPTIONS).open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["path", "label", "split", "caption"])
        for number, drawn in enumerate(parallel(map(delayed(_draw), batches))):
            for path, data, text in drawn:
                (folder / path).write_bytes(data)
                split, name, _ = path.split("/")
                table.writerow([path, name, split, text])
            if progress is not None:
                progress(number * 16 + len(drawn), len(drawings))


def _read_stamp(folder: Path) -> dict[str, object] | None:
    try:
        stamp = json.loads((folder / STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return stamp if isinstance(stamp, dict) and stamp.get("format") == "fishembed-demo" else None


def _read_paths(folder: Path) -> list[str]:
    try:
        with (folder / CAPTIONS).open(newline="", encoding="utf-8") as file:
            return [row["path"] for row in csv.DictReader(file)]
    except (OSError, KeyError, ValueError, csv.Error):
        return []


def _is_complete(folder: Path, stamp: dict[str, object]) -> bool:
    """Return whether a folder holds exactly the dataset of this stamp, with no file missing."""
    if _read_stamp(folder) != stamp:
        return False
    paths = _read_paths(folder)
    return len(paths) == stamp["images"] and all((folder / path).is_file() for path in paths)


def _refuse_foreign(folder: Path) -> None:
    """Raise unless a folder is missing, empty, or has only files that were drawn before."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise InputError(f"{folder} is a file: name a folder for the drawn fish")
    if Path.cwd().is_relative_to(folder):
        raise InputError(f"the working directory is in {folder}: name a folder inside it")
    foreign = {path for path in folder.rglob("*") if not path.is_dir()}
    if foreign and _read_stamp(folder) is None:
        raise InputError(f"{folder} is not empty and was not drawn by fishembed: name another")
    if foreign := foreign - {folder / path for path in [*_read_paths(folder), STAMP, CAPTIONS]}:
        raise InputError(
            f"{folder} was drawn by fishembed but also holds {min(foreign)}: "
            "move that away, or name another folder"
        )
