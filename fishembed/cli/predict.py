"""The verb `predict`: classify new images."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from fishembed._base.text import counted
from fishembed.cli.program.console import Console
from fishembed.cli.program.lean_imports import import_sklearn
from fishembed.cli.program.options import DeviceOption, FetchOption, TrustEncoderOption, run_names
from fishembed.cli.program.resolve_paths import find_inputs, find_run
from fishembed.cli.program.summaries import left_out_lines
from fishembed.errors import InputError

if TYPE_CHECKING:
    from fishembed.encoders import Encoder
    from fishembed.experiments.predicting.predicted_images import Predictions
    from fishembed.experiments.predicting.prediction_formats import Format
    from fishembed.experiments.predicting.prepared_run import PreparedRun

_ANSWERS = "What is answered"
_KNOWN = "What is known of the place"
_WRITTEN = "Where it goes"


def predict(
    run: Annotated[
        Path | None,
        typer.Argument(
            help="Run with a head: its folder, its name in ./reports, or hf:OWNER/NAME of one on "
            "the hub. None with --bundle.",
            show_default="none",
            autocompletion=run_names,
        ),
    ] = None,
    images: Annotated[
        list[str] | None,
        typer.Argument(
            help="Image files, folders or glob patterns; or a feature store (its path, or its name "
            "in ./cache), whose rows need no encoder.",
            show_default="the folder of --watch",
        ),
    ] = None,
    top: Annotated[
        int, typer.Option("--top", "-k", min=1, help="Number of most probable classes to list.")
    ] = 3,
    no_unknown: Annotated[
        bool,
        typer.Option(
            "--no-unknown",
            rich_help_panel=_ANSWERS,
            help="Name a class for every image, also where it is like none.",
        ),
    ] = False,
    send_back: Annotated[
        float,
        typer.Option(
            rich_help_panel=_ANSWERS,
            help="Share of images of known classes that may be called unknown.",
        ),
    ] = 0.05,
    sets: Annotated[
        float | None,
        typer.Option(
            rich_help_panel=_ANSWERS,
            help="Name sets of classes that hold the truth with this probability, such as 0.95.",
            show_default="none",
        ),
    ] = None,
    classes: Annotated[
        Path | None,
        typer.Option(
            rich_help_panel=_KNOWN,
            help="CSV of the classes that can be there: a column class, and one such as site "
            "where lists differ by it.",
            show_default="all",
        ),
    ] = None,
    pool: Annotated[
        str | None,
        typer.Option(
            rich_help_panel=_ANSWERS,
            help="Column whose images get one answer together: group, or any metadata column; "
            "folder, for image files.",
            show_default="none",
        ),
    ] = None,
    prior: Annotated[
        str | None,
        typer.Option(
            rich_help_panel=_KNOWN,
            help="How common classes are there: uniform, train, estimate, or a CSV of class and "
            "share.",
            show_default="as the head assumes",
        ),
    ] = None,
    taxonomy: Annotated[
        Path | None,
        typer.Option(
            rich_help_panel=_ANSWERS,
            help="CSV of class, genus, family …: answer at the deepest rank that is sure enough.",
            show_default="none",
        ),
    ] = None,
    floor: Annotated[
        float,
        typer.Option(
            rich_help_panel=_ANSWERS, help="--taxonomy: probability that an answer needs."
        ),
    ] = 0.9,
    counts: Annotated[
        bool,
        typer.Option(
            "--counts",
            rich_help_panel=_ANSWERS,
            help="Also count images by class, corrected for mistakes.",
        ),
    ] = False,
    checked: Annotated[
        Path | None,
        typer.Option(
            rich_help_panel=_ANSWERS,
            help="--counts: CSV of path and class of a random sample that was looked at.",
            show_default="none",
        ),
    ] = None,
    evidence: Annotated[
        bool,
        typer.Option(
            "--evidence",
            rich_help_panel=_ANSWERS,
            help="Also list the most similar training images of the run's store.",
        ),
    ] = False,
    fetch: FetchOption = False,
    trust_encoder: TrustEncoderOption = False,
    kind: Annotated[
        Literal["table", "csv", "json", "parquet", "xlsx", "html"] | None,
        typer.Option(
            "--format",
            rich_help_panel=_WRITTEN,
            help="Format of the output.",
            show_default="by the file's ending, else table",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            rich_help_panel=_WRITTEN,
            help="File to write.",
            show_default="the terminal",
        ),
    ] = None,
    sort_into: Annotated[
        Path | None,
        typer.Option(
            rich_help_panel=_WRITTEN,
            help="Folder to put the images into, one folder for each class: as links where the "
            "system has them, else as copies.",
            show_default="none",
        ),
    ] = None,
    watch: Annotated[
        Path | None,
        typer.Option(
            rich_help_panel=_WRITTEN,
            help="Folder to go on with: what arrives there is classified too, until Ctrl-C.",
            show_default="none",
        ),
    ] = None,
    bundle: Annotated[
        Path | None,
        typer.Option(
            help="Folder that 'fishembed bundle' wrote, or hf:OWNER/NAME, in the place of a run: "
            "its network is computed by onnxruntime.",
            show_default="none",
        ),
    ] = None,
    int8: Annotated[
        bool, typer.Option("--int8", help="--bundle: take the network with integer weights.")
    ] = False,
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
    if bundle is not None and run is not None:
        run, images = None, [str(run), *(images or [])]
    if not images and watch is None:
        raise InputError("name images, a folder or a store; or a folder to --watch")
    import_sklearn()
    from fishembed.experiments import predict_run
    from fishembed.experiments.predicting.prediction_formats import format_for
    from fishembed.experiments.runs.find_runs import stale_warning

    named: Format = "table" if output is None or as_json or kind else format_for(output)
    chosen: Format = "json" if as_json else kind or named
    if output is None and chosen in {"parquet", "xlsx", "html"}:
        raise InputError(f"{chosen} cannot be printed: name a file with --output")
    with Console(
        as_json=as_json or (chosen != "table" and output is None),
        working="" if watch else "classifying",
    ) as console:
        opened, encoder = _open(run, bundle, console, int8=int8, fetch=fetch)
        if warning := stale_warning(opened.run):
            console.message(warning)
        classify = partial(
            predict_run,
            opened,
            top=top,
            unknown=not no_unknown,
            send_back=send_back,
            sets=sets,
            classes=classes,
            pool=pool,
            prior=prior,
            taxonomy=taxonomy,
            floor=floor,
            counts=counts or checked is not None,
            checked=checked,
            evidence=evidence,
            fetch=fetch,
            trust_encoder=trust_encoder,
            device=device,
            encoder=encoder,
            progress=console,
        )
        write = partial(
            _write,
            console,
            opened.run.folder,
            kind=chosen,
            output=output,
            sort_into=sort_into,
            root=(opened.run.info.get("store") or {}).get("source_root"),
        )
        found = classify(find_inputs(images)) if images else None
        if found is not None:
            for sentence in found.sentences():
                console.message(sentence)
            write(found)
        if watch is not None:
            from fishembed.experiments.predicting.image_folders import together, watch_folder
            from fishembed.experiments.predicting.input_features import run_encoder

            console.message(f"watching {watch}; Ctrl-C ends it")
            encoder = encoder or run_encoder(opened.run, device, console, trust=trust_encoder)
            with suppress(KeyboardInterrupt):  # the way to end it, so no failure
                for arrived in watch_folder(partial(classify, encoder=encoder), watch):
                    found = together(found, arrived)
                    write(arrived if output is None else found)
            n = 0 if found is None else len(found.predictions)
            console.message(f"ended; {counted(n, 'image')} classified")


def _write(
    console: Console,
    folder: Path,
    found: Predictions,
    *,
    kind: Format,
    output: Path | None,
    sort_into: Path | None,
    root: str | None,
) -> None:
    """Print predictions or write them to a file, and sort the images into folders."""
    from fishembed.experiments.predicting import prediction_formats as formats
    from fishembed.experiments.predicting.image_folders import sort_into_folders
    from fishembed.reports.contact_sheet import write_contact_sheet

    for path, reason in found.skipped:
        console.message(f"skipped {path!r}: {reason}")
    for line in left_out_lines(found.left_out):
        console.message(f"note: {line}")
    if output is None:
        show = console.lines if kind == "table" else console.result
        show(formats.formatted(found, kind, width=console.width))
    elif kind == "html":
        write_contact_sheet(found, folder, output)
    else:
        formats.write_predictions(found, output, kind)
    if output is not None:
        console.message(
            f"wrote {counted(len(found.predictions), 'prediction')} to {output}"
            # A table of predictions has no room for counts.
            + (f"\n{formats.counts_table(found.counts)}" if found.counts else "")
        )
    if sort_into is not None:
        n = sort_into_folders(found, sort_into, root=root)
        console.message(f"put {counted(n, 'image')} into {sort_into}")


def _open(
    run: Path | None, bundle: Path | None, console: Console, *, int8: bool, fetch: bool
) -> tuple[PreparedRun, Encoder | None]:
    """Return the run that was named; of a bundle its network too."""
    from fishembed.experiments import Run
    from fishembed.experiments.predicting.prepared_run import PreparedRun
    from fishembed.experiments.runs.find_runs import fetch_hub_run, is_hub_run

    if run is not None:
        if int8:
            raise InputError("--int8 is for --bundle: name the bundle too")
        if is_hub_run(run):
            folder, commit = fetch_hub_run(run)
            console.message(f"run: {str(run).partition('@')[0]}@{commit}")
        else:
            folder = find_run(run)
            console.message(f"run: {folder}")
        return PreparedRun(Run.open(folder), fetch), None
    if bundle is None:
        raise InputError("name a run, or a folder with --bundle")
    from fishembed.sharing import open_bundle

    found = open_bundle(bundle, int8=int8)
    console.message(f"bundle: {bundle}{' (int8)' if int8 else ''}")
    return PreparedRun(found.run, fetch), found.encoder
