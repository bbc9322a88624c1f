"""Prompts, and the text features of class names under them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fishembed._base.arrays import unit_rows
from fishembed._base.csv_files import CsvTable
from fishembed._base.missing import text_or_missing
from fishembed._base.progress import NoProgress, Progress
from fishembed._base.text import did_you_mean
from fishembed._base.text_files import read_text
from fishembed.encoders.encoder import Encoder
from fishembed.errors import NoTextTowerError, PromptError, PromptNotFoundError

PROMPT_SETS = ("single", "ensemble")
"""`single` is "a photo of a {}"; `ensemble` the 80 templates CLIP uses for photos."""


@dataclass(frozen=True)
class PromptSet:
    """Templates whose features are averaged for each class.

    Attributes
    ----------
    key
        Its name in a store.
    templates
        Texts with one `{}` for the class's name.
    """

    key: str
    templates: tuple[str, ...]


def load_prompts(name: str) -> PromptSet:
    """Return a prompt set by its name, or read one from a file.

    Parameters
    ----------
    name
        `single`, `ensemble`, or a text file with one template a line; empty lines and
        lines that start with # are left out. A file's set is called by its stem.

    Raises
    ------
    PromptError
        When there is no such set or file, or a template has no `{}`.
    """
    if name == "single":
        return PromptSet(name, ("a photo of a {}",))
    if name == "ensemble":
        from open_clip.zero_shot_metadata import OPENAI_IMAGENET_TEMPLATES

        return PromptSet(name, tuple(template("{}") for template in OPENAI_IMAGENET_TEMPLATES))
    path = Path(name)
    if not path.is_file():
        raise PromptNotFoundError(
            f"no prompt set {name!r}: name {' or '.join(PROMPT_SETS)}, or a text file with one "
            "template a line"
        )
    lines = [line.strip() for line in read_text(path, PromptError)[0].splitlines()]
    templates = tuple(line for line in lines if line and not line.startswith("#"))
    if not templates:
        raise PromptError(f"{name!r} holds no template")
    for template in templates:
        if template.count("{}") != 1:
            raise PromptError(f"{name!r}: the template {template!r} needs one {{}} for the class")
    if path.stem in PROMPT_SETS:
        raise PromptError(f"{name!r} would be called {path.stem!r}, which is taken: rename it")
    return PromptSet(path.stem, templates)


def load_aliases(
    path: str | Path, classes: Sequence[str], progress: Progress | None = None
) -> dict[str, str]:
    """Read better names for classes from a CSV with the columns class and name.

    Parameters
    ----------
    path
        The table, in any dialect; see `CsvTable`.
    classes
        The classes there are.
    progress
        Receives what had to be guessed of the table.

    Raises
    ------
    PromptError
        When the file is missing or malformed, or names a class that does not exist.
    """
    path = Path(path)
    table = CsvTable(path, PromptError)
    if not {"class", "name"} <= set(table.columns):
        raise PromptError(
            f"{str(path)!r} needs the columns class and name; it has "
            f"{', '.join(map(repr, table.columns)) or 'none'}"
        )
    aliases: dict[str, str] = {}
    for _, row in table:
        known, name = row["class"].strip(), text_or_missing(row["name"])
        if not known and not name:  # a spreadsheet's empty line
            continue
        if known not in classes:
            hint = did_you_mean(known, classes)
            raise PromptError(f"{str(path)!r}: there is no class {known!r}{hint}")
        if not name or aliases.get(known, name) != name:
            why = "no name" if not name else f"two names, {aliases[known]!r} and {name!r}"
            raise PromptError(f"{str(path)!r} gives {known!r} {why}")
        aliases[known] = name
    for remark in table.remarks():
        (progress or NoProgress()).message(remark)
    return aliases


def spoken_name(folder: str) -> str:
    """Return a class's name as in a sentence: underscores and runs of blanks become one blank."""
    return " ".join(folder.replace("_", " ").split())


def encode_prompts(
    encoder: Encoder, names: Sequence[str], prompts: PromptSet
) -> npt.NDArray[np.float32]:
    """Encode each name under each template and average by class.

    Parameters
    ----------
    encoder
        One with a text tower.
    names
        Spoken names of the classes.
    prompts
        The templates.

    Returns
    -------
    float32 (n_classes, dim)
        Means of the unit features of each class's prompts, not normalised again.

    Raises
    ------
    NoTextTowerError
        When the encoder has no text tower.

    References
    ----------
    Radford et al. (2021), section 3.1.4, prompt ensembling over the embedding space.
    """
    texts = [template.replace("{}", name) for name in names for template in prompts.templates]
    features = encoder.encode_texts(texts)
    if features is None:
        raise NoTextTowerError(f"the encoder {encoder.spec.name!r} has no text tower")
    mean = unit_rows(features).reshape(len(names), len(prompts.templates), -1).mean(axis=1)
    return np.asarray(mean, dtype=np.float32)
