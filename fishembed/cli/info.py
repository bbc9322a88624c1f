"""The verb `info`: print what is in a store."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fishembed._base.splits import SPLITS
from fishembed._base.text import counted, printable
from fishembed.cli.program.console import Console
from fishembed.cli.program.options import JsonOption, StoreArgument
from fishembed.cli.program.resolve_paths import resolve_store

if TYPE_CHECKING:
    import numpy.typing as npt

    from fishembed.cache import Damage, FeatureStore

_SHOWN = 10
_SPLITS = (*SPLITS, "")


def info(
    store: StoreArgument = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Compare all data in the file with its checksums.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Print what is in a store; with --verify, check that the file is undamaged.

    Examples
    --------
    fishembed info
    fishembed info fish --verify
    """
    from fishembed.cache import FeatureStore
    from fishembed.errors import StoreIntegrityError

    with Console(as_json=as_json) as console:
        with FeatureStore.open(resolve_store(store, console), check=not verify) as opened:
            document = _describe(opened)
            _print(console, document)
            damage = opened.verify() if verify else []
            document["verified"] = not damage if verify else None
            document["damage"] = [_damage(one, opened) for one in damage]
            console.document(document)
        if damage:
            raise StoreIntegrityError(
                f"{str(opened.path)!r} is not what was written: "
                f"{'; '.join(str(one['text']) for one in document['damage'])}. "
                "'fishembed extract' encodes damaged rows again where their images are there"
            )
        if verify:
            console.answer("verified: every checksum holds")


def _describe(store: FeatureStore) -> dict[str, Any]:
    return {
        "store": str(store.path),
        "bytes": store.path.stat().st_size,
        "created": store.created,
        "versions": store.versions,
        "fingerprint": store.fingerprint,
        "extraction": store.extraction,
        "encoder": store.encoder,
        "source": store.source,
        "rows": len(store),
        "dim": store.dim,
        "dtype": store.layout()[1],
        "trunk": store.width("trunk") if store.has_trunk else None,
        "classes": _classes_by_split(store),
        "metadata": {name: _about(column) for name, column in store.metadata.items()},
        "history": [
            {"verb": edit.verb, "when": edit.when, "command": edit.command, "did": edit.summary()}
            for edit in store.history
        ],
        "text": {
            key: {"templates": len(text.templates), "names": list(text.names)}
            for key in store.text_keys
            for text in [store.text(key)]
        },
        "skipped": [{"path": path, "reason": reason} for path, reason in store.skipped],
    }


def _classes_by_split(store: FeatureStore) -> dict[str, dict[str, int]]:
    """Count each class in each split; rows without a class count as ''."""
    names = dict(enumerate(store.classes))  # a damaged store may have labels beyond them
    pairs = zip(store.labels.tolist(), store.splits.tolist(), strict=True)
    counts: dict[str, dict[str, int]] = {name: {} for name in sorted(store.classes)}
    for (label, split), number in Counter(pairs).items():
        by_split = counts.setdefault(names.get(label, ""), {})
        by_split[split] = by_split.get(split, 0) + number
    return counts


def _about(column: npt.NDArray[Any]) -> dict[str, Any]:
    """Return a metadata column's type, how many cells are missing, and how many values it has."""
    number = column.dtype.kind == "f"
    there = [cell for cell in column.tolist() if cell == cell and cell != ""]  # noqa: PLR0124 - NaN and missing
    return {
        "type": "number" if number else "text",
        "missing": len(column) - len(there),
        "values": len(set(there)),
    }


def _metadata_line(columns: dict[str, dict[str, Any]]) -> str:
    parts = [
        f"{printable(name)} ({one['type']}, {counted(one['values'], 'value')}"
        + (f", {one['missing']:,} missing)" if one["missing"] else ")")
        for name, one in columns.items()
    ]
    return f"metadata: {', '.join(parts)}"


def _class_table(counts: dict[str, dict[str, int]]) -> tuple[list[str], list[list[str]]]:
    found = {split for by_split in counts.values() for split in by_split}
    splits = sorted(found, key=[*_SPLITS, *sorted(found - set(_SPLITS))].index)
    rows = [
        [name or "(no class)", *(f"{by_split.get(split, 0):,}" for split in splits)]
        for name, by_split in counts.items()
    ]
    return ["class", *(split or "no split" for split in splits)], rows


def _print(console: Console, found: dict[str, Any]) -> None:
    rows = counted(found["rows"], "row")
    console.answer(f"{rows} of {found['dim']} {found['dtype']}, {found['bytes']:,} bytes")
    if found["trunk"]:
        console.answer(f"trunk features of {found['trunk']}")
    encoder = found["encoder"]
    console.answer(f"encoder: {encoder.get('name')} (fingerprint {encoder.get('fingerprint')})")
    root, layout = found["source"].get("root"), found["source"].get("layout")
    console.answer(f"dataset: {root} ({layout})" if root else f"dataset: {layout}")
    console.answer(f"written: {found['created']} by fishembed {found['versions'].get('fishembed')}")
    if did := found["extraction"]:
        console.answer(
            f"encoded: {did['when']}, {counted(did['encoded'], 'image')} in {did['wall']:.1f} s on "
            f"{did['device']}, {did['bottleneck']}-bound"
        )
        if scaled := did.get("scaled"):
            console.answer(f"brightness scaled by content: {counted(scaled, 'image')}")
    for edit in found["history"]:
        console.answer(f"edited: {edit['when']} by {edit['verb']}: {edit['did']}")
    for key, text in found["text"].items():
        console.answer(f"text features {key!r}: {counted(text['templates'], 'template')}")
    console.answer(counted(len([name for name in found["classes"] if name]), "class", "classes"))
    if found["metadata"]:
        console.answer(_metadata_line(found["metadata"]))
    columns, table = _class_table(found["classes"])
    console.table(columns, table, indent=2, answer=True)
    skipped = found["skipped"]
    if skipped:
        console.answer(f"{counted(len(skipped), 'file')} skipped:")
    for one in skipped[:_SHOWN]:
        console.answer(f"  {one['path']!r}: {one['reason']}")
    if len(skipped) > _SHOWN:
        console.answer(f"  and {len(skipped) - _SHOWN:,} more; --json names each")


def _damage(damage: Damage, store: FeatureStore) -> dict[str, object]:
    from fishembed.errors import StoreIntegrityError

    place = f"{damage.dataset} {damage.first} to {damage.last}"
    if damage.dataset.startswith("features/"):
        try:
            place += f" ({store.paths[damage.first]!r} to {store.paths[damage.last]!r})"
        except (StoreIntegrityError, IndexError):
            place += " (their paths cannot be read)"
    return {
        "dataset": damage.dataset,
        "first": damage.first,
        "last": damage.last,
        "text": place,
    }
