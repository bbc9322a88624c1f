"""The verb `extract`: encode images into a store."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from fishembed._base.paths import Place, data_dir
from fishembed._base.text import counted
from fishembed.cli.program.console import Console
from fishembed.cli.program.options import DeviceOption, JsonOption
from fishembed.cli.program.summaries import extraction_document, print_extraction
from fishembed.errors import DataError, InputError

if TYPE_CHECKING:
    from fishembed.extraction import Extraction

_ENCODER = "Encoder"
_WORDS = "Words for zero-shot"
_MANIFEST = "Columns of a manifest"
_BOXES = "Boxes"
_SPEED = "Speed and memory"
_PHOTOS = "Videos and cameras"
_RAY = "On a Ray cluster"


def extract(
    source: Annotated[
        list[str] | None,
        typer.Argument(
            help="Dataset: a folder of images (in class folders, under train/val/test or not), a "
            "CSV or Parquet manifest with path[,label][,split][,group], or WebDataset tars: a "
            "folder of them, several, or a pattern such as 'shards/{00000..00099}.tar'. On this "
            "machine or at a URL (s3://, gs://).",
            show_default="./data",
        ),
    ] = None,
    store: Annotated[
        str | None,
        typer.Option(
            help="Feature store to write, or to bring up to date.",
            show_default="cache/<dataset>.h5",
        ),
    ] = None,
    encoder: Annotated[
        str | None,
        typer.Option(
            "--encoder",
            "-e",
            rich_help_panel=_ENCODER,
            help="Encoder: biology, general, fast or paper; ARCH/PRETRAINED of OpenCLIP, ARCH@FILE "
            "with local weights, hf-hub:ORG/NAME, timm:NAME or embedded; 'fishembed encoders' "
            "lists them.",
            show_default="the store's; for a new one ViT-B-32-quickgelu/openai",
        ),
    ] = None,
    encoders: Annotated[
        str | None,
        typer.Option(
            rich_help_panel=_ENCODER,
            metavar="NAME,NAME",
            help="Several encoders, with commas: a store for each, such as cache/photos-paper.h5, "
            "from one pass over the images.",
            show_default="none",
        ),
    ] = None,
    device: DeviceOption = "auto",
    precision: Annotated[
        Literal["auto", "fp32", "bf16", "fp16"],
        typer.Option(
            rich_help_panel=_ENCODER,
            help="Floating point type of the encoder. auto: the store's, else the fastest one "
            "for the device.",
        ),
    ] = "auto",
    decoding: Annotated[
        Literal["auto", "exact", "fast", "device"],
        typer.Option(
            rich_help_panel=_ENCODER,
            help="exact: the same pixels as OpenCLIP. fast: large JPEGs are decoded at reduced "
            "size. device: JPEGs are decoded on the GPU. auto: the store's, else device on GPUs "
            "with a JPEG decoder and torchcodec installed, else fast.",
        ),
    ] = "auto",
    prompts: Annotated[
        list[str] | None,
        typer.Option(
            rich_help_panel=_WORDS,
            help="Prompt set for zero-shot classification: single, ensemble (CLIP's 80) or a file "
            "with one template per line; repeat for several.",
            show_default="single",
        ),
    ] = None,
    aliases: Annotated[
        Path | None,
        typer.Option(
            rich_help_panel=_WORDS,
            help="CSV with the columns class and name: names to use in prompts.",
        ),
    ] = None,
    path_column: Annotated[
        str | None,
        typer.Option(
            rich_help_panel=_MANIFEST,
            help="Manifest: the column that holds the paths of images.",
            show_default="path",
        ),
    ] = None,
    label_column: Annotated[
        str | None,
        typer.Option(
            rich_help_panel=_MANIFEST,
            help="Manifest: the column that holds their classes.",
            show_default="label",
        ),
    ] = None,
    split_column: Annotated[
        str | None,
        typer.Option(
            rich_help_panel=_MANIFEST,
            help="Manifest: the column that holds train, val or test.",
            show_default="split",
        ),
    ] = None,
    group_column: Annotated[
        str | None,
        typer.Option(
            rich_help_panel=_MANIFEST,
            help="Manifest: the column that holds the groups, such as tracks or trips.",
            show_default="group",
        ),
    ] = None,
    min_confidence: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            rich_help_panel=_BOXES,
            help="Boxes: leave out those a detector is less sure of.",
        ),
    ] = 0.2,
    margin: Annotated[
        float,
        typer.Option(
            min=0,
            rich_help_panel=_BOXES,
            help="Boxes: cut more on each side, as a share of the longer side.",
        ),
    ] = 0.1,
    square: Annotated[
        bool,
        typer.Option(
            "--square/--no-square", rich_help_panel=_BOXES, help="Boxes: widen the shorter side."
        ),
    ] = True,
    whole_images: Annotated[
        bool,
        typer.Option(
            "--whole-images",
            rich_help_panel=_BOXES,
            help="Boxes: also encode the images themselves.",
        ),
    ] = False,
    fps: Annotated[
        float | None,
        typer.Option(
            min=0,
            rich_help_panel=_PHOTOS,
            help="Videos: frames to encode of each second.",
            show_default="twice a second, those that differ",
        ),
    ] = None,
    exif: Annotated[
        bool,
        typer.Option(
            "--exif",
            rich_help_panel=_PHOTOS,
            help="Keep time, camera, latitude and longitude of the photos as metadata.",
        ),
    ] = False,
    batch_size: Annotated[
        int | None,
        typer.Option(
            min=1, rich_help_panel=_SPEED, help="Images per batch.", show_default="measured"
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            rich_help_panel=_SPEED,
            help="Readers that decode images; with --engine ray, workers in the cluster.",
            show_default="one per core; ray: one per GPU or machine",
        ),
    ] = None,
    max_pixels: Annotated[
        int,
        typer.Option(
            min=1, rich_help_panel=_SPEED, help="Skip images with more pixels (width × height)."
        ),
    ] = 178_956_970,
    prune: Annotated[
        bool, typer.Option("--prune", help="Remove rows whose images are no longer in the dataset.")
    ] = False,
    trunk: Annotated[
        bool,
        typer.Option(
            "--trunk",
            rich_help_panel=_ENCODER,
            help="Also store the features before the projection to the joint space.",
        ),
    ] = False,
    engine: Annotated[
        Literal["local", "ray"],
        typer.Option(
            rich_help_panel=_RAY, help="Where to encode: on this machine, or on a Ray cluster."
        ),
    ] = "local",
    address: Annotated[
        str | None,
        typer.Option(
            rich_help_panel=_RAY,
            help="ray: address of a running cluster, such as auto.",
            show_default="a new one on this machine",
        ),
    ] = None,
    gpus_per_worker: Annotated[
        float | None,
        typer.Option(
            min=0,
            rich_help_panel=_RAY,
            help="ray: GPUs per worker.",
            show_default="1, or 0 without a GPU",
        ),
    ] = None,
    strict: Annotated[
        bool,
        typer.Option("--strict", help="End with exit code 3 where an image was skipped."),
    ] = False,
    max_skipped: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="End with exit code 3 where more images than this were skipped.",
            show_default="any number",
        ),
    ] = None,
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
    from fishembed.extraction import RayEngine, extract_several
    from fishembed.extraction import extract as run_extraction
    from fishembed.images import BoxOptions

    if engine == "local" and (address is not None or gpus_per_worker is not None):
        raise InputError("--address and --gpus-per-worker are for --engine ray")
    if encoders is not None and (encoder is not None or engine == "ray"):
        raise InputError("--encoders stands alone: without --encoder, and on this machine")
    ray = RayEngine(address, workers, gpus_per_worker) if engine == "ray" else None

    named = {
        "path": path_column,
        "label": label_column,
        "split": split_column,
        "group": group_column,
    }
    with Console(as_json=as_json) as console:
        console.message(
            f"dataset: {_shortened(source) if source else f'{data_dir()} (the default)'}"
        )
        run_one = partial(run_extraction, encoder=encoder, engine=ray)
        options: dict[str, Any] = {
            "device": device,
            "precision": precision,
            "decoding": decoding,
            "prompts": prompts or ["single"],
            "aliases": aliases,
            "columns": {name: column for name, column in named.items() if column is not None},
            "boxes": BoxOptions(min_confidence, margin, square, whole_images),
            "fps": fps,
            "exif": exif,
            "batch_size": batch_size,
            "workers": None if ray else workers,
            "max_pixels": max_pixels,
            "prune": prune,
            "trunk": trunk,
            "reporter": console,
        }
        if encoders is None:
            results = [run_one(source or data_dir(), store, **options)]
        else:
            names = [name.strip() for name in encoders.split(",") if name.strip()]
            results = extract_several(source or data_dir(), names, store, **options)
        for result in results:
            print_extraction(console, result, prune=prune)
        documents = [extraction_document(result) for result in results]
        console.document(documents[0] if encoders is None else {"stores": documents})
    for result in results:
        _check_skipped(result, 0 if strict else max_skipped)


def _check_skipped(result: Extraction, most: int | None) -> None:
    """Raise DataError where more images were skipped than allowed; the store is written."""
    if most is not None and result.skipped > most:
        path, reason = result.skipped_files[0]
        raise DataError(
            f"{counted(result.skipped, 'image')} skipped, of which {most:,} are allowed; the store "
            f"has the others. The first: {path!r}: {reason}"
        )


def _shortened(sources: list[str]) -> str:
    more = f" and {len(sources) - 1:,} more" if len(sources) > 1 else ""
    return f"{Place(sources[0])}{more}"
