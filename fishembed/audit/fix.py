"""Apply tables of decisions that people have made on the images of a store."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fishembed._base.progress import NoProgress, Progress
from fishembed.audit.decisions import merge_decisions, read_decisions
from fishembed.cache import CellEdit, TextFeatures, edit_store, open_store
from fishembed.cache.edit_history import Edit
from fishembed.encoders import Encoder, PromptSet, spoken_name, text_vectors
from fishembed.errors import FishembedError
from fishembed.explore.query import store_encoder
from fishembed.images.datasets.path_spelling import spellings

if TYPE_CHECKING:
    from upath import UPath


def fix_store(
    store: str | Path | UPath,
    fixes: str | Path | Sequence[str | Path],
    *,
    command: str = "",
    progress: Progress | None = None,
) -> Edit:
    r"""Drop, label and relabel images as tables say; all of it, or nothing.

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
    decisions = [one._replace(path=_spelling_in(known, one.path)) for one in decisions]
    return edit_store(
        store,
        [edit for one in decisions for edit in one.edits(has_train=has_train)],
        verb="fix",
        command=command,
        remarks={one.path: one.remark for one in decisions if any(one.remark)},
        new_classes={one.label for one in decisions if one.action == "new"},
        encode_names=_NameEncoder(store, progress or NoProgress()),
    )


def _spelling_in(known: set[str], path: str) -> str:
    """Return a path as the store spells it: a spreadsheet may have changed letters and slashes."""
    return next((one for one in spellings(path) if one in known), path)


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
        """Return spoken names and text features; None where the encoder cannot be had."""
        if self._failed or not text.templates:
            return None
        names = [spoken_name(name) for name in classes]
        try:
            if self._encoder is None:
                with open_store(self._store) as opened:
                    self._encoder = store_encoder(opened, "cpu", self._progress)
            return names, text_vectors(self._encoder, names, PromptSet("", text.templates))
        except FishembedError as error:
            self._failed = True
            self._progress.message(
                f"the new classes have no text features until the next 'fishembed extract': {error}"
            )
            return None
