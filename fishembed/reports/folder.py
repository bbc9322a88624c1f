"""A new run's folder: filled beside its place, moved in whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fishembed._base.default_dirs import reports_dir
from fishembed._base.files import atomic_folder
from fishembed.errors import InputError, RunError


@dataclass(frozen=True)
class NewFolder:
    """A run folder that is being filled, and where it will lie."""

    path: Path
    final: Path


@contextmanager
def new_run(reports: str | Path | None, name: str | None, default: str) -> Iterator[NewFolder]:
    """Fill a folder beside its place and move it in when it is complete.

    Parameters
    ----------
    reports
        Where runs lie; FISHEMBED_REPORTS or `reports` when None.
    name
        Of the folder; None for `default`, numbered where that is there already.

    Raises
    ------
    InputError
        When the name cannot be a folder's.
    RunError
        When a run of that name exists, or the place is not writable.
    """
    home = Path(reports or reports_dir())
    final = home / (name or _free_name(home, default))
    if name and (Path(name).name != name or name.startswith(".")):
        raise InputError(f"{name!r} cannot name a run: give one folder's name without slashes")
    if final.exists():
        raise RunError(f"a run {final.name!r} is there already: give another --run")
    try:
        with atomic_folder(final) as temporary:
            yield NewFolder(temporary, final)
    except OSError as error:
        raise RunError(f"cannot write the run {str(final)!r}: {error.strerror or error}") from error


def _free_name(home: Path, default: str) -> str:
    number, name = 1, default
    while (home / name).exists():
        number += 1
        name = f"{default}-{number}"
    return name
