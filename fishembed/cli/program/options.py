"""Arguments and options that several verbs share, and the names that the shell completes."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from inspect import Parameter
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from fishembed._base.paths import cache_dir, is_remote, reports_dir

_STORES = frozenset({".h5", ".hdf5", ".he5", ".json"})
FIELD = "Questions of the field"
"""The panel of options on places, bursts and taxa."""
OUTPUT = "Output"
"""The panel of options on what is printed."""


def option(
    default: Any,
    text: str,
    *names: str,
    panel: str | None = None,
    shown: str | bool = True,
    **settings: Any,
) -> Any:
    """Return a dataclass field that is an option of the verbs with a parameter of this class.

    Parameters
    ----------
    default
        Its value where it is not set.
    text
        Its help.
    names
        Such as ``--top`` and ``-k``; made of the field's name when left out.
    panel
        The heading under which the help lists it.
    shown
        The default as the help shows it; `default` itself when True.
    settings
        Further arguments of `typer.Option`.
    """
    settings |= {"help": text, "rich_help_panel": panel, "show_default": shown}
    return field(default=default, metadata={"names": names, "settings": settings})


def parameters_of(group: Any) -> list[Parameter]:
    """Return the options of such a dataclass as parameters for typer."""
    types = get_type_hints(group, include_extras=True)
    parameters = []
    for one in fields(group):
        kind = types[one.name]
        if one.metadata:
            names = one.metadata["names"] or (f"--{one.name.replace('_', '-')}",)
            kind = Annotated[kind, typer.Option(*names, **one.metadata["settings"])]
        parameters.append(
            Parameter(one.name, Parameter.KEYWORD_ONLY, default=one.default, annotation=kind)
        )
    return parameters


def take_group(group: Any, given: dict[str, Any]) -> Any:
    """Remove the options of such a dataclass from `given`, and return them as one."""
    return group(**{one.name: given.pop(one.name) for one in fields(group)})


def store_names(incomplete: str) -> list[str]:
    """Return the names of stores in the cache folder that begin like this.

    No file is opened, as the shell waits for the names.
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


_STORE = "Feature store: its path, or its name in ./cache."
StoreArgument = Annotated[
    Path | None,
    typer.Argument(help=_STORE, show_default="newest in ./cache", autocompletion=store_names),
]
NamedStoreArgument = Annotated[Path, typer.Argument(help=_STORE, autocompletion=store_names)]
RunArgument = Annotated[
    Path | None,
    typer.Argument(
        help="Run: its folder, or its name in ./reports.",
        show_default="newest in ./reports",
        autocompletion=run_names,
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
DeviceOption = Annotated[
    str, typer.Option(help="Where the encoder runs: auto, cuda, cuda:N, mps or cpu.")
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
TopOption = Annotated[int, typer.Option("--top", "-k", min=1, help="Number of images.")]
JsonOption = Annotated[
    bool,
    typer.Option(
        "--json",
        rich_help_panel=OUTPUT,
        help="Print one JSON document to standard output, the rest to stderr.",
    ),
]


def new_folder(shown: str) -> Any:
    """Return the option that names a new folder of reports, with this default in the help."""
    text = "Name of the new folder in ./reports."
    return typer.Option("--output", "-o", help=text, show_default=shown)


# The fields of a dataclass here, or beside a verb, are options that the verb reads together.


@dataclass(frozen=True)
class OutputOptions:
    """Options of every verb: how much is printed, and the log file."""

    verbose: bool = option(
        False, "Print technical lines too, such as timings.", "--verbose", "-v", panel=OUTPUT
    )
    quiet: bool = option(
        False, "Print only warnings and what was asked for.", "--quiet", "-q", panel=OUTPUT
    )
    log_file: Path | None = option(
        None,
        "File to append every line to, technical ones too, each with its time.",
        panel=OUTPUT,
        shown=False,
    )


@dataclass(frozen=True)
class FieldOptions:
    """Options of scores by place, burst and taxon."""

    by: str | None = option(
        None,
        "Also score the values of a metadata column, or group, each by itself, such as site.",
        panel=FIELD,
        shown="none",
    )
    pool: str | None = option(
        None, "Also score images pooled by a column, beside single ones.", panel=FIELD, shown="none"
    )
    taxonomy: Path | None = option(
        None, "CSV of class, genus, family …: also score every rank.", panel=FIELD, shown="none"
    )

    @property
    def asked(self) -> bool:
        """Whether any of the options is set."""
        return any(vars(self).values())


@dataclass(frozen=True)
class RowFilter:
    """Options that select rows of a store."""

    label: list[str] | None = option(None, "Only rows of this class; repeat for several.")
    split: list[str] | None = option(None, "Only rows of this split; repeat for several.")
    group: list[str] | None = option(None, "Only rows of this group; repeat for several.")
    where: list[str] | None = option(
        None,
        "Only rows whose column has this value: COLUMN=VALUE, !=, and for numbers <, <=, >, "
        ">=; repeat for several conditions.",
    )

    def conditions(self) -> list[str]:
        """Return the options as conditions of `filtered_rows`."""
        named = {"label": self.label, "split": self.split, "group": self.group}
        chosen = [f"{column}={'|'.join(values)}" for column, values in named.items() if values]
        return [*chosen, *(self.where or [])]
