"""Tars of samples, as WebDataset and img2dataset write them, read where they lie.

Files of a tar whose names agree up to the first dot are one sample: `0001.jpg` is the image,
`0001.json` or `0001.cls` has its label. A tar is listed once, by its headers; an image is
then read at its offset, in the order of the tar, and nothing is unpacked. The webdataset library
streams samples without their offsets, which resuming and "unchanged" need; listing with tarfile and
reading at the offsets is as fast.
"""

from __future__ import annotations

import json
import posixpath
import re
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, BinaryIO

from fishembed._base.missing import text_or_missing
from fishembed._base.paths import Place, is_remote
from fishembed._base.remote_files import remote_errors, remote_version
from fishembed._base.splits import split_named
from fishembed._base.text import counted, merge_sentence
from fishembed.errors import FishembedError, ImageError, SourceError
from fishembed.images.datasets.folder import list_names
from fishembed.images.datasets.layout import lay_out
from fishembed.images.datasets.samples import NO_METADATA, Dataset, Sample, class_names, file_state
from fishembed.images.datasets.table_reading import facts_in, metadata_in, unusable_text
from fishembed.images.decoding.formats import (
    HIDDEN,
    SUFFIXES,
    ending,
    is_hidden,
    read_suffixes,
    why_unread,
)
from fishembed.images.decoding.image_bytes import ImageBytes, UnreadableImage, read_range, stamp

if TYPE_CHECKING:
    from fishembed._base.paths import AnyPath

CLASS_NAMES = "classnames.txt"

_FACTS_NAME = re.compile(r"(?i)^(.+?)\.(json|cls|label\.txt|split\.txt|group\.txt)$")
_SHARD = re.compile(r"\d{4,}")
"""A folder inside a tar that is a part of a dataset and no class."""

_SMALL = 1 << 20
_AHEAD = 8 << 20
_BLOCK = 512
_LONGEST_LABEL = 1000


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
class _Facts:
    """Label, split, group and metadata of one sample, and the error of the first broken file."""

    facts: dict[str, str] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
    problem: str = ""

    def add(self, kind: str, content: bytes, name: str) -> None:
        """Add the content of a file beside the image."""
        try:
            text = content.decode("utf-8-sig").strip()
            if kind != "json":
                self.facts.setdefault(kind.removesuffix(".txt"), text)
                return
            document = json.loads(text)
            self.facts.update(facts_in(document))
            self.metadata.update(metadata_in(document))
        except ImageError as error:
            self.problem = self.problem or f"{name!r}: {error}"
        except (ValueError, RecursionError) as error:
            why = f"{name!r}, which says what it is, cannot be read: {error}"
            self.problem = self.problem or why


@dataclass
class _Tar:
    """Members of one tar and the facts beside them."""

    images: dict[str, ImageBytes] = field(default_factory=dict)
    facts: dict[str, _Facts] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    left_out: list[tuple[str, str]] = field(default_factory=list)
    problem: str = ""

    def facts_of(self, name: str) -> _Facts:
        """Return the facts of an image: under its own name, or up to an earlier dot."""
        folder, slash, base = name.rpartition("/")
        while "." in base:
            base = base.rpartition(".")[0]
            if (found := self.facts.get(f"{folder}{slash}{base}")) is not None:
                return found
        return _Facts()

    def resolve_links(self) -> None:
        """Point links at the bytes of the files that they lead to."""
        for name, target in self.links.items():
            there = self.images.get(target)
            self.images[name] = there or UnreadableImage(
                f"is a link to {target!r}, which the tar does not have as an image"
            )


def read_tars(root: AnyPath, tars: Sequence[str]) -> Dataset:
    """List the images in tars.

    The label is `label`, `class`, `class_name` or `cls` of a sample's json, else its `.cls` or
    `.label.txt`; numbers become the names of a `classnames.txt` in the root, one name a line.
    Split and group are the json's, else `.split.txt` and `.group.txt`; a split may also be the
    folder of a tar, or what its name begins with (`train-0001.tar`). A `.txt` is a caption and
    left alone.

    The tars are paths below the root, with forward slashes. Samples come in the order of the tars
    and of what is in them, each under `TAR/NAME`; a tar that is broken is a sample too, whose bytes
    are the reason why. `SourceError` is raised when there is no image in them.
    """
    pairs: list[tuple[Sample, ImageBytes]] = []
    left_out: list[tuple[str, str]] = []
    names = _class_names(root)
    for tar in tars:
        found = _read_tar(root, tar)
        pairs += _samples(tar, found, names)
        left_out += [(f"{tar}/{name}", reason) for name, reason in found.left_out]
    broken = [f"{s.path!r} {one.reason}" for s, one in pairs if isinstance(one, UnreadableImage)]
    if len(broken) == len(pairs):
        why = next(iter(broken), "looked for " + " ".join(sorted(SUFFIXES)))
        raise SourceError(f"no image in {counted(len(tars), 'tar')} of {str(root)!r}: {why}")
    samples = [sample for sample, _ in pairs]
    image_bytes = {sample.path: image for sample, image in pairs}
    notes: tuple[str, ...] = ()
    if not class_names(samples):
        notes = _label_by_folders(root, samples, image_bytes)
    classes = class_names(samples)
    what = f"{len(classes)} {'class folders' if notes else 'classes'}" if classes else "no labels"
    merge = merge_sentence(classes)
    return Dataset(
        root,
        root.name or "images",
        f"{counted(len(tars), 'tar')} with {what}",
        tuple(samples),
        image_bytes,
        (*notes, merge) if merge else notes,
        unread=tuple(left_out),
        kind="tars",
    )


def _label_by_folders(
    root: AnyPath, samples: list[Sample], image_bytes: Mapping[str, ImageBytes]
) -> tuple[str, ...]:
    """Read the folders inside tars as classes and splits, in place; return notes where they are."""
    inside = {
        path: path.removeprefix(f"{str(image.tar).removeprefix(f'{root}/')}/")
        for path, image in image_bytes.items()
        if isinstance(image, TarMember)
    }
    if not any("/" in name for name in inside.values()):
        return ()
    laid = lay_out(root, list_names(set(inside.values())))
    known = {one.path: one for one in laid.samples if one.label is not None}
    if all(_SHARD.fullmatch(str(one.label)) for one in known.values()):
        return ()
    for at, sample in enumerate(samples):
        if one := known.get(inside.get(sample.path, "")):
            samples[at] = replace(sample, label=one.label, split=sample.split or one.split)
    note = "the folders inside the tars are read as classes, since no .json or .cls says what is"
    return note, *laid.notes


def _read_tar(root: AnyPath, tar: str) -> _Tar:
    """Return the members of a tar, with its error where it is broken."""
    found = _Tar()
    place = root / tar
    try:
        with remote_errors(place), _opened(place) as file:
            state = remote_version(place) if is_remote(place) else file_state(str(place))
            for member, content in _members(file):
                _sort_in(found, member, content, Place(f"{root}/{tar}"), state)
    except OSError as error:
        found.problem = f"cannot be read: {error.strerror or error}"
    except FishembedError as error:
        found.problem = str(error)
    except Exception as error:  # tarfile raises anything on broken headers
        found.problem = f"is broken behind its first {len(found.images):,} images: {error}"
    found.resolve_links()
    return found


def _opened(place: AnyPath) -> BinaryIO:
    """Open a tar to be read from start to end; at a URL in blocks of some megabytes."""
    if is_remote(place):
        return place.open("rb", block_size=_AHEAD, cache_type="readahead")
    if not place.is_file():
        raise OSError("it is a pipe or a device, not a file")
    return place.open("rb")


def _members(file: BinaryIO) -> Iterator[tuple[tarfile.TarInfo, bytes | None]]:
    """Yield the files of a tar, those with labels or metadata with their content.

    Raises
    ------
    tarfile.TarError
        When it is no tar, or ends before its end.
    """
    with tarfile.open(fileobj=file, mode="r:") as tar:
        before = -1
        for member in tar:
            if member.size < 0 or tar.offset <= before or tar.offset >= 1 << 63:
                raise tarfile.ReadError(f"a size of {member.size:,} bytes for {member.name[:80]!r}")
            before = tar.offset
            wanted = _FACTS_NAME.match(member.name) and member.isfile() and member.size <= _SMALL
            found = tar.extractfile(member) if wanted else None
            yield member, found.read() if found else None
            tar.members.clear()  # type: ignore[attr-defined] # all of them would stay in memory
        # After the last readable header tarfile stops without an error.
        file.seek(tar.offset)
        if any(file.read(_BLOCK)):
            raise tarfile.ReadError(f"no header at byte {tar.offset:,}")


def _sort_in(
    found: _Tar, member: tarfile.TarInfo, content: bytes | None, tar: Place, state: object
) -> None:
    name = member.name.removeprefix("./").lstrip("/")
    if member.isdir():
        return
    kind = ending(name)
    hidden = any(map(is_hidden, name.split("/")))
    if content is not None:
        matched = _FACTS_NAME.match(name)
        if matched is not None and not hidden:
            facts = found.facts.setdefault(matched[1], _Facts())
            facts.add(matched[2].lower(), content, name)
    elif (why := why_unread(kind)) or (kind in read_suffixes() and hidden):
        found.left_out.append((name, HIDDEN if hidden else why))
    elif kind not in read_suffixes():
        return
    elif member.islnk() or member.issym():
        above = name.rpartition("/")[0] if member.issym() else ""
        found.links[name] = posixpath.normpath(posixpath.join(above, member.linkname)).lstrip("/")
    elif not member.isfile() or member.issparse():
        found.images[name] = UnreadableImage(
            "is no plain file of its tar: a pipe, device or sparse"
        )
    else:
        mark = stamp(state, member.offset_data)
        found.images[name] = TarMember(tar, member.offset_data, (member.size, mark))


def _samples(tar: str, found: _Tar, names: Sequence[str]) -> Iterator[tuple[Sample, ImageBytes]]:
    """Yield the images of a tar as samples, then the tar itself where it is broken."""
    split = _split_of(tar)
    for name, image in found.images.items():
        yield _sample(f"{tar}/{name}", found.facts_of(name), split, names, image)
    if found.problem:
        yield Sample(tar), UnreadableImage(found.problem)


def _sample(
    path: str, sample: _Facts, split: str, names: Sequence[str], image: ImageBytes
) -> tuple[Sample, ImageBytes]:
    """Return an image as a sample, an unreadable one where its label or split makes no sense."""
    facts = sample.facts
    label = text_or_missing(facts.get("label")) or text_or_missing(facts.get("cls"))
    group = text_or_missing(facts.get("group"))
    if label.isdecimal() and len(label) < 19 and int(label) < len(names):
        label = names[int(label)]
    own = text_or_missing(facts.get("split"))
    problem = sample.problem or unusable_text(label) or unusable_text(group)
    if own and not split_named(own):
        problem = problem or f"its split {own!r} is none of train, val and test"
    if not problem and len(label) > _LONGEST_LABEL:
        problem = f"its label has {len(label):,} characters: {label[:60]!r}…"
    if problem:
        return Sample(path), UnreadableImage(problem)
    further = sample.metadata or NO_METADATA
    return Sample(path, label or None, split_named(own) or split, group, metadata=further), image


def _split_of(tar: str) -> str:
    """Return the split by a tar's folder or by what its name begins with."""
    *folders, name = tar.split("/")
    stem = re.sub(r"(?i)\.tar$", "", name)
    for word in (*folders, stem, re.split(r"[^A-Za-z]", stem)[0]):
        if split := split_named(word):
            return split
    return ""


def _class_names(root: AnyPath) -> list[str]:
    """Read the names of classes that are numbers, in the folder or the one above it."""
    for place in (root / CLASS_NAMES, root.parent / CLASS_NAMES):
        try:
            with remote_errors(root):
                if place.is_file():
                    text = place.read_text(encoding="utf-8-sig")
                    return [line.strip() for line in text.splitlines()]
        except (OSError, UnicodeDecodeError):  # noqa: PERF203 - two turns
            continue
    return []
