"""Places on this machine and elsewhere: paths, and URLs that fsspec knows.

`s3://`, `gs://`, `memory://` and whatever else fsspec has a file system for. Keys come from where
each file system looks for them (`AWS_…` and `~/.aws` for S3, `GOOGLE_APPLICATION_CREDENTIALS`
for GCS, fsspec's own configuration); a URL that holds some is refused, and none is ever
printed, logged or stored.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from fishembed.errors import InputError, MissingExtraError, RemoteError

if TYPE_CHECKING:
    from typing import TypeAlias

    from typing_extensions import TypeIs
    from upath import UPath

    Place: TypeAlias = Path | UPath

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_COLLAPSED = re.compile(r"^((?:s3a?|gs|gcs|az|abfs|memory|file|https?):)/(?!/)")  # by a Path
_USER = re.compile(r"(?<=://)[^/@\s'\"]*@")
_SECRETS = re.compile(
    r"(?i)((?:key|secret|token|signature|password|credential|sig)[\w-]*['\"]?\s*[=:]\s*['\"]?)"
    r"[^\s&'\",}]+"
)
_OBJECT_STORES = frozenset({"s3", "s3a", "gs", "gcs", "az", "abfs", "memory"})
_EXTRAS = {
    "s3": ("s3fs", "s3"),
    "s3a": ("s3fs", "s3"),
    "gs": ("gcsfs", "gs"),
    "gcs": ("gcsfs", "gs"),
}


def is_url(place: object) -> bool:
    """Tell a URL from a path of this machine; `file://` is one too."""
    return bool(_URL.match(str(place)))


def as_place(place: str | Path | UPath) -> Place:
    """Give a path for what lies on this machine, a `UPath` for what lies elsewhere.

    Raises
    ------
    InputError
        When the URL holds a password or key, or fsspec does not know its kind.
    MissingExtraError
        When the package for that kind is not installed.
    """
    url = _COLLAPSED.sub(r"\1//", str(place))
    if not is_url(url):
        return Path(str(place))
    if _USER.search(url):
        raise InputError(
            f"{scrub(url)!r} was given with a user or a key in it: leave it out and put it where "
            "the file system looks for it, such as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        )
    kind = url.partition("://")[0].lower()
    if kind == "file":
        return Path("/" + unquote(url.partition("://")[2].lstrip("/")))
    return _remote(url.rstrip("/"), kind)


def _remote(url: str, kind: str) -> UPath:
    from upath import UPath

    try:
        place = UPath(url)
        _ = place.fs
    except ImportError as error:
        package, extra = _EXTRAS.get(kind, ("", ""))
        if not package:
            raise InputError(f"{kind}:// needs a package: {error}") from error
        raise MissingExtraError(f"{kind}://", package, extra) from error
    except ValueError as error:
        raise InputError(f"{scrub(url)!r} is of a kind that fsspec does not know") from error
    return place


def is_remote(place: Place) -> TypeIs[UPath]:
    """Tell whether a place, as `as_place` gives it, lies elsewhere."""
    return not isinstance(place, Path)


def scrub(text: str) -> str:
    """Take users, keys, tokens and signatures out of a text that will be read by people."""
    return _SECRETS.sub(r"\1…", _USER.sub("", text))


def version_of(place: UPath) -> str:
    """Give 16 hex digits that change when a remote file does (its ETag, or size and time)."""
    with remote_errors(place):
        mark = str(place.fs.ukey(place.path))
    return hashlib.sha256(mark.encode()).hexdigest()[:16]


@contextmanager
def remote_errors(place: object) -> Iterator[None]:
    """Turn what file systems elsewhere say into a `RemoteError` that names the place.

    A file that is not there stays a `FileNotFoundError`.
    """
    try:
        yield
    except (FileNotFoundError, RemoteError):
        raise
    except Exception as error:  # each file system has its own tree, and some raise anything
        if not _is_of_remote(error):
            raise
        raise RemoteError(f"{scrub(str(place))!r} cannot be reached: {_said(error)}") from None


def _is_of_remote(error: Exception) -> bool:
    own = type(error).__module__.partition(".")[0]
    return isinstance(error, OSError) or own in {"botocore", "aiobotocore", "aiohttp", "gcsfs"}


def _said(error: Exception) -> str:
    text = " ".join(scrub(str(error)).split()) or type(error).__name__
    return text if len(text) <= 200 else text[:199] + "…"


def here(place: Place) -> Path:
    """Give a file's path on this machine: its own, or that of a copy of what lies elsewhere.

    A copy is fetched when it is not there yet or the file has changed.

    Copies lie in `FISHEMBED_COPIES`, else in `fishembed` below the user's cache folder
    (`XDG_CACHE_HOME`, `~/.cache`), one for each version of a file; older ones are removed.

    Raises
    ------
    FileNotFoundError
        When it is not there.
    RemoteError
        When it cannot be had.
    """
    if not is_remote(place):
        if not place.is_file():
            raise FileNotFoundError(str(place))
        return place
    folder = copies() / hashlib.sha256(str(place).encode()).hexdigest()[:16]
    copy = folder / version_of(place) / place.name
    if copy.is_file():
        return copy
    copy.parent.mkdir(parents=True, exist_ok=True)
    beside = copy.with_name(f".{copy.name}.{os.getpid()}.tmp")
    try:
        with remote_errors(place):
            place.fs.get_file(place.path, str(beside))
        os.replace(beside, copy)  # noqa: PTH105 - readers of this copy see all of it or nothing
    finally:
        beside.unlink(missing_ok=True)
    _forget(folder, copy.parent)
    return copy


def copies() -> Path:
    """Give the folder where copies of remote files lie."""
    own = os.environ.get("FISHEMBED_COPIES")
    above = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(own) if own else Path(above) / "fishembed"


def _forget(folder: Path, kept: Path) -> None:
    """Remove the copies of older versions; whoever has one open keeps it."""
    for version in folder.iterdir():
        if version != kept:
            for file in version.iterdir():
                file.unlink(missing_ok=True)
            version.rmdir()


def put(local: Path, place: UPath) -> None:
    """Bring a file of this machine to a remote place, whole or not at all.

    Object stores show an object when all of it has arrived, so there it is one upload; other
    file systems get it under a name of its own first, which is then moved.
    """
    with remote_errors(place):
        fs: Any = place.fs
        if place.protocol in _OBJECT_STORES:
            fs.put_file(str(local), place.path)
            return
        beside = f"{place.path}.{os.getpid()}.tmp"
        fs.makedirs(fs._parent(place.path), exist_ok=True)
        try:
            fs.put_file(str(local), beside)
            fs.mv(beside, place.path)
        except BaseException:
            if fs.exists(beside):
                fs.rm_file(beside)
            raise


def workplace(place: Place) -> Path:
    """Give the path on this machine where a store is made; its own unless it is elsewhere."""
    if not is_remote(place):
        return place
    return copies() / "work" / hashlib.sha256(str(place).encode()).hexdigest()[:16] / place.name


@contextmanager
def uploaded(place: UPath) -> Iterator[Path]:
    """Give a path of this machine to write a file to; upload it when the block ends well."""
    local = workplace(place)
    local.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield local
        put(local, place)
    finally:
        local.unlink(missing_ok=True)
