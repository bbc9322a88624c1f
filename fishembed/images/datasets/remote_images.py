"""Images of folders and manifests that lie at URLs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fishembed._base.bounded_reading import read_file
from fishembed._base.paths import Place, is_remote, is_url, scrub, to_path
from fishembed._base.remote_files import remote_errors
from fishembed.errors import FishembedError, ImageError
from fishembed.images.datasets.samples import Sample
from fishembed.images.decoding.image_bytes import ImageBytes, UnreadableImage, read_bytes, stamp

if TYPE_CHECKING:
    from upath import UPath

    from fishembed._base.paths import AnyPath

_AT_ONCE = 32
MOST_BYTES = 1 << 28
"""Most bytes of a remote image, which is whole in memory, in each thread."""

_MISSING = "the file is missing"


@dataclass(frozen=True)
class RemoteImage:
    """An image at a URL."""

    url: Place
    state: tuple[int, int] = (-1, -1)

    def read(self) -> bytes:
        """Read it whole; see `ImageBytes`."""
        try:
            place = to_path(self.url)
            if not is_remote(place):
                return read_bytes(place, max_bytes=MOST_BYTES)
            with remote_errors(place):
                return read_file(place, MOST_BYTES)
        except FileNotFoundError as error:
            raise ImageError(_MISSING) from error
        except (FishembedError, OSError) as error:
            raise ImageError(str(error)) from error


def remote_manifest_images(root: AnyPath, samples: Sequence[Sample]) -> dict[str, ImageBytes]:
    """Return the images of a manifest that are at URLs: its own folder is, or it names them."""
    image_bytes: dict[str, ImageBytes] = {}
    if is_remote(root):
        listed, missing = list_remote(root), UnreadableImage(_MISSING)
        paths = [sample.path for sample in samples if not is_url(sample.path)]
        image_bytes = {path: listed.get(path, missing) for path in paths}
    urls = [sample.path for sample in samples if is_url(sample.path)]
    if urls:  # places, which know their whole addresses
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            image_bytes.update(zip(urls, pool.map(_at_url, urls), strict=True))
    return image_bytes


def list_remote(root: UPath) -> dict[str, ImageBytes]:
    """Return all files below a folder at a URL, by their paths below it, from one listing."""
    with remote_errors(root):
        found = root.fs.find(root.path, detail=True)
    start = len(str(root.path).strip("/")) + 1
    kind = str(root).partition("://")[0]
    return {
        name.strip("/")[start:]: RemoteImage(Place(f"{kind}://{name.lstrip('/')}"), _state(facts))
        for name, facts in found.items()
    }


def _at_url(path: str) -> ImageBytes:
    url = Place(path)
    try:
        place = to_path(url)
        with remote_errors(place):
            if is_remote(place):
                return RemoteImage(url, _state(place.fs.info(place.path)))
            state = place.stat()
            return RemoteImage(url, (state.st_size, state.st_mtime_ns))
    except FileNotFoundError:
        return UnreadableImage(_MISSING)
    except Exception as error:  # file systems of fsspec raise anything on a URL they cannot use
        return UnreadableImage(f"cannot be reached: {scrub(' '.join(str(error).split()))[:200]}")


def _state(facts: Mapping[str, Any]) -> tuple[int, int]:
    size = facts.get("size")
    marks = [facts.get(name) for name in ("ETag", "etag", "LastModified", "mtime", "created")]
    return (-1 if size is None else int(size)), stamp(size, *map(str, marks))
