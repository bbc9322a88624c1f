"""One image of a dataset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

NO_METADATA: Mapping[str, str] = {}
"""One for all samples of which nothing else is known."""


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
    box
        x, y, width and height in pixels of the part of its photo, None for the whole.
    time
        Seconds into its video, None for an image.
    metadata
        What else is known of it, by name; "" where a value is missing.
    """

    path: str
    label: str | None = None
    split: str = ""
    group: str = ""
    box: tuple[float, float, float, float] | None = None
    metadata: Mapping[str, str] = field(default_factory=lambda: NO_METADATA, compare=False)
    time: float | None = None
