"""Put images into a folder for each class they were called."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from fishembed._base.files import atomic_file
from fishembed._base.text import printable
from fishembed.errors import InputError, WriteError
from fishembed.experiments.predicting.people_table import species
from fishembed.experiments.predicting.prediction import Predictions
from fishembed.images import VideoFrame, decode, parse_frame_path

UNREAD = "_problem"
_FORBIDDEN = str.maketrans(dict.fromkeys('/\\:*?"<>|', "_"))


def sort_into_folders(predictions: Predictions, folder: Path) -> int:
    """Link each image into the folder of its class, or copy it where there are no links.

    Frames of videos are written as PNG. What could not be read goes to `_problem`. An image that is
    there already is left as it is; another one of the same name gets a number.

    Returns
    -------
    int
        Number of images put there.

    Raises
    ------
    InputError
        When an image is no file of this machine, or the folder is not writable.
    """
    wanted = [(one.path, folder_name(species(one))) for one in predictions.predictions]
    wanted += [(path, UNREAD) for path, _ in predictions.skipped]
    try:
        return sum(_put(Path(path), folder / name) for path, name in wanted)
    except OSError as error:
        raise WriteError(
            f"cannot put images into {str(folder)!r}: {error.strerror or error}"
        ) from error


def folder_name(name: str) -> str:
    """Return a class's name as a folder's, on any system.

    Examples
    --------
    >>> folder_name("cod/eel?"), folder_name(".."), folder_name("")
    ('cod_eel_', '_', '_')
    """
    return printable(name).translate(_FORBIDDEN).strip(". ") or "_"


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


def _put(file: Path, home: Path) -> bool:
    if not file.is_file() and (moment := parse_frame_path(str(file))):
        return _put_frame(*moment, home)
    if not file.is_file():
        raise InputError(f"{str(file)!r} is no file here: only images on this machine are sorted")
    home.mkdir(parents=True, exist_ok=True)
    place, number = home / file.name, 1
    while os.path.lexists(place):
        if place.exists() and place.samefile(file):
            return False
        number += 1
        place = home / f"{file.stem}-{number}{file.suffix}"
    try:
        place.symlink_to(file.absolute())
    except (OSError, NotImplementedError):
        shutil.copy2(file, place)
    return True
