"""The verb `predict`: classify new images."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from fishembed._base.text import counted
from fishembed.cli.program.console import Console
from fishembed.cli.program.lean_imports import import_sklearn
from fishembed.cli.program.options import (
    DeviceOption,
    FetchOption,
    TrustEncoderOption,
    option,
    run_names,
)
from fishembed.cli.program.resolve_paths import find_inputs, find_run
from fishembed.cli.program.summaries import left_out_lines, print_stale
from fishembed.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from fishembed.encoders import Encoder
    from fishembed.experiments import Run
    from fishembed.experiments.predicting.predicted_images import Predictions
    from fishembed.experiments.predicting.prediction_formats import Format
    from fishembed.experiments.predicting.prepared_run import PreparedRun

_ANSWERS = "What is answered"
_KNOWN = "What is known of the place"
_WRITTEN = "Where it goes"


@dataclass(frozen=True)
class AnswerOptions:
    """Options of the predictions, by the names of the parameters of `fishembed.predict_run`."""

    top: int = option(3, "Number of most probable classes to list.", "--top", "-k", min=1)
    no_unknown: bool = option(
        False, "Name a class for every image, also where it is like none.", panel=_ANSWERS
    )
    send_back: float = option(
        0.05, "Share of images of known classes that may be called unknown.", panel=_ANSWERS
    )
    sets: float | None = option(
        None,
        "Name sets of classes that hold the truth with this probability, such as 0.95.",
        panel=_ANSWERS,
        shown="none",
    )
    classes: Path | None = option(
        None,
        "CSV of the classes that can be there: a column class, and one such as site "
        "where lists differ by it.",
        panel=_KNOWN,
        shown="all",
    )
    pool: str | None = option(
        None,
        "Column whose images get one answer together: group, or any metadata column; "
        "folder, for image files.",
        panel=_ANSWERS,
        shown="none",
    )
    prior: str | None = option(
        None,
        "How common classes are there: uniform, train, estimate, or a CSV of class and share.",
        panel=_KNOWN,
        shown="as the head assumes",
    )
    taxonomy: Path | None = option(
        None,
        "CSV of class, genus, family …: answer at the deepest rank that is sure enough.",
        panel=_ANSWERS,
        shown="none",
    )
    floor: float = option(0.9, "--taxonomy: probability that an answer needs.", panel=_ANSWERS)
    counts: bool = option(
        False, "Also count images by class, corrected for mistakes.", panel=_ANSWERS
    )
    checked: Path | None = option(
        None,
        "--counts: CSV of path and class of a random sample that was looked at.",
        panel=_ANSWERS,
        shown="none",
    )
    evidence: bool = option(
        False, "Also list the most similar training images of the run's store.", panel=_ANSWERS
    )
    fetch: FetchOption = False
    trust_encoder: TrustEncoderOption = False

    def arguments(self) -> dict[str, Any]:
        """Return the options as arguments of `predict_run`."""
        given = dict(vars(self))
        unknown = not given.pop("no_unknown")
        return {**given, "unknown": unknown, "counts": self.counts or self.checked is not None}


@dataclass(frozen=True)
class WritingOptions:
    """Options of the file of predictions and of sorting the images."""

    kind: Literal["table", "csv", "json", "parquet", "xlsx", "html"] | None = option(
        None,
        "Format of the output.",
        "--format",
        panel=_WRITTEN,
        shown="by the file's ending, else table",
    )
    output: Path | None = option(
        None, "File to write.", "--output", "-o", panel=_WRITTEN, shown="the terminal"
    )
    sort_into: Path | None = option(
        None,
        "Folder to put the images into, one folder for each class: as links where the "
        "system has them, else as copies.",
        panel=_WRITTEN,
        shown="none",
    )
    watch: Path | None = option(
        None,
        "Folder to go on with: what arrives there is classified too, until Ctrl-C.",
        panel=_WRITTEN,
        shown="none",
    )

    def format(self, *, as_json: bool) -> Format:
        """Return the format that was named, or else that of the file's ending."""
        from fishembed.experiments.predicting.prediction_formats import format_for

        if as_json:
            return "json"
        return self.kind or ("table" if self.output is None else format_for(self.output))


@dataclass(frozen=True)
class BundleOptions:
    """Options of a bundle, the network that replaces a run and its encoder."""

    bundle: Path | None = option(
        None,
        "Folder that 'fishembed bundle' wrote, or hf:OWNER/NAME, in the place of a run: "
        "its network is computed by onnxruntime.",
        shown="none",
    )
    int8: bool = option(False, "--bundle: take the network with integer weights.")


PredictingRun = Annotated[
    Path | None,
    typer.Argument(
        help="Run with a head: its folder, its name in ./reports, or hf:OWNER/NAME of one on "
        "the hub. None with --bundle.",
        show_default="none",
        autocompletion=run_names,
    ),
]
ImagesArgument = Annotated[
    list[str] | None,
    typer.Argument(
        help="Image files, folders or glob patterns; or a feature store (its path, or its name "
        "in ./cache), whose rows need no encoder.",
        show_default="the folder of --watch",
    ),
]


def predict(
    run: PredictingRun = None,
    images: ImagesArgument = None,
    *,
    options: AnswerOptions,
    writing: WritingOptions,
    network: BundleOptions,
    device: DeviceOption = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
) -> None:
    """Classify new images with a run's head and the encoder it was trained on.

    Examples
    --------
    fishembed predict fish-auto new "more/*.jpg"
    fishembed predict fish-auto new -o result.xlsx --sort-into sorted
    fishembed predict fish-auto new --evidence --sets 0.95
    """
    if network.bundle is not None and run is not None:
        run, images = None, [str(run), *(images or [])]
    if not images and writing.watch is None:
        raise InputError("name images, a folder or a store; or a folder to --watch")
    import_sklearn()
    from fishembed.experiments import predict_run

    kind = writing.format(as_json=as_json)
    if writing.output is None and kind in {"parquet", "xlsx", "html"}:
        raise InputError(f"{kind} cannot be printed: name a file with --output")
    with Console(
        as_json=as_json or (kind != "table" and writing.output is None),
        working="" if writing.watch else "classifying",
    ) as console:
        opened, encoder = _open(run, network, console, fetch=options.fetch)
        print_stale(console, opened.run)
        given = {**options.arguments(), "device": device, "progress": console}
        classify: Callable[..., Predictions] = partial(
            predict_run, opened, encoder=encoder, **given
        )
        write = partial(_write, console, opened.run, writing, kind)
        found = classify(find_inputs(images)) if images else None
        if found is not None:
            for sentence in found.sentences():
                console.message(sentence)
            write(found)
        if writing.watch is not None:
            from fishembed.experiments.predicting.input_features import run_encoder

            console.message(f"watching {writing.watch}; Ctrl-C ends it")
            encoder = encoder or run_encoder(
                opened.run, device, console, trust=options.trust_encoder
            )
            classify = partial(classify, encoder=encoder)
            n = _watch(writing.watch, classify, write, found, whole=writing.output is not None)
            console.message(f"ended; {counted(n, 'image')} classified")


def _watch(
    folder: Path,
    classify: Callable[..., Predictions],
    write: Callable[[Predictions], None],
    found: Predictions | None,
    *,
    whole: bool,
) -> int:
    """Classify images that arrive in a folder until Ctrl-C, and return their number.

    With `whole`, all predictions are written again each time, not only those that arrived.
    """
    from fishembed.experiments.predicting.image_folders import together, watch_folder

    with suppress(KeyboardInterrupt):  # the way to end it, so no failure
        for arrived in watch_folder(classify, folder):
            found = together(found, arrived)
            write(found if whole else arrived)
    return 0 if found is None else len(found.predictions)


def _write(
    console: Console, run: Run, writing: WritingOptions, kind: Format, found: Predictions
) -> None:
    """Print predictions or write them to a file, and sort the images into folders."""
    from fishembed.experiments.predicting import prediction_formats as formats
    from fishembed.experiments.predicting.image_folders import sort_into_folders
    from fishembed.reports.write_sheets import write_contact_sheet

    for path, reason in found.skipped:
        console.message(f"skipped {path!r}: {reason}")
    for line in left_out_lines(found.left_out):
        console.message(f"note: {line}")
    if writing.output is None:
        show = console.lines if kind == "table" else console.result
        show(formats.formatted(found, kind, width=console.width))
    elif kind == "html":
        write_contact_sheet(found, run.folder, writing.output)
    else:
        formats.write_predictions(found, writing.output, kind)
    if writing.output is not None:
        console.message(
            f"wrote {counted(len(found.predictions), 'prediction')} to {writing.output}"
            # A table of predictions has no room for counts.
            + (f"\n{formats.counts_table(found.counts)}" if found.counts else "")
        )
    if writing.sort_into is not None:
        root = (run.info.get("store") or {}).get("source_root")
        n = sort_into_folders(found, writing.sort_into, root=root)
        console.message(f"put {counted(n, 'image')} into {writing.sort_into}")


def _open(
    run: Path | None, network: BundleOptions, console: Console, *, fetch: bool
) -> tuple[PreparedRun, Encoder | None]:
    """Return the run that was named, and the network of a bundle."""
    from fishembed.experiments import Run
    from fishembed.experiments.predicting.prepared_run import PreparedRun
    from fishembed.experiments.runs.find_runs import fetch_hub_run, is_hub_run

    if run is not None:
        if network.int8:
            raise InputError("--int8 is for --bundle: name the bundle too")
        if is_hub_run(run):
            folder, commit = fetch_hub_run(run)
            console.message(f"run: {str(run).partition('@')[0]}@{commit}")
        else:
            folder = find_run(run)
            console.message(f"run: {folder}")
        return PreparedRun(Run.open(folder), fetch), None
    if network.bundle is None:
        raise InputError("name a run, or a folder with --bundle")
    from fishembed.sharing import open_bundle

    found = open_bundle(network.bundle, int8=network.int8)
    console.message(f"bundle: {network.bundle}{' (int8)' if network.int8 else ''}")
    return PreparedRun(found.run, fetch), found.encoder
