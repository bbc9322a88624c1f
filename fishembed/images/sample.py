"""One image of a dataset."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sample:
    """One image of a dataset.

    Attributes
    ----------
    path
        Relative to the dataset's root with forward slashes, or absolute.
    label
        Name of its class, None where there is none.
    split
        train, val, test or "".
    group
        The unit it must not be separated from, or "".
    """

    path: str
    label: str | None = None
    split: str = ""
    group: str = ""
