"""From the paths that a store keeps back to the images."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from fishembed._base.paths import Place, is_remote, is_url, to_path
from fishembed._base.remote_files import remote_errors
from fishembed.errors import FishembedError, SourceError
from fishembed.images.image_bytes import ImageBytes, UnreadableImage
from fishembed.images.remote_images import RemoteImage
from fishembed.images.tar import read_tars
from fishembed.images.tar_names import TAR_SUFFIX

if TYPE_CHECKING:
    from fishembed._base.paths import AnyPath

_UNKNOWN = -1, -1
_TAR = re.compile(rf"{re.escape(TAR_SUFFIX)}/", re.IGNORECASE)


class ImageFiles:
    """The images of a store: files of a folder, members of its tars, or objects at a URL.

    Parameters
    ----------
    root
        What relative paths start from.

    Raises
    ------
    InputError, MissingExtraError
        When it is a URL that cannot be used.
    """

    def __init__(self, root: str | Path) -> None:
        self._root: AnyPath = to_path(root)
        self._members = cache(self._listed)

    def __str__(self) -> str:
        return str(self._root)

    def are_there(self) -> bool:
        """Tell whether their folder can be reached."""
        try:
            with remote_errors(self._root):
                return self._root.is_dir()
        except (FishembedError, OSError):
            return False

    def at(self, path: str) -> Path | ImageBytes:
        """Return what `read_bytes` reads for a path of the store.

        The first image of a tar has all of that tar listed. Tars elsewhere are not, since
        that would fetch them whole.
        """
        if is_url(path):
            return RemoteImage(Place(path), _UNKNOWN)
        for end in _TAR.finditer(path):
            tar = path[: end.end() - 1]
            if is_remote(self._root):
                return UnreadableImage("it may lie in a tar elsewhere")
            if Path(str(self._root), tar).is_file():
                return self._members(tar).get(path) or UnreadableImage("its tar has it no more")
        if is_remote(self._root):
            return RemoteImage(Place(f"{str(self._root).rstrip('/')}/{path}"), _UNKNOWN)
        return Path(str(self._root), path)

    def _listed(self, tar: str) -> Mapping[str, ImageBytes]:
        try:
            return read_tars(self._root, [tar])[2]
        except SourceError:
            return {}
