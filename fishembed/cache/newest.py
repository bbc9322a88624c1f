"""The store that was written last."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fishembed._base.paths import to_path
from fishembed.errors import StoreNotFoundError

if TYPE_CHECKING:
    from upath import UPath

    from fishembed._base.paths import AnyPath


def newest_store(folder: str | Path | UPath) -> AnyPath:
    """Give the store in `folder` that was written last.

    Raises
    ------
    StoreNotFoundError
        When there is none.
    """
    found = [path for path in to_path(folder).glob("*.h5") if not path.name.startswith(".")]
    if not found:
        raise StoreNotFoundError(
            f"no feature store in {str(folder)!r}: make one with 'fishembed extract' or "
            "'fishembed import'"
        )
    return max(found, key=lambda path: (path.stat().st_mtime_ns, path.name))
