"""The folders that are used when none is named: ./data, ./cache and ./reports.

The environment variables FISHEMBED_DATA, FISHEMBED_CACHE and FISHEMBED_REPORTS name others.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from fishembed._base.paths import to_path

if TYPE_CHECKING:
    from fishembed._base.paths import AnyPath


def data_dir() -> str:
    """Return the dataset: FISHEMBED_DATA, which may be a URL or a pattern, else ``data``."""
    return os.environ.get("FISHEMBED_DATA", "data")


def cache_dir() -> AnyPath:
    """Return the folder of feature stores: FISHEMBED_CACHE, which may be a URL, else ``cache``."""
    return to_path(os.environ.get("FISHEMBED_CACHE", "cache"))


def reports_dir() -> Path:
    """Return the folder of runs: FISHEMBED_REPORTS, else ``reports``."""
    return Path(os.environ.get("FISHEMBED_REPORTS", "reports"))
