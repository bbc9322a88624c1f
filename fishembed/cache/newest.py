"""The store that was written last."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fishembed.errors import StoreNotFoundError
from fishembed.remote import as_place

if TYPE_CHECKING:
    from upath import UPath

    from fishembed.remote import Place


def newest_store(folder: str | Path | UPath) -> Place:
    """Give the store in `folder` that was written last.

    Raises
    ------
    StoreNotFoundError
        When there is none.
    """
    found = [path for path in as_place(folder).glob("*.h5") if not path.name.startswith(".")]
    if not found:
        raise StoreNotFoundError(
            f"no feature store in {str(folder)!r}: make one with 'fishembed extract' or "
            "'fishembed import'"
        )
    return max(found, key=lambda path: (path.stat().st_mtime_ns, path.name))
