"""The verbs `import` and `export`: features from and for other programs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from fishembed._base.paths import cache_dir
from fishembed._base.text import counted
from fishembed.cli.program.console import NOTHING_WRITTEN, Console
from fishembed.cli.program.options import JsonOption, option, store_names
from fishembed.cli.program.resolve_paths import resolve_run, resolve_store
from fishembed.errors import InputError

if TYPE_CHECKING:
    from fishembed._base.paths import AnyPath


@dataclass(frozen=True)
class ImportOptions:
    """Options of the new store and of the encoder of its features."""

    store: Path | None = option(
        None, "The store, where it is not named behind the features.", shown=False
    )
    encoder: str | None = option(
        None,
        "Name of the encoder that computed the features.",
        "--encoder",
        "-e",
        shown="the one the file names, else 'imported'",
    )


FeaturesArgument = Annotated[
    Path,
    typer.Argument(
        help="A file of features, known by its content: .npz with the array features (n, dim), "
        "and optionally labels, classes, splits, paths, groups, digests, trunk, text_features, "
        "logit_scale, encoder; .npy, with NAME_labels.npy, NAME_paths.npy … beside it; "
        "Parquet or CSV with a column of lists or columns f0, f1 …; HDF5; or .pt with a dict "
        "of tensors (read with weights_only). Or a folder: of .npy files, or as clip-retrieval "
        "writes it. Pickles are never read. A Camtrap DP package, an export of Wildlife "
        "Insights, a Darwin Core archive, COCO's or MegaDetector's JSON name images: these are "
        "encoded."
    ),
]


def import_(
    features: FeaturesArgument,
    target: Annotated[
        Path | None, typer.Argument(help="Store to write.", show_default="cache/<name>.h5")
    ] = None,
    *,
    options: ImportOptions,
    as_json: JsonOption = False,
) -> None:
    """Make a store of features that another program computed.

    Examples
    --------
    fishembed import features.npz
    fishembed import features.npz cache/birds.h5
    fishembed import embeddings.parquet cache/birds.h5 -e mine
    fishembed import camtrap-package cache/trap.h5
    """
    from fishembed.cache import FeatureStore, import_vectors
    from fishembed.images import is_image_list

    with Console(as_json=as_json, working="importing", interrupted=NOTHING_WRITTEN) as console:
        if target is not None and options.store is not None:
            raise InputError(
                f"the store is named twice: {str(target)!r} and {str(options.store)!r}"
            )
        named = target or options.store
        encoded = is_image_list(features)
        place: AnyPath = named or cache_dir() / f"{features.stem}.h5"
        if encoded:
            place = written = _encode(features, named, options.encoder, console)
        else:
            console.message(f"store: {place}{'' if named else ' (the default)'}")
            written = import_vectors(features, place, encoder=options.encoder)
        with FeatureStore.open(written) as made:
            if not encoded:
                text = ", ".join(made.text_keys)
                console.message(
                    f"wrote {counted(len(made), 'row')} of {made.dim}, "
                    f"{counted(len(made.classes), 'class', 'classes')}"
                    + (f", text features for prompts {text}" if text else "")
                )
            console.document(
                {
                    "store": str(place),
                    "rows": len(made),
                    "dim": made.dim,
                    "classes": len(made.classes),
                    "prompts": made.text_keys,
                }
            )


def _encode(images: Path, store: Path | None, encoder: str | None, console: Console) -> AnyPath:
    """Encode the images that a package names, as `extract` does, and return the store."""
    from fishembed.encoders import DEFAULT_ENCODER
    from fishembed.extraction import extract

    console.message(f"{images} names images, not features: they are encoded, as extract does")
    result = extract(images, store, encoder=encoder or DEFAULT_ENCODER, reporter=console)
    console.message(f"wrote {result.store}")
    console.message(result.sentence)
    console.message(f"next: {result.next_command}")
    return result.store


@dataclass(frozen=True)
class ExportOptions:
    """Options of the export."""

    store: Path | None = option(
        None,
        "The feature store, where it is not named before the target.",
        shown="newest in ./cache",
        autocompletion=store_names,
    )
    prompts: str | None = option(
        None, "Prompt set whose text features are exported too.", shown="none"
    )
    normalize: bool = option(False, "Scale each embedding to length 1.")
    kind: Literal["features", "manifest", "camtrap-dp"] = option(
        "features",
        "manifest: a CSV of path, label, split, group and metadata, as they are after "
        "all fixes. camtrap-dp: the predictions of a run as a Camera Trap Data Package.",
        "--format",
    )
    run: Path | None = option(
        None, "camtrap-dp: the run that predicts.", shown="newest in ./reports"
    )


PlacesArgument = Annotated[
    list[Path],
    typer.Argument(
        help="The feature store (its path, or its name in ./cache; the newest when left out), "
        "and the target. NAME.npz: one file of arrays; NAME.parquet: one file for viewers "
        "such as embedding-atlas; else a new folder of .npy and Parquet files as "
        "clip-retrieval and embedding-reader expect them. With --format manifest, a CSV.",
        metavar="[STORE] TARGET",
        autocompletion=store_names,
    ),
]


def export(
    places: PlacesArgument,
    *,
    options: ExportOptions,
    as_json: JsonOption = False,
) -> None:
    """Write a store's features for other programs; 'fishembed import' reads them again.

    Examples
    --------
    fishembed export features.npz
    fishembed export cache/fish.h5 features.npz
    fishembed export cache/fish.h5 labels.csv --format manifest
    fishembed export cache/fish.h5 package --format camtrap-dp
    """
    from fishembed.cache import FeatureStore, export_manifest, export_store
    from fishembed.experiments import export_camtrap_dp

    if options.run is not None and options.kind != "camtrap-dp":
        raise InputError("--run is for --format camtrap-dp")
    named, target = _store_and_target(places, options.store)
    with (
        Console(as_json=as_json, working="exporting", interrupted=NOTHING_WRITTEN) as console,
        FeatureStore.open(resolve_store(named, console)) as opened,
    ):
        document: dict[str, object] = {"target": str(target), "rows": len(opened)}
        if options.kind == "camtrap-dp":
            export_camtrap_dp(resolve_run(options.run, console), str(opened.path), target)
            console.message(f"wrote {counted(len(opened), 'observation')} to {target}")
        elif options.kind == "manifest":
            export_manifest(opened, target)
            console.message(f"wrote {counted(len(opened), 'row')} to {target}")
        else:
            export_store(opened, target, prompts=options.prompts, normalize=options.normalize)
            document["dim"] = opened.dim
            console.message(f"wrote {counted(len(opened), 'row')} of {opened.dim} to {target}")
        console.document(document)


def _store_and_target(places: list[Path], store: Path | None) -> tuple[Path | None, Path]:
    """Return the store that was named, before the target or by ``--store``, and the target."""
    *before, target = places
    if len(before) > 1:
        raise InputError(f"{len(places)} places were named: give a store and the target")
    if before and store is not None:
        raise InputError(f"the store is named twice: {str(before[0])!r} and {str(store)!r}")
    return (before[0] if before else store), target
