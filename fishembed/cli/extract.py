"""The verb `extract`: encode images into a store."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from fishembed._base.paths import Place, data_dir
from fishembed._base.text import counted
from fishembed.cli.program.console import Console
from fishembed.cli.program.options import DeviceOption, JsonOption, option
from fishembed.cli.program.summaries import extraction_document, print_extraction
from fishembed.errors import DataError, InputError

if TYPE_CHECKING:
    from fishembed.extraction import Extraction, RayEngine

_ENCODER = "Encoder"
_WORDS = "Words for zero-shot"
_MANIFEST = "Columns of a manifest"
_BOXES = "Boxes"
_SPEED = "Speed and memory"
_VIDEOS = "Videos and cameras"
_RAY = "On a Ray cluster"


@dataclass(frozen=True)
class TargetOptions:
    """Options of the store to write and its encoders."""

    store: str | None = option(
        None, "Feature store to write, or to bring up to date.", shown="cache/<dataset>.h5"
    )
    encoder: str | None = option(
        None,
        "Encoder: biology, general, fast or paper; ARCH/PRETRAINED of OpenCLIP, ARCH@FILE "
        "with local weights, hf-hub:ORG/NAME, timm:NAME or embedded; 'fishembed encoders' "
        "lists them.",
        "--encoder",
        "-e",
        panel=_ENCODER,
        shown="the store's; for a new one ViT-B-32-quickgelu/openai",
    )
    encoders: str | None = option(
        None,
        "Several encoders, with commas: a store for each, such as cache/photos-paper.h5, "
        "from one pass over the images.",
        panel=_ENCODER,
        shown="none",
        metavar="NAME,NAME",
    )
    prompts: list[str] | None = option(
        None,
        "Prompt set for zero-shot classification: single, ensemble (CLIP's 80) or a file "
        "with one template per line; repeat for several.",
        panel=_WORDS,
        shown="single",
    )


@dataclass(frozen=True)
class ColumnOptions:
    """Names of the columns of a manifest."""

    path_column: str | None = option(
        None, "Manifest: the column that holds the paths of images.", panel=_MANIFEST, shown="path"
    )
    label_column: str | None = option(
        None, "Manifest: the column that holds their classes.", panel=_MANIFEST, shown="label"
    )
    split_column: str | None = option(
        None, "Manifest: the column that holds train, val or test.", panel=_MANIFEST, shown="split"
    )
    group_column: str | None = option(
        None,
        "Manifest: the column that holds the groups, such as tracks or trips.",
        panel=_MANIFEST,
        shown="group",
    )

    def named(self) -> dict[str, str]:
        """Return the columns that were named, by their role, such as path or label."""
        return {
            name.removesuffix("_column"): column
            for name, column in vars(self).items()
            if column is not None
        }


@dataclass(frozen=True)
class DetectionOptions:
    """Options of the boxes of a detector, by the names of `fishembed.images.BoxOptions`."""

    min_confidence: float = option(
        0.2, "Boxes: leave out those a detector is less sure of.", panel=_BOXES, min=0, max=1
    )
    margin: float = option(
        0.1, "Boxes: cut more on each side, as a share of the longer side.", panel=_BOXES, min=0
    )
    square: bool = option(
        True, "Boxes: widen the shorter side.", "--square/--no-square", panel=_BOXES
    )
    whole_images: bool = option(False, "Boxes: also encode the images themselves.", panel=_BOXES)


@dataclass(frozen=True)
class EncodingOptions:
    """Options of `fishembed.extract`, by the names of its parameters."""

    device: DeviceOption = "auto"
    precision: Literal["auto", "fp32", "bf16", "fp16"] = option(
        "auto",
        "Floating point type of the encoder. auto: the store's, else the fastest one "
        "for the device.",
        panel=_ENCODER,
    )
    decoding: Literal["auto", "exact", "fast", "device"] = option(
        "auto",
        "exact: the same pixels as OpenCLIP. fast: large JPEGs are decoded at reduced "
        "size. device: JPEGs are decoded on the GPU. auto: the store's, else device on GPUs "
        "with a JPEG decoder and torchcodec installed, else fast.",
        panel=_ENCODER,
    )
    aliases: Path | None = option(
        None, "CSV with the columns class and name: names to use in prompts.", panel=_WORDS
    )
    fps: float | None = option(
        None,
        "Videos: frames to encode of each second.",
        panel=_VIDEOS,
        shown="twice a second, those that differ",
        min=0,
    )
    exif: bool = option(
        False, "Keep time, camera, latitude and longitude of the photos as metadata.", panel=_VIDEOS
    )
    batch_size: int | None = option(
        None, "Images per batch.", panel=_SPEED, shown="measured", min=1
    )
    workers: int | None = option(
        None,
        "Readers that decode images; with --engine ray, workers in the cluster.",
        panel=_SPEED,
        shown="one per core; ray: one per GPU or machine",
        min=1,
    )
    max_pixels: int = option(
        178_956_970, "Skip images with more pixels (width × height).", panel=_SPEED, min=1
    )
    prune: bool = option(False, "Remove rows whose images are no longer in the dataset.")
    trunk: bool = option(
        False, "Also store the features before the projection to the joint space.", panel=_ENCODER
    )


@dataclass(frozen=True)
class EngineOptions:
    """Options of a Ray cluster."""

    engine: Literal["local", "ray"] = option(
        "local", "Where to encode: on this machine, or on a Ray cluster.", panel=_RAY
    )
    address: str | None = option(
        None,
        "ray: address of a running cluster, such as auto.",
        panel=_RAY,
        shown="a new one on this machine",
    )
    gpus_per_worker: float | None = option(
        None, "ray: GPUs per worker.", panel=_RAY, shown="1, or 0 without a GPU", min=0
    )

    def ray(self, workers: int | None) -> RayEngine | None:
        """Return the cluster to encode on; None for this machine."""
        from fishembed.extraction import RayEngine

        if self.engine == "ray":
            return RayEngine(self.address, workers, self.gpus_per_worker)
        if self.address is not None or self.gpus_per_worker is not None:
            raise InputError("--address and --gpus-per-worker are for --engine ray")
        return None


@dataclass(frozen=True)
class SkipOptions:
    """Limits on the number of skipped images."""

    strict: bool = option(False, "End with exit code 3 where an image was skipped.")
    max_skipped: int | None = option(
        None,
        "End with exit code 3 where more images than this were skipped.",
        shown="any number",
        min=0,
    )

    def check(self, result: Extraction) -> None:
        """Raise DataError where more images were skipped than allowed; the store is written."""
        most = 0 if self.strict else self.max_skipped
        if most is not None and result.skipped > most:
            path, reason = result.skipped_files[0]
            raise DataError(
                f"{counted(result.skipped, 'image')} skipped, of which {most:,} are allowed; the "
                f"store has the others. The first: {path!r}: {reason}"
            )


DatasetArgument = Annotated[
    list[str] | None,
    typer.Argument(
        help="Dataset: a folder of images (in class folders, under train/val/test or not), a "
        "CSV or Parquet manifest with path[,label][,split][,group], or WebDataset tars: a "
        "folder of them, several, or a pattern such as 'shards/{00000..00099}.tar'. On this "
        "machine or at a URL (s3://, gs://).",
        show_default="./data",
    ),
]


def extract(
    source: DatasetArgument = None,
    *,
    target: TargetOptions,
    columns: ColumnOptions,
    boxes: DetectionOptions,
    options: EncodingOptions,
    cluster: EngineOptions,
    allowed: SkipOptions,
    as_json: JsonOption = False,
) -> None:
    """Encode the images of a dataset into a feature store.

    Images that the store already has are not encoded again; an interrupted extraction continues
    where it stopped.

    Examples
    --------
    fishembed extract photos --encoder embedded
    fishembed extract photos --encoders biology,paper
    fishembed extract manifest.csv --store cache/trip.h5
    """
    from fishembed.extraction import extract as run_extraction
    from fishembed.extraction import extract_several
    from fishembed.images import BoxOptions

    dataset, encoders, ray = source or data_dir(), target.encoders, cluster.ray(options.workers)
    if encoders is not None and (target.encoder is not None or ray):
        raise InputError("--encoders stands alone: without --encoder, and on this machine")
    with Console(as_json=as_json) as console:
        console.message(f"dataset: {_shortened(source) if source else f'{dataset} (the default)'}")
        given: dict[str, Any] = {
            **vars(options),
            "workers": None if ray else options.workers,
            "prompts": target.prompts or ["single"],
            "columns": columns.named(),
            "boxes": BoxOptions(**vars(boxes)),
            "reporter": console,
        }
        if encoders is None:
            given |= {"encoder": target.encoder, "engine": ray}
            results = [run_extraction(dataset, target.store, **given)]
        else:
            names = [name.strip() for name in encoders.split(",") if name.strip()]
            results = extract_several(dataset, names, target.store, **given)
        for result in results:
            print_extraction(console, result, prune=options.prune)
        documents = [extraction_document(result) for result in results]
        console.document(documents[0] if encoders is None else {"stores": documents})
    for result in results:
        allowed.check(result)


def _shortened(sources: list[str]) -> str:
    more = f" and {len(sources) - 1:,} more" if len(sources) > 1 else ""
    return f"{Place(sources[0])}{more}"
