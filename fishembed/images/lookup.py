"""From the paths that a store keeps back to the pictures."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from fishembed.errors import FishembedError, SourceError
from fishembed.images.blob import Blob, Unusable
from fishembed.images.elsewhere import RemoteFile
from fishembed.images.tar import read_tars
from fishembed.images.tar_names import TAR_SUFFIX
from fishembed.remote import as_place, is_remote, is_url, remote_errors

if TYPE_CHECKING:
    from fishembed.remote import Place

_UNKNOWN = -1, -1


class Photos:
    """The pictures of a store: files of a folder, members of its tars, or objects at a URL.

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
        self._root: Place = as_place(root)
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

    def at(self, path: str) -> Path | Blob:
        """Give what `read_bytes` reads for a path of the store.

        The first picture of a tar has all of that tar listed. Tars elsewhere are not, since
        that would fetch them whole.
        """
        if is_url(path):
            return RemoteFile(path, _UNKNOWN)
        tar, within, _ = path.partition(f"{TAR_SUFFIX}/")
        if within and (is_remote(self._root) or Path(str(self._root), tar + TAR_SUFFIX).is_file()):
            return self._members(tar + TAR_SUFFIX).get(path) or Unusable("its tar has it no more")
        if is_remote(self._root):
            return RemoteFile(f"{str(self._root).rstrip('/')}/{path}", _UNKNOWN)
        return Path(str(self._root), path)

    def _listed(self, tar: str) -> Mapping[str, Blob]:
        if is_remote(self._root):
            return {}
        try:
            return read_tars(self._root, [tar])[2]
        except SourceError:
            return {}
