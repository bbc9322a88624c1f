"""Uploads to S3 that replace exactly what was there when it was read, or nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

_PART = 64 << 20
_AT_ONCE = 4


def put_s3(fs: Any, local: Path, path: str, condition: Mapping[str, str]) -> None:
    """Upload a file under a condition that S3 tests when all of it has arrived.

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
    if local.stat().st_size <= _PART:
        fs.call_s3("put_object", Body=local.read_bytes(), **place, **condition)
    else:
        _put_parts(fs, local, place, condition)
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
        fs.call_s3("abort_multipart_upload", **begun)
        raise


def _blocks(local: Path) -> Iterator[bytes]:
    with local.open("rb") as file:
        while block := file.read(_PART):
            yield block
