"""Write an audit's folder: its page, its tables and `audit.json`."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from fishembed._base.csv_files import write_csv
from fishembed._base.files import write_json
from fishembed._base.paths import shown
from fishembed._version import __version__
from fishembed.audit.audit import Audit, find_photos
from fishembed.audit.page import write_page
from fishembed.cache import FeatureStore
from fishembed.experiments.runs.run_files import PAGE_HTML
from fishembed.experiments.runs.run_folder import new_folder

AUDIT_JSON = "audit.json"


def write_audit(
    audit: Audit,
    store: FeatureStore,
    *,
    name: str | None = None,
    reports: str | Path | None = None,
    photos: str | Path | None = None,
    fetch: bool = False,
    command: str = "",
) -> Path:
    """Write an audit into a new folder among the runs.

    The columns `action` and `new_label` of its tables are for the person who reviews them:
    `fishembed fix` drops or relabels the rows whose action says so.

    Parameters
    ----------
    audit, store
        The audit and the store it looked at.
    name
        Of the folder; `<store>-audit` when left out, numbered where that is there.
    reports
        Folder of the runs; FISHEMBED_REPORTS or `reports` when left out.
    photos
        Folder of the images; the one the store knows when left out.
    fetch
        Whether images that lie at URLs are fetched.
    command
        The command line that repeats the audit, for its record.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    RunError
        When a folder of that name exists, or the place is not writable.
    """
    origin = {
        "store_path": str(store.path),
        "store_fingerprint": store.fingerprint,
        "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "command": shown(command),
    }
    with new_folder(reports, name, f"{store.name}-audit") as folder:
        _write_tables(folder.path, audit, store)
        write_json(folder.path / AUDIT_JSON, summary(audit) | origin)
        found = find_photos(store, photos, fetch=fetch)
        write_page(
            folder.path / PAGE_HTML,
            audit,
            store,
            photos=found,
            command=shown(command),
            home=folder.final,
        )
    return folder.final


def summary(audit: Audit) -> dict[str, Any]:
    """Return what was found as numbers and names; rows are in the tables."""
    found: dict[str, Any] = {
        "format": "fishembed-audit",
        "schema": 1,
        "fishembed": __version__,
        "store": audit.store,
        "rows": audit.rows,
    }
    for result in audit.results.values():
        found |= result.summary()
    return found | {"seconds": {name: round(s, 3) for name, s in audit.seconds.items()}}


def _write_tables(folder: Path, audit: Audit, store: FeatureStore) -> None:
    files: dict[str, tuple[list[str], list[list[object]]]] = {}
    for result in audit.results.values():
        for table in result.tables(store):
            _, rows = files.setdefault(table.file, (list(table.columns), []))
            rows += map(list, table.rows)
    for file, (columns, rows) in files.items():
        write_csv(folder / file, columns, rows)
