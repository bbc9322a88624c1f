"""Watch a folder of images, and sort images into one folder for each predicted class."""

from __future__ import annotations

import filecmp
import os
import re
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from fishembed._base.files import atomic_file
from fishembed._base.text import printable
from fishembed.errors import ImageError, InputError, SourceError, WriteError
from fishembed.experiments.predicting.predicted_images import Predictions, species
from fishembed.images import VideoFrame, decode, find_images, parse_frame_path

PAUSE = 2.0
"""Seconds between two listings: a file that did not change meanwhile is complete."""

Classify = Callable[[Sequence[str | Path]], Predictions]

UNREAD = "_problem"
_LONGEST = 200
_RESERVED = re.compile(r"con|prn|aux|nul|(com|lpt)[0-9]", re.IGNORECASE)
"""What names a device on Windows, whatever its ending."""

_FORBIDDEN = str.maketrans(dict.fromkeys('/\\:*?"<>|', "_"))


def sort_into_folders(
    predictions: Predictions, folder: Path, *, root: str | Path | None = None
) -> int:
    """Link each image into the folder of its class, or copy it where there are no links.

    Frames of videos are written as PNG. What could not be read goes to `_problem`. An image that is
    there already is left as it is; another one of the same name gets a number. Nothing is
    overwritten or removed. Images that were pooled all go where their pool goes.

    Parameters
    ----------
    predictions, folder
        What `predict_run` returned, and where the folders of the classes are made.
    root
        Where images lie that are not at their path: the folder that a store's paths start from.

    Returns
    -------
    int
        Number of images put there.

    Raises
    ------
    InputError, WriteError
        When an image is no file of this machine, and when the folder is not writable.
    """
    named = [(species(one), one.paths or (one.path,)) for one in predictions.predictions]
    home = folder_names([name for name, _ in named])
    wanted = [(path, home[name]) for name, paths in named for path in paths]
    wanted += [(path, UNREAD) for path, _ in predictions.skipped]
    try:
        return sum(_put(_found(path, root), folder / name) for path, name in wanted)
    except OSError as error:
        raise WriteError(
            f"cannot put images into {str(folder)!r}: {error.strerror or error}"
        ) from error


def folder_name(name: str) -> str:
    """Return a class's name as a folder's, on any system.

    Examples
    --------
    >>> folder_name("cod/eel?"), folder_name(".."), folder_name("con")
    ('cod_eel_', '_', 'con_')
    """
    clean = printable(name).translate(_FORBIDDEN).strip(". ")
    # Systems allow 255 bytes; the number of a second class of that name needs some of them.
    clean = clean.encode("utf-8", "replace")[:_LONGEST].decode("utf-8", "ignore") or "_"
    return f"{clean}_" if _RESERVED.fullmatch(clean.partition(".")[0]) else clean


def folder_names(names: Iterable[str]) -> dict[str, str]:
    """Return the folder of each class; two classes never share one, also where case is ignored.

    Examples
    --------
    >>> folder_names(["a/b", "a:b", "cod", "Cod"])
    {'Cod': 'Cod', 'a/b': 'a_b', 'a:b': 'a_b-2', 'cod': 'cod-2'}
    """
    found: dict[str, str] = {}
    taken = {UNREAD}
    for name in sorted(set(names)):
        place, number = folder_name(name), 1
        while place.casefold() in taken:
            number += 1
            place = f"{folder_name(name)}-{number}"
        taken.add(place.casefold())
        found[name] = place
    return found


def _found(path: str, root: str | Path | None) -> Path:
    plain, below = Path(path), Path(root or "", path)
    return below if not plain.exists() and below.exists() else plain


def _put(file: Path, home: Path) -> bool:
    """Link or copy an image into a folder; return whether it was not there already."""
    if not file.is_file():
        if moment := parse_frame_path(str(file)):
            return _put_frame(*moment, home)
        raise InputError(f"{str(file)!r} is no file here: only images on this machine are sorted")
    home.mkdir(parents=True, exist_ok=True)
    place, number = home / file.name, 1
    while os.path.lexists(place):
        if _is_same(place, file):
            return False
        number += 1
        place = home / f"{file.stem}-{number}{file.suffix}"
    try:
        place.symlink_to(file.absolute())
    except (OSError, NotImplementedError):
        with atomic_file(place) as temporary:
            shutil.copy2(file, temporary)
    return True


def _put_frame(clip: str, time: float, home: Path) -> bool:
    """Write a video's frame as an image, since no file could be linked."""
    place = home / f"{Path(clip).name}#t={time:g}.png"
    if place.exists():
        return False
    home.mkdir(parents=True, exist_ok=True)
    image = decode(VideoFrame(clip, time).read())
    with atomic_file(place) as temporary, temporary.open("wb") as file:
        image.save(file, "PNG")
    return True


def _is_same(place: Path, file: Path) -> bool:
    """Return whether an image is there already, as a link or as a copy."""
    if not place.is_file():
        return False
    return place.samefile(file) or (
        not place.is_symlink() and filecmp.cmp(place, file, shallow=False)
    )


def watch_folder(
    classify: Classify,
    folder: Path,
    *,
    pause: float = PAUSE,
    wait: Callable[[float], None] = time.sleep,
) -> Iterator[Predictions]:
    """Yield the predictions of what is in a folder, then of what arrives there, for ever.

    Parameters
    ----------
    classify, folder
        Predicts some files, and where they arrive.
    pause, wait
        Seconds between two listings, and a function that waits. A file that still grows is left
        for the next listing.

    Raises
    ------
    InputError
        When there is no such folder.
    """
    if not folder.is_dir():
        raise InputError(f"there is no folder {str(folder)!r} to watch")
    done: set[Path] = set()
    states: dict[Path, tuple[int, int]] = {}
    while True:
        ready = []
        for path in _images(folder):
            if path in done:
                continue
            with suppress(OSError):  # it may be moved away meanwhile
                state = path.stat()
                now = state.st_size, state.st_mtime_ns
                if states.get(path) == now:
                    ready.append(path)
                states[path] = now
        if ready:
            done.update(ready)
            yield _classified(classify, ready)
        wait(pause)


def together(first: Predictions | None, more: Predictions) -> Predictions:
    """Return two sets of predictions as one."""
    if first is None:
        return more
    return replace(
        more,
        predictions=first.predictions + more.predictions,
        skipped=first.skipped + more.skipped,
        left_out=first.left_out + more.left_out,
    )


def _classified(classify: Classify, files: Sequence[Path]) -> Predictions:
    try:
        return classify(files)
    except ImageError as error:  # not one of them could be read
        return Predictions((), tuple((str(path), str(error)) for path in files))


def _images(folder: Path) -> list[Path]:
    try:
        return find_images([folder])
    except SourceError:
        return []
