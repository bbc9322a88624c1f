"""Tars of samples, as WebDataset and img2dataset write them, read where they lie.

Files of a tar whose names agree up to the first dot are one sample: `0001.jpg` is the image,
`0001.json` or `0001.cls` says what it is. A tar is listed once, by its headers; an image is
then read at its offset, in the order of the tar, and nothing is unpacked. The webdataset library
streams samples and tells no offsets, which resuming and "unchanged" need; listing with tarfile and
reading at the offsets takes the same time.
"""

from __future__ import annotations

import json
import re
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO

from fishembed._base.paths import Place, is_remote
from fishembed._base.remote_files import remote_errors, remote_version
from fishembed._base.splits import SPLIT_NAMES
from fishembed._base.text import counted
from fishembed.errors import ImageError, SourceError
from fishembed.images.folder import SUFFIXES
from fishembed.images.image_bytes import ImageBytes, UnreadableImage, stamp
from fishembed.images.ranges import read_range
from fishembed.images.sample import Sample

if TYPE_CHECKING:
    from fishembed._base.paths import AnyPath

CLASS_NAMES = "classnames.txt"

_LABELS = ("label", "class", "class_name", "cls")
_SAMPLE = re.compile(r"((?:.*/)?[^./]+)\.([^/]+)")
_TOLD = frozenset({"json", "cls", "label.txt", "split.txt", "group.txt"})
_SMALL = 1 << 20
_AHEAD = 8 << 20
_BLOCK = 512


@dataclass(frozen=True)
class TarMember:
    """An image inside a tar: its bytes from `offset` on."""

    tar: Place
    offset: int
    state: tuple[int, int]

    def read(self) -> bytes:
        """Read it whole; see `ImageBytes`."""
        size = self.state[0]
        try:
            data = read_range(self.tar, self.offset, size)
        except FileNotFoundError as error:
            raise ImageError("its tar is missing") from error
        except OSError as error:
            raise ImageError(f"its tar cannot be read: {error.strerror or error}") from error
        if len(data) < size:
            raise ImageError(f"its tar ends after {len(data):,} of its {size:,} bytes")
        return data


@dataclass
class _Sample:
    """Files of one tar under one key."""

    images: dict[str, ImageBytes] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)
    problem: str = ""


def read_tars(
    root: AnyPath, tars: Sequence[str]
) -> tuple[str, list[Sample], dict[str, ImageBytes]]:
    """List the images in tars.

    The label is `label`, `class`, `class_name` or `cls` of a sample's json, else its `.cls` or
    `.label.txt`; numbers are looked up in a `classnames.txt` in the root, one name a line.
    Split and group are the json's, else `.split.txt` and `.group.txt`; a split may also be the
    folder of a tar, or what its name begins with (`train-0001.tar`). A `.txt` is a caption and
    left alone.

    Parameters
    ----------
    root
        The folder the tars lie in.
    tars
        Their paths below it, with forward slashes.

    Returns
    -------
    layout
        One sentence on what was found.
    items
        In the order of the tars and of what is in them, each under `TAR/NAME`. A tar that is
        broken is an item too, whose bytes are the reason why.
    blobs
        Where the bytes of each lie, by path.

    Raises
    ------
    SourceError
        When there is no image in them, or a file is no tar at all and the only one.
    """
    items: list[Sample] = []
    blobs: dict[str, ImageBytes] = {}
    names = _class_names(root)
    for tar in tars:
        samples, problem = _read_tar(root, tar)
        for sample in samples.values():
            for name, member in sample.images.items():
                item, blob = _item(f"{tar}/{name}", sample, _split_of(tar), names, member)
                items.append(item)
                blobs[item.path] = blob
        if problem:
            items.append(Sample(tar))
            blobs[tar] = UnreadableImage(problem)
    if all(isinstance(blob, UnreadableImage) for blob in blobs.values()):
        why = next(
            (f"{p!r} {b.reason}" for p, b in blobs.items() if isinstance(b, UnreadableImage)), ""
        )
        raise SourceError(
            f"no image in {counted(len(tars), 'tar')} of {str(root)!r}: "
            f"{why or 'looked for ' + ' '.join(sorted(SUFFIXES))}"
        )
    labelled = {item.label for item in items} - {None}
    what = f"{len(labelled)} classes" if labelled else "no labels"
    return f"{counted(len(tars), 'tar')} with {what}", items, blobs


def _read_tar(root: AnyPath, tar: str) -> tuple[dict[str, _Sample], str]:
    """Return the samples of a tar by key, and what is wrong with it or ""."""
    samples: dict[str, _Sample] = {}
    place = root / tar
    try:
        with remote_errors(place), _opened(place) as file:
            state = _state(place)
            for member, content in _members(file):
                _sort_in(samples, member, content, Place(f"{root}/{tar}"), state)
    except tarfile.TarError as error:
        known = sum(len(sample.images) for sample in samples.values())
        return samples, f"is broken behind its first {known:,} images: {error}"
    except OSError as error:
        return samples, f"cannot be read: {error.strerror or error}"
    return samples, ""


def _opened(place: AnyPath) -> BinaryIO:
    """Open a tar to be read from start to end; from elsewhere in blocks of some megabytes."""
    if is_remote(place):
        return place.open("rb", block_size=_AHEAD, cache_type="readahead")
    return place.open("rb")


def _state(place: AnyPath) -> object:
    """Return what changes when the tar does."""
    if is_remote(place):
        return remote_version(place)
    state = place.stat()
    return state.st_size, state.st_mtime_ns


def _members(file: BinaryIO) -> Iterator[tuple[tarfile.TarInfo, bytes | None]]:
    """Yield the files of a tar, those that say something of a sample with their content.

    Raises
    ------
    tarfile.TarError
        When it is no tar, or ends before its end.
    """
    with tarfile.open(fileobj=file, mode="r:") as tar:
        for member in tar:
            if member.isfile():
                extension = member.name.rpartition("/")[2].partition(".")[2].lower()
                wanted = extension in _TOLD and member.size <= _SMALL
                found = tar.extractfile(member) if wanted else None
                yield member, found.read() if found else None
            tar.members.clear()  # type: ignore[attr-defined] # all of them would be kept
        # Behind the last header that could be read tarfile stops without a word.
        file.seek(tar.offset)
        if any(file.read(_BLOCK)):
            raise tarfile.ReadError(f"no header at byte {tar.offset:,}")


def _sort_in(
    samples: dict[str, _Sample],
    member: tarfile.TarInfo,
    content: bytes | None,
    tar: Place,
    state: object,
) -> None:
    name = member.name.removeprefix("./").lstrip("/")
    matched = _SAMPLE.fullmatch(name)
    if matched is None or "__MACOSX/" in name or any(p.startswith(".") for p in name.split("/")):
        return
    key, extension = matched[1], matched[2].lower()
    sample = samples.setdefault(key, _Sample())
    if content is not None:
        sample.problem = sample.problem or _told(sample, extension, content, name)
    elif f".{extension.rpartition('.')[2]}" in SUFFIXES:
        mark = stamp(state, member.offset_data)
        sample.images[name] = TarMember(tar, member.offset_data, (member.size, mark))


def _told(sample: _Sample, extension: str, content: bytes, name: str) -> str:
    """Take in what a file says of its sample; return what is wrong with it, or ""."""
    try:
        text = content.decode("utf-8-sig").strip()
        if extension != "json":
            sample.facts.setdefault(extension.removesuffix(".txt"), text)
            return ""
        document = json.loads(text)
    except ValueError as error:
        return f"{name!r}, which says what it is, cannot be read: {error}"
    if isinstance(document, dict):
        sample.facts.update(_facts(document))
    return ""


def _facts(document: dict[str, Any]) -> dict[str, str]:
    labels = [document[name] for name in _LABELS if document.get(name) not in (None, "")]
    facts = {"label": labels[0] if labels else None}
    facts |= {name: document.get(name) for name in ("split", "group")}
    return {name: str(value) for name, value in facts.items() if value not in (None, "")}


def _item(
    path: str, sample: _Sample, split: str, names: Sequence[str], blob: ImageBytes
) -> tuple[Sample, ImageBytes]:
    facts = sample.facts
    label: str | None = facts.get("label") or facts.get("cls")
    if label and label.isdecimal() and int(label) < len(names):
        label = names[int(label)]
    own = facts.get("split", "").lower()
    problem = sample.problem
    if own and own not in SPLIT_NAMES:
        problem = problem or f"its split {own!r} is none of train, val and test"
    item = Sample(path, label or None, SPLIT_NAMES.get(own, split), facts.get("group", ""))
    return item, UnreadableImage(problem) if problem else blob


def _split_of(tar: str) -> str:
    """Tell the split from a tar's folder or from what its name begins with."""
    *folders, name = tar.lower().split("/")
    for word in (*folders, re.split(r"[^a-z]", name)[0]):
        if word in SPLIT_NAMES:
            return SPLIT_NAMES[word]
    return ""


def _class_names(root: AnyPath) -> list[str]:
    try:
        with remote_errors(root):
            text = (root / CLASS_NAMES).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return []
    return [line.strip() for line in text.splitlines()]
