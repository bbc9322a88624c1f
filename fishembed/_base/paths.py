"""Paths on this machine, and URLs that fsspec knows.

`s3://`, `gs://`, `memory://` and whatever else fsspec has a file system for. Keys come from where
each file system looks for them (`AWS_…` and `~/.aws` for S3, `GOOGLE_APPLICATION_CREDENTIALS`
for GCS, fsspec's own configuration); a URL that holds some is refused, but for the query of
`https://`, where presigned ones have it. The text of what `to_path` returns holds none: see
`fishembed._base.places`. Where no folder is named, ./data, ./cache and ./reports are used, or those
of the environment variables FISHEMBED_DATA, FISHEMBED_CACHE and FISHEMBED_REPORTS.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from fishembed._base.places import (
    HTTP,
    Place,
    places_of,
    scrub,
    shown,
    use_whole_addresses,
    without_secrets,
)
from fishembed.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    from typing import TypeAlias

    from typing_extensions import TypeIs
    from upath import UPath

    AnyPath: TypeAlias = Path | UPath

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_COLLAPSED = re.compile(r"^((?:s3a?|gs|gcs|az|abfs|memory|file|https?):)/(?!/)")  # by a Path
_S3, _GCS = ("s3fs", "s3"), ("gcsfs", "gs")
_EXTRAS = {"s3": _S3, "s3a": _S3, "gs": _GCS, "gcs": _GCS}

__all__ = [
    "Place",
    "cache_dir",
    "data_dir",
    "is_remote",
    "is_url",
    "places_of",
    "reports_dir",
    "scrub",
    "shown",
    "to_path",
    "without_secrets",
]


def is_url(path: object) -> bool:
    """Return whether this is a URL and no path of this machine; `file://` is one too."""
    return bool(_URL.match(str(path)))


def is_remote(path: AnyPath) -> TypeIs[UPath]:
    """Return whether what `to_path` returned lies on another machine."""
    return not isinstance(path, Path)


def to_path(path: str | Path | UPath) -> AnyPath:
    """Return a `Path` for what lies on this machine, a `UPath` for what a URL names.

    Raises
    ------
    InputError
        When the URL holds a password or key, or fsspec does not know its kind.
    MissingExtraError
        When the package for that kind is not installed.
    """
    place = Place(_COLLAPSED.sub(r"\1//", str(path)))
    if not is_url(place):
        return Path(str(place))
    if place.has_login:
        raise InputError(
            f"{str(place)!r} was given with a user or a key in it: leave it out and put it where "
            "the file system looks for it, such as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        )
    kind = place.partition("://")[0].lower()
    if kind == "file":
        return Path("/" + unquote(place.partition("://")[2].lstrip("/")))
    if kind in HTTP:
        use_whole_addresses()
    elif place.lacks_query:
        raise InputError(
            f"{str(place)!r} was given with keys behind a question mark, which only http:// and "
            "https:// have: put them where the file system looks for them"
        )
    return _remote(place.rstrip("/"), kind)


def _remote(url: str, kind: str) -> UPath:
    from upath import UPath

    try:
        path = UPath(url)
        _ = path.fs
    except ImportError as error:
        package, extra = _EXTRAS.get(kind, ("", ""))
        if not package:
            raise InputError(f"{kind}:// needs a package: {error}") from error
        raise MissingExtraError(f"{kind}://", package, extra) from error
    except ValueError as error:
        raise InputError(f"{url!r} is of a kind that fsspec does not know") from error
    return path


def data_dir() -> str:
    """Return the dataset: FISHEMBED_DATA, which may be a URL or a pattern, else ``data``."""
    return os.environ.get("FISHEMBED_DATA", "data")


def cache_dir() -> AnyPath:
    """Return the folder of feature stores: FISHEMBED_CACHE, which may be a URL, else ``cache``."""
    return to_path(os.environ.get("FISHEMBED_CACHE", "cache"))


def reports_dir() -> Path:
    """Return the folder of runs: FISHEMBED_REPORTS, else ``reports``."""
    return Path(os.environ.get("FISHEMBED_REPORTS", "reports"))
