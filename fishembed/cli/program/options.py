"""Arguments and options that several verbs share, and the names that the shell completes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fishembed._base.paths import cache_dir, is_remote, reports_dir

_STORES = frozenset({".h5", ".hdf5", ".he5", ".json"})


def store_names(incomplete: str) -> list[str]:
    """Return the names of stores in the cache folder that begin like this.

    The shell waits for the answer, so that no file is opened.
    """
    folder = cache_dir()
    if is_remote(folder) or not folder.is_dir():
        return []
    found = (path for path in folder.iterdir() if path.suffix.lower() in _STORES)
    return _beginning(incomplete, [path.stem for path in found if not path.name.startswith(".")])


def run_names(incomplete: str) -> list[str]:
    """Return the names of runs in the folder of reports that begin like this."""
    return _beginning(incomplete, [path.parent.name for path in reports_dir().glob("*/run.json")])


def head_names(incomplete: str) -> list[str]:
    """Return the names of heads that begin like this."""
    from fishembed.experiments.heads import HEADS

    return _beginning(incomplete, list(HEADS))


def _beginning(incomplete: str, names: list[str]) -> list[str]:
    return sorted({name for name in names if name.startswith(incomplete)})


StoreArgument = Annotated[
    Path | None,
    typer.Argument(
        help="Feature store: its path, or its name in ./cache.",
        show_default="newest in ./cache",
        autocompletion=store_names,
    ),
]
PhotosOption = Annotated[
    Path | None,
    typer.Option(
        help="Folder of the images, where they have moved since they were encoded.",
        show_default="the folder that the store names",
    ),
]
FetchOption = Annotated[
    bool,
    typer.Option(
        "--fetch",
        help="Fetch images that lie at URLs, and a run's store that does; nothing is asked of "
        "other machines without.",
    ),
]
TrustEncoderOption = Annotated[
    bool,
    typer.Option(
        "--trust-encoder",
        help="Load a model of the hub, or a file of weights, that a run or store from elsewhere "
        "names although no store or other run of yours was made with it.",
    ),
]
FIELD = "Questions of the field"
"""The panel of options on places, bursts and taxa."""
ByOption = Annotated[
    str | None,
    typer.Option(
        rich_help_panel=FIELD,
        help="Also score the values of a metadata column, or group, each by itself, such as site.",
        show_default="none",
    ),
]
PoolOption = Annotated[
    str | None,
    typer.Option(
        rich_help_panel=FIELD,
        help="Also score images pooled by a column, beside single ones.",
        show_default="none",
    ),
]
TaxonomyOption = Annotated[
    Path | None,
    typer.Option(
        rich_help_panel=FIELD,
        help="CSV of class, genus, family …: also score every rank.",
        show_default="none",
    ),
]
LogOption = Annotated[
    str | None,
    typer.Option(
        "--log",
        metavar="TRACKER",
        help="Also log the run to mlflow, trackio or tensorboard, as their own settings say.",
        show_default="none",
    ),
]
SeedOption = Annotated[int, typer.Option(help="Seed of what is drawn at random.")]
ThresholdOption = Annotated[
    float | None,
    typer.Option(
        help="Cosine similarity from which two images count as near-duplicates.",
        show_default="chosen from the data",
    ),
]
DeviceOption = Annotated[
    str, typer.Option(help="Where the encoder runs: auto, cuda, cuda:N, mps or cpu.")
]
OUTPUT = "Output"
"""The panel of options on what is printed."""
JsonOption = Annotated[
    bool,
    typer.Option(
        "--json",
        rich_help_panel=OUTPUT,
        help="Print one JSON document to standard output, the rest to stderr.",
    ),
]
VerboseOption = Annotated[
    bool,
    typer.Option(
        "--verbose",
        "-v",
        rich_help_panel=OUTPUT,
        help="Print technical lines too, such as timings.",
    ),
]
QuietOption = Annotated[
    bool,
    typer.Option(
        "--quiet", "-q", rich_help_panel=OUTPUT, help="Print only warnings and what was asked for."
    ),
]
LogFileOption = Annotated[
    Path | None,
    typer.Option(
        rich_help_panel=OUTPUT,
        help="File to append every line to, technical ones too, each with its time.",
        show_default=False,
    ),
]
LabelFilter = Annotated[
    list[str] | None, typer.Option("--label", help="Only rows of this class; repeat for several.")
]
SplitFilter = Annotated[
    list[str] | None, typer.Option("--split", help="Only rows of this split; repeat for several.")
]
GroupFilter = Annotated[
    list[str] | None, typer.Option("--group", help="Only rows of this group; repeat for several.")
]
WhereOption = Annotated[
    list[str] | None,
    typer.Option(
        help="Only rows whose column has this value: COLUMN=VALUE, !=, and for numbers <, <=, >, "
        ">=; repeat for several conditions."
    ),
]


def where_conditions(
    label: list[str] | None,
    split: list[str] | None,
    group: list[str] | None,
    where: list[str] | None,
) -> list[str]:
    """Return the options that choose rows as conditions of `filtered_rows`."""
    named = {"label": label, "split": split, "group": group}
    chosen = [f"{column}={'|'.join(values)}" for column, values in named.items() if values]
    return [*chosen, *(where or [])]
