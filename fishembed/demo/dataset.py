"""A folder of drawn fish: train, val and test, one folder a species, and a caption a picture."""

from __future__ import annotations

import csv
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fishembed.demo.camera import jpeg
from fishembed.demo.captions import caption
from fishembed.demo.picture import choose_scene, paint
from fishembed.demo.plan import SPLITS, Count, Split, long_tail
from fishembed.demo.species import SPECIES
from fishembed.errors import FishembedError, InputError

DRAWING = 1
"""Version of the pictures; raised whenever the same seed would give others."""

STAMP = "demo.json"
CAPTIONS = "captions.csv"

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Drawing:
    """One picture to draw."""

    path: str
    name: str
    split: Split
    seed: tuple[int, ...]


def _drawings(seed: int, counts: Sequence[Count]) -> list[Drawing]:
    """List every picture; each has a seed of its own, so that none depends on another."""
    order = {species.name: number for number, species in enumerate(SPECIES)}
    drawings = []
    for split_number, split in enumerate(SPLITS):
        for count in counts:
            for number in range(count.of(split)):
                slug = count.name.lower().replace(" ", "_").replace("-", "_")
                drawings.append(
                    Drawing(
                        path=f"{split}/{count.name}/{slug}_{split}_{number + 1:03d}.jpg",
                        name=count.name,
                        split=split,
                        seed=(seed, order[count.name], split_number, number),
                    )
                )
    return drawings


def _draw(drawings: Sequence[Drawing]) -> list[tuple[bytes, str]]:
    """Draw some pictures; return the bytes of a JPEG and a caption for each."""
    species = {one.name: one for one in SPECIES}
    drawn = []
    for drawing in drawings:
        scene = choose_scene(species[drawing.name], np.random.default_rng(drawing.seed))
        drawn.append((jpeg(paint(scene), scene.camera.quality), caption(scene)))
    return drawn


def _draw_all(
    drawings: Sequence[Drawing], n_jobs: int, progress: Progress | None
) -> Iterator[tuple[Drawing, bytes, str]]:
    """Draw in batches on `n_jobs` processes, in order."""
    from joblib import Parallel, delayed

    batches = [drawings[start : start + 16] for start in range(0, len(drawings), 16)]
    parallel = Parallel(n_jobs=n_jobs, return_as="generator", batch_size=1)
    done = 0
    for batch, drawn in zip(batches, parallel(delayed(_draw)(b) for b in batches), strict=True):
        for drawing, (data, words) in zip(batch, drawn, strict=True):
            yield drawing, data, words
        done += len(batch)
        if progress is not None:
            progress(done, len(drawings))


def _stamp(seed: int, images: int) -> dict[str, object]:
    return {"format": "fishembed-demo", "drawing": DRAWING, "seed": seed, "images": images}


def _read_stamp(folder: Path) -> dict[str, object] | None:
    """Return what the stamp in a folder says, or None where there is none of ours."""
    try:
        stamp = json.loads((folder / STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    ours = isinstance(stamp, dict) and stamp.get("format") == "fishembed-demo"
    return stamp if ours else None


def _listed(folder: Path) -> list[str]:
    """Return the paths that the captions of a folder name."""
    try:
        with (folder / CAPTIONS).open(newline="", encoding="utf-8") as file:
            return [row["path"] for row in csv.DictReader(file)]
    except (OSError, KeyError, ValueError, csv.Error):
        return []


def _is_complete(folder: Path, stamp: dict[str, object]) -> bool:
    """Tell whether a folder holds exactly the data set of this stamp, with no file missing."""
    if _read_stamp(folder) != stamp:
        return False
    listed = _listed(folder)
    return len(listed) == stamp["images"] and all((folder / path).is_file() for path in listed)


def _refuse_foreign(folder: Path) -> None:
    """Raise unless a folder is missing, empty, or holds nothing but what was drawn before."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise InputError(f"{folder} is a file: name a folder for the drawn fish")
    if Path.cwd().is_relative_to(folder):
        raise InputError(f"the working directory is in {folder}: name a folder inside it")
    present = {path for path in folder.rglob("*") if not path.is_dir()}
    if present and _read_stamp(folder) is None:
        raise InputError(
            f"{folder} is not empty and was not drawn by fishembed: name another folder"
        )
    ours = {folder / path for path in [*_listed(folder), STAMP, CAPTIONS]}
    if present - ours:
        raise InputError(
            f"{folder} was drawn by fishembed but also holds {min(present - ours)}: "
            "move that away, or name another folder"
        )


@contextmanager
def _building(folder: Path) -> Iterator[Path]:
    """Give a folder beside `folder` to build in, and remove it whatever happens."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".part", dir=folder.parent))
    try:
        yield beside
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _write(
    folder: Path, drawings: Sequence[Drawing], n_jobs: int, progress: Progress | None
) -> None:
    """Draw every picture into a folder, and the list of captions."""
    for path in {Path(drawing.path).parent for drawing in drawings}:
        (folder / path).mkdir(parents=True)
    with (folder / CAPTIONS).open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["path", "label", "split", "caption"])
        for drawing, data, words in _draw_all(drawings, n_jobs, progress):
            (folder / drawing.path).write_bytes(data)
            table.writerow([drawing.path, drawing.name, drawing.split, words])


def _move_in(new: Path, folder: Path, stamp: dict[str, object]) -> None:
    """Put a finished folder in its place; what was drawn there before goes to the scaffolding.

    Much can happen while fish are drawn: another process may have finished the same data set, and
    somebody may have put files there.
    """
    if _is_complete(folder, stamp):
        return
    _refuse_foreign(folder)
    if folder.exists():
        folder.replace(new.parent / "before")
    new.rename(folder)


def draw_dataset(
    folder: str | Path,
    *,
    seed: int = 0,
    n_jobs: int | None = None,
    progress: Progress | None = None,
) -> Path:
    """Draw the demo's data set: 31 species, about 1,600 pictures, with a 20:1 long tail.

    The folder is `FOLDER/{train,val,test}/<species>/<name>.jpg`, with `captions.csv` (path, label,
    split, caption) and `demo.json`, which says what drew it. It is built beside its place and
    moved there whole. Where it is complete already, nothing is done. Only a drawing that is killed
    outright leaves something: a hidden folder `.NAME.*.part` beside, which can be deleted.

    Parameters
    ----------
    folder
        Where to draw. Missing folders above it are made.
    seed
        The same seed gives the same bytes on one machine with the same library versions.
    n_jobs
        Processes; None takes one for each core. The pictures do not depend on it.
    progress
        Called with the number of pictures drawn and the number in all.

    Returns
    -------
    Path
        The folder, absolute.

    Raises
    ------
    InputError
        If the folder holds anything that was not drawn by this function, or `seed` is negative.
    FishembedError
        If the folder cannot be written.
    """
    return _draw_counts(folder, long_tail(), seed=seed, n_jobs=n_jobs, progress=progress)


def _draw_counts(
    folder: str | Path,
    counts: Sequence[Count],
    *,
    seed: int = 0,
    n_jobs: int | None = None,
    progress: Progress | None = None,
) -> Path:
    """Draw a data set of any counts; see `draw_dataset`."""
    from joblib import cpu_count

    if seed < 0:
        raise InputError(f"the seed must not be negative, but is {seed}")
    folder = Path(folder).expanduser().resolve()
    drawings = _drawings(seed, counts)
    stamp = _stamp(seed, len(drawings))
    if _is_complete(folder, stamp):
        return folder
    _refuse_foreign(folder)
    try:
        with _building(folder) as beside:
            new = beside / "new"
            new.mkdir()
            _write(new, drawings, n_jobs or cpu_count(), progress)
            (new / STAMP).write_text(json.dumps(stamp, indent=1) + "\n", encoding="utf-8")
            _move_in(new, folder, stamp)
    except OSError as error:
        raise FishembedError(
            f"cannot draw into {folder}: {error.strerror or error}; "
            "free some space there or name another folder"
        ) from error
    return folder
