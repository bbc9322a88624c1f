"""Layout of a tree of images: which folders are classes, which are splits, which are neither."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from fishembed._base.splits import SPLITS, split_and_rest, split_named
from fishembed._base.text import counted, merge_sentence
from fishembed.images.datasets.folder import Listing
from fishembed.images.datasets.samples import Dataset, Sample, class_names

if TYPE_CHECKING:
    from fishembed._base.paths import AnyPath

_WORDS = re.compile(r"[^\W\d_]+")
_HUMPS = re.compile(r"(?<=[a-z])(?=[A-Z])")
_NO_PHOTOS = frozenset(
    {"mask", "masks", "gt", "groundtruth", "truth", "segmentation", "segmentations", "seg"}
    | {"segmentationclass", "segmentationobject", "trimap", "trimaps", "matte", "mattes"}
    | {"annotation", "annotations", "label", "labels", "thumb", "thumbs", "thumbnail"}
    | {"thumbnails", "previews"}
)
_BESIDE = re.compile(r"(?i)[ _.-](masks?|gt|seg|segmentation|trimap|thumb|thumbnail)[ _-]?\d*$")
_RANK = re.compile(r"(?i)^[a-z]+(idae|inae|aceae|iformes|oidea|oidei)$")
_EPITHET = re.compile(r"^[a-z][a-z-]+$")
_SHARD = re.compile(r"^\d{4,}$")
_STRAY = 3
"""Images beside a folder that holds all others, as archives add them."""

_MASKS = "a mask or a thumbnail of another image"
Folders = tuple[str, ...]
Facts = Mapping[str, str]
Pair = tuple[str | None, str]
"""A label and a split."""


def lay_out(
    root: AnyPath, listing: Listing, facts_of: Callable[[str], Facts] | None = None
) -> Dataset:
    """Return the samples of a tree of images: which folders are classes, which are splits.

    Samples are sorted by path; what was left out of the listing, and masks, are unread. `facts_of`
    returns label, split and group from a file beside an image.
    """
    masks = _masks(listing.images)
    paths = [path for path in listing.images if path not in masks]
    folders, around = _unwrapped([tuple(path.split("/")[:-1]) for path in paths], root.name)
    notes = []
    if around and any(folders):
        notes.append(f"the folder {'/'.join(around)!r} is read as one that only holds the others")
    pairs, found = _splits_and_labels(folders)
    notes += found
    samples = [Sample(path, *pair) for path, pair in zip(paths, pairs, strict=True)]
    if facts_of is not None and _has_facts(samples, folders, listing):
        samples, note = _with_facts(samples, facts_of)
        notes.append(note)
    if masks:
        notes.append(
            f"{counted(len(masks), 'image')} left out as masks or thumbnails of others, the first: "
            f"{min(masks)!r}; to encode them too, move them to a folder of their own"
        )
    notes += _warnings(samples, listing)
    return Dataset(
        root,
        root.name or "images",
        describe(samples),
        tuple(samples),
        notes=tuple(notes),
        unread=(*listing.left_out, *((path, _MASKS) for path in sorted(masks))),
    )


def describe(samples: Sequence[Sample], of: str = "class folders") -> str:
    """Return a sentence on the classes and splits of samples."""
    classes = class_names(samples)
    present = {sample.split for sample in samples}
    splits = [split for split in SPLITS if split in present]
    kind = f"{len(classes)} {of}" if classes else "flat folder without labels"
    return f"{kind} in {', '.join(splits)}" if splits else kind


def _names_nothing(name: str) -> bool:
    return bool(_WORDS.search(name)) and split_and_rest(name) == ("", ())


def _names_at(depth: int, folders: Sequence[Folders]) -> set[str]:
    return {folder[depth] for folder in folders if len(folder) > depth}


def _unwrapped(folders: list[Folders], root_name: str) -> tuple[list[Folders], Folders]:
    """Remove folders that hold all others, as archives and exports have them."""
    around: Folders = ()
    while tops := _names_at(0, folders):
        if len(tops) != 1:
            break
        (top,) = tops
        beside = sum(not folder for folder in folders)
        inside = _names_at(1, folders)
        loose = sum(len(folder) == 1 for folder in folders)
        empty_name = _names_nothing(top) or top.lower() == root_name.lower()
        holds = len(inside) > 1 or (empty_name and inside) or any(map(split_named, inside))
        if split_named(top) or beside > _STRAY or (loose > _STRAY and inside):
            break
        if not holds and not (_names_nothing(top) and not inside):
            break
        folders = [folder[1:] for folder in folders]
        around = (*around, top)
    return folders, around


def _splits_and_labels(
    folders: list[Folders],
) -> tuple[list[Pair], list[str]]:
    if splits := _split_folders(folders):
        return _below_splits(folders, splits)
    inner = _names_at(1, folders)
    if len({split_named(name) for name in inner} - {""}) > 1 and all(map(split_named, inner)):
        pairs = [
            (folder[0] if folder else None, split_named(folder[1]) if len(folder) > 1 else "")
            for folder in folders
        ]
        return pairs, [f"the folders {_some(inner)} inside the classes are read as splits"]
    label = _label_of(folders)
    return [(label(folder), "") for folder in folders], list(_tree_notes(folders))


def _split_folders(folders: list[Folders]) -> dict[str, str]:
    """Return the split of each top folder that is one; none where they are classes."""
    parts = {top: split_and_rest(top) for top in _names_at(0, folders)}
    rests = {rest for split, rest in parts.values() if split}
    named = {
        top: split
        for top, (split, rest) in parts.items()
        if split and (not rest or len(rests) == 1)
    }
    several = len(set(named.values())) > 1
    if any(parts[top][1] for top in named) and not several:
        return {}
    if not named or several or len(named) == len(parts):
        return named
    deep = _names_at(1, [folder for folder in folders if folder and folder[0] in named])
    flat = all(len(folder) < 2 for folder in folders if folder and folder[0] not in named)
    return named if len(deep) > 1 and flat else {}


def _below_splits(folders: list[Folders], splits: dict[str, str]) -> tuple[list[Pair], list[str]]:
    depth = {
        top: _n_repeats(top, split, [folder[1:] for folder in folders if folder[:1] == (top,)])
        for top, split in splits.items()
    }
    below = [
        folder[1 + depth[folder[0]] :] if folder and folder[0] in splits else None
        for folder in folders
    ]
    known = [folder for folder in below if folder is not None]
    label = _label_of(known)
    classes = {label(folder) for folder in known} - {None}
    pairs: list[Pair] = [
        (next((part for part in folder[:2] if part in classes), None), "")
        if rest is None
        else (label(rest), splits[folder[0]])
        for folder, rest in zip(folders, below, strict=True)
    ]
    others = len(folders) - len(known)
    odd = {top: split for top, split in splits.items() if top.lower() not in {*SPLITS, "valid"}}
    notes = [f"{top!r} is read as the split {split}" for top, split in sorted(odd.items())][:6]
    if others:
        tops = _names_at(0, folders) - set(splits)
        notes.append(
            f"{counted(others, 'image')} beside the split folders {_some(splits)} have no split"
            f"{f' (in {_some(tops)})' if tops else ''}: move them into one, or write a manifest"
        )
    return pairs, notes + list(_tree_notes(known))


def _n_repeats(top: str, split: str, folders: list[Folders]) -> int:
    """Count the folders in a split that only repeat its name."""
    depth = 0
    while True:
        inside = _names_at(depth, folders)
        loose = sum(len(folder) == depth for folder in folders)
        if len(inside) != 1 or loose > _STRAY:
            return depth
        (name,) = inside
        if not (name.lower() == top.lower() or split_named(name) == split or _names_nothing(name)):
            return depth
        depth += 1


def _label_of(folders: Sequence[Folders]) -> Callable[[Folders], str | None]:
    if _is_taxonomy(folders):
        return _species
    tops = _names_at(0, folders)
    if len(tops) == 1 and all(map(_names_nothing, tops)):
        return lambda _folder: None
    return lambda folder: folder[0] if folder else None


def _is_taxonomy(folders: Sequence[Folders]) -> bool:
    tops = _names_at(0, folders)
    return bool(tops) and all(len(f) != 1 for f in folders) and all(map(_RANK.match, tops))


def _species(folder: Folders) -> str | None:
    if not folder:
        return None
    if len(folder) > 2 and _EPITHET.match(folder[-1]) and _WORDS.fullmatch(folder[-2]):
        return f"{folder[-2]} {folder[-1]}"
    return folder[-1]


def _tree_notes(below: Sequence[Folders]) -> Iterator[str]:
    deepest = max(map(len, below), default=0)
    if deepest < 2:
        return
    if _is_taxonomy(below):
        yield (
            f"a tree of {deepest} ranks: the classes are its innermost folders (species), not "
            f"{_some(_names_at(0, below))}; for families, write a manifest with path,label"
        )
        return
    inner = _names_at(1, below)
    outer = _names_at(0, below)
    yield (
        f"folders lie in {'each of ' if len(outer) > 1 else ''}the class folders {_some(outer)}: "
        f"{_some(inner)}; the outermost are read as classes. For the inner ones write a manifest "
        "with path,label, or give a folder further in"
    )


def _masks(paths: Sequence[str]) -> set[str]:
    """Find the images that are masks or thumbnails of others, by folder or by name."""
    inside = {path for path in paths if any(map(_is_for_masks, path.split("/")[:-1]))}
    stems = {_stem(path).rpartition("/")[2].lower() for path in paths if path not in inside}
    alike = sum(_base(path).rpartition("/")[2].lower() in stems for path in inside)
    found = inside if 2 * alike >= len(inside) else set()
    others = [path for path in paths if path not in found]
    whole = set(map(_stem, others))
    return found | {p for p in others if (base := _base(p)) != _stem(p) and base in whole}


def _is_for_masks(name: str) -> bool:
    words = [word.lower() for word in _WORDS.findall(_HUMPS.sub(" ", name))]
    return bool(words) and not _NO_PHOTOS.isdisjoint({words[0], words[-1], "".join(words)})


def _stem(path: str) -> str:
    return path.rpartition(".")[0]


def _base(path: str) -> str:
    return _BESIDE.sub("", _stem(path))


def _has_facts(samples: list[Sample], folders: list[Folders], listing: Listing) -> bool:
    """Return whether files beside the images may have labels: shards, or no class folders."""
    tops = _names_at(0, folders)
    beside = sum(n for (_, kind), n in listing.others.items() if kind in {".json", ".cls"})
    plain = all(sample.label is None for sample in samples)
    return 2 * beside >= len(samples) and (plain or (bool(tops) and all(map(_SHARD.match, tops))))


def _with_facts(
    samples: list[Sample], facts_of: Callable[[str], Facts]
) -> tuple[list[Sample], str]:
    found = []
    for sample in samples:
        facts = facts_of(sample.path)
        split = split_named(facts.get("split", "")) or sample.split
        found.append(Sample(sample.path, facts.get("label"), split, facts.get("group", "")))
    if labels := sum(sample.label is not None for sample in found):
        return found, f"labels come from the .json beside {labels:,} of {len(found):,} images"
    return found, "the .json beside the images say no label"


def _warnings(samples: list[Sample], listing: Listing) -> Iterator[str]:
    classes = class_names(samples)
    unlabelled = [sample.path for sample in samples if sample.label is None]
    if export := _detection(listing):
        yield (
            f"looks like an export for object detection ({export}): boxes are not read as classes "
            "here, whole images are encoded"
        )
    if samples and not classes:
        yield (
            "no classes: the images have no label. Class folders give some, or a manifest with the "
            "columns path,label"
        )
    elif unlabelled:
        yield f"{counted(len(unlabelled), 'image')} without a class, the first: {unlabelled[0]!r}"
    if len(classes) == 1:
        yield (
            f"one class only: {classes[0]!r}. For others give the folder above it, or a manifest "
            "with the columns path,label: fishembed extract MANIFEST.csv"
        )
    if len(classes) > 1 and all(name.isdigit() for name in classes):
        yield (
            "the names of all classes are numbers: rename the folders, or name them in a CSV with "
            "the columns class,name: --aliases NAMES.csv"
        )
    if odd := [name for name in classes if split_named(name) or _names_nothing(name)]:
        yield (
            f"the folders {_some(odd)} are read as classes: move them away if they are none; for "
            "splits all folders beside them must be train, val or test, or a manifest says it "
            "(path,label,split): fishembed extract MANIFEST.csv"
        )
    if merge := merge_sentence(classes):
        yield merge


def _detection(listing: Listing) -> str:
    kinds = {kind for _, kind in listing.others}
    texts = [folder for folder, kind in listing.others if kind == ".txt"]
    if any(folder.split("/")[0] == "labels" or folder.endswith("labels") for folder in texts):
        return "YOLO: labels/*.txt"
    if ".xml" in kinds:
        return "Pascal VOC: *.xml"
    if texts and kinds & {".yaml", ".yml"}:
        return "YOLO: data.yaml"
    names = [table.rpartition("/")[2].lower() for table in listing.tables]
    if any(n.endswith(".json") and re.search("coco|annotation|instances", n) for n in names):
        return "COCO: annotations in .json"
    return ""


def _some(names: Iterable[str]) -> str:
    found = sorted(names)
    more = f" and {len(found) - 4:,} more" if len(found) > 4 else ""
    return ", ".join(map(repr, found[:4])) + more
