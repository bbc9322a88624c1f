"""The verbs `compare`, `audit`, `split` and `fix` as functions, for notebooks.

Stores and runs are found by their names, as on the command line.
"""

from __future__ import annotations

import fishembed.audit as audit  # noqa: PLR0402 - the module, which is callable
from fishembed.audit import fix_store as fix
from fishembed.audit import split_store as split
from fishembed.experiments import compare_runs as compare

__all__ = ["audit", "compare", "fix", "split"]
