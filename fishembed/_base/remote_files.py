"""Files on other machines: copied here whole to be read, uploaded whole when written."""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from fishembed._base.bounded_reading import blocks
from fishembed._base.files import atomic_file, temporary_file
from fishembed._base.paths import HTTP, is_remote, scrub
from fishembed.errors import RemoteError

if TYPE_CHECKING:
    from upath import UPath

    from fishembed._base.paths import AnyPath

_OBJECT_STORES = frozenset({"s3", "s3a", "gs", "gcs", "az", "abfs", "memory"})
_S3 = frozenset({"s3", "s3a"})
_CLIENTS = frozenset({"botocore", "aiobotocore", "aiohttp", "gcsfs"})
_NOT_THERE = (404, 410)
_LONGEST = 200
_UNANNOUNCED = 4 << 30
"""Limit in bytes for a download whose size the server does not announce."""
FETCH = "FISHEMBED_FETCH"
"""Environment variable that allows fetching what a local file names on another machine."""

_PAUSES = (0.02, 0.1, 0.3)
"""Seconds to wait before trying again to find what another process may be replacing."""

T = TypeVar("T")


@contextmanager
def remote_errors(path: object) -> Iterator[None]:
    """Turn the errors of remote file systems into a `RemoteError` that names the path.

    A file that is not there stays a `FileNotFoundError`.
    """
    try:
        yield
    except RemoteError:
        raise
    except FileNotFoundError as error:  # HTTP's file system raises it for any failure
        if (cause := _failed_request(error)) is None:
            raise
        raise RemoteError(f"{scrub(str(path))!r} cannot be reached: {_message(cause)}") from None
    except Exception as error:  # each file system has its own tree, and some raise anything
        if not isinstance(error, OSError) and _package(error) not in _CLIENTS:
            raise
        raise RemoteError(f"{scrub(str(path))!r} cannot be reached: {_message(error)}") from None


def _failed_request(error: BaseException) -> Exception | None:
    """Return the failure behind a "not found" that is none: no connection, 403, 500."""
    cause = error.__cause__
    if not isinstance(cause, Exception) or getattr(cause, "status", 0) in _NOT_THERE:
        return None
    known = _package(cause) in _CLIENTS or isinstance(cause, (TimeoutError, ConnectionError))
    return cause if known else None


def _package(error: Exception) -> str:
    return type(error).__module__.partition(".")[0]


def _message(error: Exception) -> str:
    text = " ".join(scrub(str(error)).split()) or type(error).__name__
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


ANYTHING = "*"
"""Value of `replaces` for an upload that may replace anything."""


def remote_state(path: UPath) -> str:
    """Return an identifier of a remote file's current content; "" where there is no file."""
    fs = path.fs
    try:
        with remote_errors(path):
            fs.invalidate_cache(fs._parent(path.path))  # others write there too
            known = fs.info(path.path)
            return str(known.get("ETag") or fs.ukey(path.path))
    except FileNotFoundError:
        return ""


def remote_version(path: UPath) -> str:
    """Return 16 hex digits that change when a remote file does (its ETag, or size and time).

    `FileNotFoundError` when there is no such file.
    """
    for pause in _PAUSES:
        if state := remote_state(path):
            return _short_hash(state)
        time.sleep(pause)  # not every store shows old or new while one replaces the other
    raise FileNotFoundError(str(path))


def local_copy(path: AnyPath) -> Path:
    """Return the path of a local file, or of an up-to-date copy of a remote one.

    Copies lie in `copies_dir()`, one for each version of a file; older ones are removed.
    `FileNotFoundError` when there is no such file, `RemoteError` when it cannot be copied.
    """
    if not is_remote(path):
        if not path.is_file():
            raise FileNotFoundError(str(path))
        return path
    folder = copies_dir() / _short_hash(str(path))
    copy = folder / remote_version(path) / path.name
    if copy.is_file():
        return copy
    copy.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(copy) as temporary, remote_errors(path):
        if path.protocol in HTTP:
            _download(path, temporary)
        else:
            path.fs.get_file(path.path, str(temporary))
    _remove_other_versions(folder, copy.parent)
    return copy


def _download(path: UPath, target: Path) -> None:
    """Write what a server sends, and no more than it announced; else it could fill the disk."""
    announced = path.fs.info(path.path).get("size")
    most = _UNANNOUNCED if announced is None else int(announced)
    with target.open("wb") as file:
        for block in blocks(path, most):
            file.write(block)


def with_local_copy(path: AnyPath, read: Callable[[Path], T]) -> T:
    """Return what a function reads from a local file, or from a copy of a remote one.

    Where another process, which found a newer version, removes the copy before it is open, the
    newer one is read. `FileNotFoundError` when there is no such file.
    """
    for pause in _PAUSES if is_remote(path) else ():
        try:
            return read(local_copy(path))
        except FileNotFoundError:  # noqa: PERF203 - to try again is what the loop is for
            if is_remote(path) and not remote_state(path):
                raise
            time.sleep(pause)
    return read(local_copy(path))


def copies_dir() -> Path:
    """Return the folder for copies of remote files.

    It is FISHEMBED_COPIES, else `fishembed` below the user's cache folder (XDG_CACHE_HOME,
    else ``~/.cache``).
    """
    own = os.environ.get("FISHEMBED_COPIES")
    above = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(own) if own else Path(above) / "fishembed"


def _remove_other_versions(folder: Path, current: Path) -> None:
    """Remove the copies of older versions; a process that has one open can still read it."""
    with suppress(OSError):  # another process does the same
        for version in folder.iterdir():
            if version != current:
                for file in version.iterdir():
                    file.unlink(missing_ok=True)
                version.rmdir()


def upload(local: Path, path: UPath, *, replaces: str = ANYTHING) -> None:
    """Upload a local file whole, or leave the old one.

    Object stores show an object when all of it has arrived, so there it is one upload; other
    file systems get it under a temporary name first, which is then moved.

    `replaces` is the `remote_state` that the place must be in: S3 tests that itself, for others it
    is read just before. `RemoteError` when it is in another, or cannot be written.
    """
    if replaces not in (ANYTHING, remote_state(path)):
        raise _changed(path)
    with remote_errors(path):
        fs: Any = path.fs
        if path.protocol in _S3 and replaces != ANYTHING:
            condition = {"IfMatch": replaces} if replaces else {"IfNoneMatch": "*"}
            try:
                put_s3(fs, local, path.path, condition)
            except OSError as error:
                if remote_state(path) != replaces:
                    raise _changed(path) from error
                raise
        elif path.protocol in _OBJECT_STORES:
            fs.put_file(str(local), path.path)
        else:
            _upload_and_move(fs, local, path.path)


def _changed(path: UPath) -> RemoteError:
    return RemoteError(
        f"{scrub(str(path))!r} was written by somebody else meanwhile, and that is left as it is: "
        "run this again, which starts from what is there now"
    )


def _upload_and_move(fs: Any, local: Path, path: str) -> None:
    temporary = f"{path}.{os.getpid()}.{secrets.token_hex(4)}.tmp"
    fs.makedirs(fs._parent(path), exist_ok=True)
    try:
        fs.put_file(str(local), temporary)
        fs.mv(temporary, path)
    except BaseException:
        if fs.exists(temporary):
            fs.rm_file(temporary)
        raise


def staging_path(path: AnyPath) -> Path:
    """Return where a file is written before it is uploaded; a local path is its own."""
    return copies_dir() / "work" / _short_hash(str(path)) / path.name if is_remote(path) else path


@contextmanager
def uploaded_file(path: UPath, *, replaces: str = ANYTHING) -> Iterator[Path]:
    """Yield a local path to write to; upload the file when the block ends well; see `upload`."""
    place = staging_path(path)
    place.parent.mkdir(parents=True, exist_ok=True)
    with temporary_file(place) as temporary:
        yield temporary
        upload(temporary, path, replaces=replaces)


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


_PART = 64 << 20
_PARALLEL_PARTS = 4


def put_s3(fs: Any, local: Path, path: str, condition: Mapping[str, str]) -> None:
    """Upload a file under a condition that S3 tests when all of it has arrived.

    Where the response to the upload was lost it is sent again, and the condition fails because
    of the first one: such an upload has succeeded.

    Parameters
    ----------
    fs, local, path
        An `s3fs.S3FileSystem`, the file, bucket and key.
    condition
        ``{"IfMatch": etag}``, or ``{"IfNoneMatch": "*"}`` where nothing must be there. `OSError`
        (``EINVAL``) where it does not hold.
    """
    bucket, key, _ = fs.split_path(path)
    place = {"Bucket": bucket, "Key": key}
    try:
        if local.stat().st_size <= _PART:
            fs.call_s3("put_object", Body=local.read_bytes(), **place, **condition)
        else:
            _put_parts(fs, local, place, condition)
    except Exception:
        if not _has_arrived(fs, local, place):
            raise
    fs.invalidate_cache(fs._parent(path))


def _put_parts(fs: Any, local: Path, place: dict[str, str], condition: Mapping[str, str]) -> None:
    multipart = place | {"UploadId": fs.call_s3("create_multipart_upload", **place)["UploadId"]}

    def put(numbered: tuple[int, bytes]) -> dict[str, Any]:
        number, body = numbered
        response = fs.call_s3("upload_part", PartNumber=number, Body=body, **multipart)
        return {"PartNumber": number, "ETag": response["ETag"]}

    parts: list[dict[str, Any]] = []
    bodies = enumerate(_file_parts(local), 1)
    try:
        with ThreadPoolExecutor(_PARALLEL_PARTS) as pool:
            while some := list(islice(bodies, _PARALLEL_PARTS)):
                parts += pool.map(put, some)
        fs.call_s3(
            "complete_multipart_upload", MultipartUpload={"Parts": parts}, **multipart, **condition
        )
    except BaseException:
        with suppress(Exception):  # what went wrong first counts
            fs.call_s3("abort_multipart_upload", **multipart)
        raise


def _has_arrived(fs: Any, local: Path, place: dict[str, str]) -> bool:
    """Return whether the place holds this file, by its ETag where S3 returns one."""
    with suppress(Exception):  # no response to this either: it is not known
        return str(fs.call_s3("head_object", **place)["ETag"]).strip('"') == _etag(local)
    return False


def _etag(local: Path) -> str:
    """Return the MD5 of a file, or of those of its parts with their number."""
    parts = [hashlib.md5(block, usedforsecurity=False) for block in _file_parts(local)]
    if local.stat().st_size <= _PART:
        return parts[0].hexdigest() if parts else hashlib.md5(usedforsecurity=False).hexdigest()
    together = hashlib.md5(b"".join(one.digest() for one in parts), usedforsecurity=False)
    return f"{together.hexdigest()}-{len(parts)}"


def _file_parts(local: Path) -> Iterator[bytes]:
    with local.open("rb") as file:
        while block := file.read(_PART):
            yield block
