"""Share a run: as a folder, or as a model on the Hugging Face hub."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from fishembed._base.files import atomic_folder, write_text
from fishembed._base.progress import NoProgress, Progress
from fishembed.errors import BundleError, InputError, RemoteError
from fishembed.experiments import Run
from fishembed.experiments.runs.find_runs import PORTABLE
from fishembed.experiments.runs.run_documents import FILES, HEAD_NPZ, RUN_JSON, check_file
from fishembed.sharing.bundle_files import BUNDLE_FILES, check_bundle
from fishembed.sharing.model_card import model_card
from fishembed.sharing.portable_run import write_portable_record, write_portable_run

CARD = "README.md"
_OURS = (RUN_JSON, *PORTABLE, *BUNDLE_FILES)
_REPO = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


@dataclass(frozen=True)
class Pushed:
    """A run that was shared.

    Attributes
    ----------
    name
        Name for `predict`: the folder, or ``hf:OWNER/NAME@COMMIT``.
    files
        Names of the files written.
    """

    name: str
    files: tuple[str, ...]


def push_run(
    run: str | Path | Run,
    repo: str,
    *,
    to: str | Path | None = None,
    bundle: str | Path | None = None,
    licence: str = "",
    private: bool = False,
    progress: Progress | None = None,
) -> Pushed:
    """Write the part of a run that predicts, with a model card, to the hub or to a folder.

    It contains no pickle, no image, no path of this machine and no command.

    Parameters
    ----------
    run
        The run or its folder.
    repo
        ``OWNER/NAME`` on the hub.
    to
        A new folder, in place of the hub.
    bundle
        Folder that `bundle_run` wrote for the same run, to share too.
    licence
        Licence of the classifier, for the card.
    private
        Whether a model that is made on the hub is private.
    progress
        Receives the names of uploaded files.

    Raises
    ------
    InputError
        When `repo` is not a valid name, or `to` exists.
    BundleError
        When the bundle is of another run.
    RemoteError
        When the hub refuses the upload.

    Examples
    --------
    >>> import numpy as np
    >>> from fishembed import import_features, push_run, run_fit
    >>> labels = np.arange(40) % 2
    >>> X = np.eye(2)[labels] + 0.1 * np.random.default_rng(0).normal(size=(40, 2))
    >>> arrays = {"features": X, "labels": labels, "classes": ["cod", "eel"]}
    >>> run = run_fit(import_features(arrays, "f.h5"), head="centroid")
    >>> push_run(run, "me/fish", to="shared").files
    ('README.md', 'head.npz', 'held_out.npz', 'metrics.json', 'run.json')
    """
    run = Run.open(run.folder if isinstance(run, Run) else run)  # with the digests of its files
    if not _REPO.fullmatch(repo):
        raise InputError(f"{repo!r} is no name on the hub: write OWNER/NAME")
    source = None if bundle is None else _checked_bundle(run, Path(bundle))
    if to is not None:
        target = Path(to)
        if target.exists():
            raise InputError(f"{str(target)!r} is there already: give another --to")
        target.parent.mkdir(parents=True, exist_ok=True)
        with atomic_folder(target) as folder:
            written = _write(run, repo, folder, source, licence)
        return Pushed(str(target), written)
    with TemporaryDirectory() as temporary:
        written = _write(run, repo, Path(temporary), source, licence)
        (progress or NoProgress()).message(f"uploading {', '.join(written)} to {repo}")
        commit = _upload(Path(temporary), repo, private=private)
    return Pushed(f"hf:{repo}@{commit}", written)


def _checked_bundle(run: Run, folder: Path) -> Path:
    other = check_bundle(folder)
    theirs = (other.info.get(FILES) or {}).get(HEAD_NPZ)
    ours = (run.info.get(FILES) or {}).get(HEAD_NPZ)
    if theirs is None or theirs != ours:
        name = other.info.get("name")
        raise BundleError(
            f"the bundle {str(folder)!r} is of another run ({name!r}) than {run.name!r}: export it "
            "anew"
        )
    for name in BUNDLE_FILES:
        check_file(folder, other.info, name)
    return folder


def _write(run: Run, repo: str, folder: Path, bundle: Path | None, licence: str) -> tuple[str, ...]:
    write_portable_run(run, folder)
    if bundle is not None:
        for name in BUNDLE_FILES:
            if (bundle / name).is_file():
                shutil.copyfile(bundle / name, folder / name)
    card = model_card(run, repo, licence=licence, bundled=bundle is not None)
    write_text(folder / CARD, card)
    write_portable_record(run, folder)
    return tuple(sorted(path.name for path in folder.iterdir()))


def _upload(folder: Path, repo: str, *, private: bool) -> str:
    """Upload a folder in one commit and return its hash; the client finds the user's token."""
    from huggingface_hub import HfApi

    api = HfApi(library_name="fishembed")
    try:
        api.create_repo(repo, private=private, exist_ok=True)
        done = api.upload_folder(
            repo_id=repo,
            folder_path=folder,
            commit_message="Upload a classifier of fishembed",
            delete_patterns=list(_OURS),
        )
    except Exception as error:  # the hub's client raises its transport's own errors
        reason = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        raise RemoteError(
            f"{repo!r} cannot be written on the hub ({reason}): log in with 'hf auth login', or "
            "write a folder with --to"
        ) from error
    return str(done.oid)
