"""Apply tables of decisions that people have made on the images of a store."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from fishembed._base.csv_files import CsvTable
from fishembed._base.missing import text_or_missing
from fishembed._base.progress import NoProgress, Progress
from fishembed.cache import CellEdit, TextFeatures, edit_store, open_store
from fishembed.cache.edit_history import Edit, Remark
from fishembed.encoders import Encoder, PromptSet, encode_prompts, spoken_name
from fishembed.errors import DataError, FishembedError
from fishembed.explore.search import store_encoder
from fishembed.images.datasets.folder import spellings

if TYPE_CHECKING:
    from upath import UPath

ACTIONS = ("drop", "relabel", "new")
_NOTHING = ("", "keep", "unsure")

SPLIT_OF = {"typical": "train", "uncertain": "train", "random": "test"}
"""Split of an image by why it was chosen: no score may rest on those chosen for being hard."""


class Decision(NamedTuple):
    """A person's decision on one image."""

    path: str
    action: str
    label: str
    remark: Remark
    where: str  # Table and line, for messages

    def edits(self, *, has_train: bool = False) -> list[CellEdit]:
        """Return the cells that it changes; `has_train` where the store has a split train."""
        if self.action == "drop":
            return [(self.path, "dropped", "")]
        found: list[CellEdit] = []
        if self.action in ("relabel", "new"):
            found.append((self.path, "label", self.label))
        split = SPLIT_OF.get(self.remark.chosen, "")
        # Where no row is in train, those without a split are what is learnt from.
        if split == "test" or (split and has_train):
            found.append((self.path, "split", split))
        return found


def read_decisions(path: str | Path, progress: Progress | None = None) -> list[Decision]:
    """Read a table of decisions.

    Parameters
    ----------
    path
        CSV in any dialect, see `CsvTable`, with the columns path and action: drop, relabel or
        new (with the class in new_label, new for a class whose name is close to another's), or
        keep, unsure or nothing. The columns who, when and chosen are stored; others are ignored.
    progress
        Receives what had to be guessed of the table.

    Raises
    ------
    InputError
        When the file or a row cannot be used; names the row.
    """
    path = Path(path)
    found = []
    table = CsvTable(path)
    missing = [name for name in ("path", "action") if name not in table.columns]
    if missing:
        raise DataError(
            f"{str(path)!r} has no column {missing[0]!r}; its columns are "
            f"{', '.join(map(repr, table.columns)) or 'none'}"
        )
    for line, row in table:
        action, where = text_or_missing(row["action"]).lower(), f"{str(path)!r}, line {line}"
        chosen = text_or_missing(row.get("chosen") or row.get("why"))
        if action in _NOTHING and not (action == "keep" and chosen):
            continue
        if not row["path"]:
            raise DataError(f"{where}: the path is empty")
        if action not in (*ACTIONS, "keep"):
            raise DataError(
                f"{where}: the action {action!r} is unknown; write {', '.join(ACTIONS[:-1])} or "
                f"{ACTIONS[-1]}, or leave it empty"
            )
        label = text_or_missing(row.get("new_label"))
        if action in ("relabel", "new") and not label:
            raise DataError(f"{where}: to relabel, write the class into 'new_label'")
        remark = Remark(text_or_missing(row.get("who")), text_or_missing(row.get("when")), chosen)
        found.append(Decision(row["path"], action, label, remark, where))
    for sentence in table.remarks():
        (progress or NoProgress()).message(sentence)
    if not found:
        raise DataError(
            f"{str(path)!r} asks for nothing: write drop or relabel into the column 'action' of "
            "the rows you have looked at"
        )
    return found


def merge_decisions(tables: Sequence[Iterable[Decision]]) -> list[Decision]:
    """Merge tables; of two decisions on an image the later one is valid.

    Raises
    ------
    InputError
        When two tables disagree on an image and do not both have a time.
    """
    if len(tables) == 1:
        return list(tables[0])  # what contradicts itself within a table is refused by the store
    merged: dict[str, Decision] = {}
    for table in tables:
        before = dict(merged)
        for one in table:
            other = before.get(one.path, one)
            if (other.action, other.label) != (one.action, one.label):
                if not (one.remark.decided and other.remark.decided):
                    raise DataError(
                        f"{one.path!r} is {other.label or other.action!r} at {other.where}, but "
                        f"{one.label or one.action!r} at {one.where}: decide on one"
                    )
                if one.remark.decided < other.remark.decided:
                    continue
            merged[one.path] = one
    return list(merged.values())


def fix_store(
    store: str | Path | UPath,
    fixes: str | Path | Sequence[str | Path],
    *,
    command: str = "",
    progress: Progress | None = None,
) -> Edit:
    r"""Drop, label and relabel images by tables of decisions; all of them, or none.

    What is so already is skipped, so that a table can be applied again after further marks. A
    class that the store does not have becomes one.

    Parameters
    ----------
    store
        The store, by path or by its name in the cache folder.
    fixes
        CSV with the columns path, action and, to label, new_label; see `read_decisions`. Several
        are merged: of two decisions on one image the later one holds.
    command
        The command line that repeats it, for the store's history.
    progress
        Receives which classes are new, and what had to be guessed of the tables.

    Returns
    -------
    Edit
        The changes; without any, nothing was written.

    Raises
    ------
    InputError
        When a table, a path or a label makes no sense; nothing is changed.
    StoreLockedError, StoreIntegrityError, StoreWriteError
        As `edit_store`.

    Examples
    --------
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from fishembed import fix, import_features
    >>> arrays = {"features": np.eye(4), "labels": ["cod", "eel"] * 2, "paths": list("abcd")}
    >>> _ = import_features(arrays, "cache/fish.h5")
    >>> _ = Path("fixes.csv").write_text("path,action,new_label\na,relabel,eel\nb,drop,\n")
    >>> fix("fish", "fixes.csv").summary()
    '1 label, 1 image dropped'
    """
    tables = [fixes] if isinstance(fixes, str | Path) else list(fixes)
    decisions = merge_decisions([read_decisions(table, progress) for table in tables])
    with open_store(store) as opened:
        known = {*opened.paths, *(opened.dropped.path if opened.dropped else ())}
        has_train = bool((opened.splits == "train").any())
    # A spreadsheet may have changed letters and slashes of a path: back to how the store spells it.
    decisions = [
        one._replace(path=next((each for each in spellings(one.path) if each in known), one.path))
        for one in decisions
    ]
    return edit_store(
        store,
        [edit for one in decisions for edit in one.edits(has_train=has_train)],
        verb="fix",
        command=command,
        remarks={one.path: one.remark for one in decisions if any(one.remark)},
        new_classes={one.label for one in decisions if one.action == "new"},
        encode_names=_NameEncoder(store, progress or NoProgress()),
    )


def read_fixes(path: str | Path) -> list[CellEdit]:
    """Read a table of decisions as the cells that it changes; see `read_decisions`."""
    return [edit for one in read_decisions(path) for edit in one.edits()]


class _NameEncoder:
    """Encodes the names of new classes with the store's own encoder, loaded when needed."""

    def __init__(self, store: str | Path | UPath, progress: Progress) -> None:
        self._store, self._progress = store, progress
        self._encoder: Encoder | None = None
        self._failed = False

    def __call__(
        self, text: TextFeatures, classes: Sequence[str]
    ) -> tuple[Sequence[str], Any] | None:
        """Return the names for prompts and the text features; None without the encoder."""
        if self._failed or not text.templates:
            return None
        names = [spoken_name(name) for name in classes]
        try:
            if self._encoder is None:
                with open_store(self._store) as opened:
                    self._encoder = store_encoder(opened, "cpu", self._progress)
            return names, encode_prompts(self._encoder, names, PromptSet("", text.templates))
        except FishembedError as error:
            self._failed = True
            self._progress.message(
                f"the new classes have no text features until the next 'fishembed extract': {error}"
            )
            return None
