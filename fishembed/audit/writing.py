"""An audit's folder: its page, its tables, `audit.json`."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

from fishembed.audit.auditing import Audit
from fishembed.audit.page import write_page
from fishembed.audit.tables import write_tables
from fishembed.cache import FeatureStore
from fishembed.reports.folder import new_run
from fishembed.reports.run import PAGE_HTML


def write_audit(
    audit: Audit,
    store: FeatureStore,
    *,
    name: str | None = None,
    reports: str | Path | None = None,
    photos: str | Path | None = None,
    command: str = "",
) -> Path:
    """Write an audit into a new folder among the runs.

    Parameters
    ----------
    audit, store
        What was found, and in what.
    name
        Of the folder; `<store>-audit` when left out, numbered where that is there.
    reports
        Where runs lie; FISHEMBED_REPORTS or `reports` when left out.
    photos
        Folder of the photos; the one the store knows when left out.
    command
        What repeats the audit, for its record.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    RunError
        When a folder of that name exists, or the place is not writable.
    """
    about = {
        "store_path": str(store.path),
        "store_fingerprint": store.fingerprint,
        "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "command": command,
    }
    with new_run(reports, name, f"{store.name}-audit") as folder:
        write_tables(folder.path, audit, store, about)
        write_page(folder.path / PAGE_HTML, audit, store, photos=photos, command=command)
    return folder.final
