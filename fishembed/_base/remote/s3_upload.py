"""Uploads to S3 that replace exactly what was there when it was read, or nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

_PART = 64 << 20
_AT_ONCE = 4


def put_s3(fs: Any, local: Path, path: str, condition: Mapping[str, str]) -> None:
    """Upload a file under a condition that S3 tests when all of it has arrived.

    Where the answer to the upload was lost it is sent again, and the condition fails by what it
    brought itself: such an upload has succeeded.

    Parameters
    ----------
    fs
        An `s3fs.S3FileSystem`.
    local
        The file.
    path
        Bucket and key.
    condition
        ``{"IfMatch": etag}``, or ``{"IfNoneMatch": "*"}`` where nothing must be there.

    Raises
    ------
    OSError
        Where the condition does not hold (``EINVAL``), or nothing can be written.
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
    begun = place | {"UploadId": fs.call_s3("create_multipart_upload", **place)["UploadId"]}

    def put(numbered: tuple[int, bytes]) -> dict[str, Any]:
        number, body = numbered
        answer = fs.call_s3("upload_part", PartNumber=number, Body=body, **begun)
        return {"PartNumber": number, "ETag": answer["ETag"]}

    parts: list[dict[str, Any]] = []
    blocks = enumerate(_blocks(local), 1)
    try:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            while some := list(islice(blocks, _AT_ONCE)):
                parts += pool.map(put, some)
        fs.call_s3(
            "complete_multipart_upload", MultipartUpload={"Parts": parts}, **begun, **condition
        )
    except BaseException:
        with suppress(Exception):  # what went wrong first counts
            fs.call_s3("abort_multipart_upload", **begun)
        raise


def _has_arrived(fs: Any, local: Path, place: dict[str, str]) -> bool:
    """Return whether the place holds this file, by its ETag where S3 gives one."""
    with suppress(Exception):  # no answer to this either: it is not known
        return str(fs.call_s3("head_object", **place)["ETag"]).strip('"') == _etag(local)
    return False


def _etag(local: Path) -> str:
    """Return the MD5 of a file, or of those of its parts with their number."""
    parts = [hashlib.md5(block, usedforsecurity=False) for block in _blocks(local)]
    if local.stat().st_size <= _PART:
        return parts[0].hexdigest() if parts else hashlib.md5(usedforsecurity=False).hexdigest()
    together = hashlib.md5(b"".join(one.digest() for one in parts), usedforsecurity=False)
    return f"{together.hexdigest()}-{len(parts)}"


def _blocks(local: Path) -> Iterator[bytes]:
    with local.open("rb") as file:
        while block := file.read(_PART):
            yield block
