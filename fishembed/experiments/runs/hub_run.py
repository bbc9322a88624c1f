"""A run on the Hugging Face hub: `hf:OWNER/NAME`, fetched at one commit, no pickle among it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from fishembed.errors import InputError, RemoteError, RunNotFoundError
from fishembed.experiments.runs import run_documents as documents
from fishembed.experiments.runs.run_folder import Run

PREFIX = "hf:"
PORTABLE = (documents.METRICS_JSON, documents.HEAD_NPZ, "held_out.npz")
"""Files that `predict` reads beside `run.json`."""

_NAME = re.compile(r"hf:([A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*)(?:@([\w./-]+))?")
_PATIENCE = 10.0


def is_hub_run(name: object) -> bool:
    """Return whether a run is named as one on the hub."""
    return str(name).startswith(PREFIX)


def fetch_hub_run(name: str | Path, also: Sequence[str] = ()) -> tuple[Path, str]:
    """Fetch a run of the hub, or take it from the cache of the hub's client.

    Parameters
    ----------
    name
        ``hf:OWNER/NAME``, with ``@REVISION`` for a commit, branch or tag.
    also
        Further files that are fetched where the run lists them.

    Returns
    -------
    Path, str
        The folder, and the commit: all files are of that one.

    Raises
    ------
    InputError
        When the name has another form.
    RunNotFoundError
        When the hub has no such model, or it is no run of fishembed.
    RemoteError
        When the hub cannot be reached.
    """
    found = _NAME.fullmatch(str(name))
    if found is None:
        raise InputError(f"{str(name)!r} names no run on the hub: write hf:OWNER/NAME[@REVISION]")
    repo, revision = found.groups()
    record = _download(repo, documents.RUN_JSON, revision)
    commit = record.parent.name
    listed = documents.read_json(record).get(documents.FILES)
    known = listed if isinstance(listed, dict) else {}
    for file in (*PORTABLE, *also):
        if file in known:
            _download(repo, file, commit)
    return record.parent, commit


def open_run(name: str | Path) -> Run:
    """Open the run in a folder, or fetch one of the hub and open that; see `fetch_hub_run`."""
    return Run.open(fetch_hub_run(name)[0] if is_hub_run(name) else name)


def _download(repo: str, file: str, revision: str | None) -> Path:
    """Return a file in the cache; the folder it lies in is named by the commit."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import (
        EntryNotFoundError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    name = f"hf:{repo}{f'@{revision}' if revision else ''}"
    try:
        return Path(hf_hub_download(repo, file, revision=revision or None, etag_timeout=_PATIENCE))
    except LocalEntryNotFoundError as error:
        raise RemoteError(f"{name!r} is not in the cache, and the hub does not answer") from error
    except (RepositoryNotFoundError, RevisionNotFoundError) as error:
        raise RunNotFoundError(
            f"the hub has no model {name!r}, or it is private: check the spelling, or log in with "
            "'hf auth login'"
        ) from error
    except EntryNotFoundError as error:
        raise RunNotFoundError(
            f"{name!r} has no {file}: it is no run that 'fishembed push' wrote"
        ) from error
    except Exception as error:  # the hub's client raises its transport's own errors
        reason = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        raise RemoteError(f"{name!r} cannot be fetched: {reason}") from error
