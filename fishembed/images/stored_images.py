"""Find the images of the paths in a store."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from fishembed._base.paths import Place, is_remote, is_url, to_path
from fishembed._base.remote_files import remote_errors
from fishembed.errors import FishembedError, SourceError
from fishembed.images.datasets.boxes import Box, in_surroundings, parse_box_path
from fishembed.images.datasets.folder import TAR_SUFFIX
from fishembed.images.datasets.manifest import MANIFEST_SUFFIXES, read_manifest
from fishembed.images.datasets.remote_images import RemoteImage
from fishembed.images.datasets.tar import read_tars
from fishembed.images.datasets.video_frames import VideoFrame, parse_frame_path
from fishembed.images.decoding.image_bytes import ImageBytes, UnreadableImage

if TYPE_CHECKING:
    from fishembed._base.paths import AnyPath

NOT_FETCHED = UnreadableImage("it lies at a URL, which is fetched with --fetch only")
_TAR = re.compile(rf"{re.escape(TAR_SUFFIX)}/", re.IGNORECASE)


class ImageFiles:
    """The images of a store: files of a folder, members of its tars, or objects at a URL.

    A store may come from a stranger: nothing outside its root is read, and nothing is requested
    from another machine without `fetch`.

    Parameters
    ----------
    root
        What relative paths start from; or the manifest that the images were named in, which also
        knows the keys of their URLs.
    fetch
        Whether images at URLs are fetched.

    Raises
    ------
    InputError, MissingExtraError
        When it is a URL that cannot be used.
    """

    def __init__(self, root: str | Path, *, fetch: bool = False) -> None:
        place = to_path(root)
        if not is_remote(place) and place.is_file() and place.suffix.lower() in MANIFEST_SUFFIXES:
            read_manifest(place)  # its places know their addresses from now on
            place = place.parent
        self._root: AnyPath = place
        self._real = "" if is_remote(place) else os.path.realpath(place)
        self._fetch = fetch
        self._members = cache(self._listed)

    def __str__(self) -> str:
        return str(self._root)

    @property
    def wait_for_leave(self) -> bool:
        """Whether they lie at a URL, from which nothing is requested without `fetch`."""
        return is_remote(self._root) and not self._fetch

    def are_there(self) -> bool:
        """Return whether their folder can be reached."""
        if self.wait_for_leave:
            return False
        try:
            with remote_errors(self._root):
                return self._root.is_dir()
        except (FishembedError, OSError):
            return False

    def at(self, path: str) -> Path | ImageBytes:
        """Return what `read_bytes` reads for a path of the store.

        What lies outside the root, through ``..``, an absolute path or a link, is an image that
        cannot be read; so is one at a URL without `fetch`. The first image of a tar has all of
        that tar listed. Tars at URLs are not, since that would fetch them whole. A part of an
        image comes with its surroundings, framed.
        """
        if is_url(path) and not path.lower().startswith("file:"):
            return _at_url(Place(path)) if self._fetch else NOT_FETCHED
        if is_remote(self._root):
            return self._remote(path)
        file = str(to_path(path)) if is_url(path) else path
        for end in _TAR.finditer(file):
            tar = file[: end.end() - 1]
            if (real := self._inside(tar)) and real.is_file():
                return self._member(tar, file)
        here = self._inside(file)
        if (part := _part_of(file)) and not (here and here.is_file()):
            here = self._inside(part[0])
            return _part(str(here), part[1]) if here else self._outside
        return here or self._outside

    @property
    def _outside(self) -> UnreadableImage:
        return UnreadableImage(f"it lies outside {str(self._root)!r}")

    def _member(self, tar: str, path: str) -> ImageBytes:
        members = self._members(tar)
        if path not in members and (moment := parse_frame_path(path)) and moment[0] in members:
            return VideoFrame(members[moment[0]], moment[1])
        return members.get(path) or UnreadableImage("its tar has it no more")

    def _inside(self, path: str) -> Path | None:
        """Return where a path leads, links followed; None for what is outside the root."""
        if "\0" in path:
            return None
        real = os.path.realpath(os.path.join(self._real, path))  # noqa: PTH118 - hot loop
        return Path(real) if real.startswith(os.path.join(self._real, "")) else None  # noqa: PTH118

    def _remote(self, path: str) -> ImageBytes:
        if not self._fetch:
            return NOT_FETCHED
        if _TAR.search(path):
            return UnreadableImage("it may lie in a tar elsewhere")
        if path.startswith("/") or ".." in path.split("/"):
            return self._outside
        return _at_url(Place(f"{str(self._root).rstrip('/')}/{path}"))

    def _listed(self, tar: str) -> Mapping[str, ImageBytes]:
        try:
            return read_tars(self._root, [tar]).image_bytes
        except SourceError:
            return {}


def _at_url(url: Place) -> ImageBytes:
    """Return an image at a URL, or the part of it that the URL names."""
    part = _part_of(url)
    return _part(RemoteImage(Place(part[0])), part[1]) if part else RemoteImage(url)


def _part_of(path: str) -> tuple[str, Box | float] | None:
    """Return the file of a path, and the box or the time that the path names; None without one."""
    return parse_box_path(path) or parse_frame_path(path)


def _part(file: str | ImageBytes, part: Box | float) -> ImageBytes:
    """Return a box of an image in its surroundings, or a frame of a video."""
    return VideoFrame(file, part) if isinstance(part, float) else in_surroundings(file, part)
