"""JSON documents of a run folder: its record with the checksum of every file, checked when read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fishembed._base.bounded_reading import open_file, read_file
from fishembed._base.files import write_json
from fishembed._base.paths import without_secrets
from fishembed._base.text import reason_of
from fishembed.errors import RunFormatError

RUN_FORMAT = "fishembed-run"
RUN_SCHEMA = 1
_LOOKED_AT = 4096

RUN_JSON = "run.json"
METRICS_JSON = "metrics.json"
HEAD_NPZ = "head.npz"

FILES = "files"
CHECKSUM = "checksum"
"""Keys of `run.json`: the SHA-256 of each file of the run, and that of `run.json` itself."""

_TYPES: Mapping[str, type] = {
    "parameters": dict,
    "encoder": dict,
    "stores": list,
    "selection": list,
    "features": str,
    "command": str,
    "seconds": dict,
    "versions": dict,
    FILES: dict,
}
_CHANGED = "is not as it was written: make the run again, or take the file from a copy"


def write_run_json(folder: Path, name: str, info: Mapping[str, Any]) -> None:
    """Write a run's record, with the digest of every file that is in its folder."""
    about = {"format": RUN_FORMAT, "schema": RUN_SCHEMA, "name": name}
    digests = {path.name: _sha256(path) for path in sorted(folder.iterdir()) if path.is_file()}
    write_document(folder / RUN_JSON, {**about, **info, FILES: digests})


def read_record(folder: Path) -> dict[str, Any]:
    """Read a run's record, `run.json`, and check it before anything in it is used.

    Raises
    ------
    RunFormatError
        When it is damaged, links lead out of the folder, or a newer version wrote it.
    """
    _refuse_links_out(folder)
    place = folder / RUN_JSON
    info = read_json(place)
    if info.get("format") != RUN_FORMAT:
        raise RunFormatError(f"{str(place)!r} was not written by fishembed")
    schema = info.get("schema", 0)
    if not isinstance(schema, int):
        raise RunFormatError(f"{str(place)!r} has the schema {schema!r}")
    if schema > RUN_SCHEMA:
        raise RunFormatError(
            f"{str(folder)!r} has run schema {schema}; this version reads up to "
            f"{RUN_SCHEMA}: pip install -U fishembed"
        )
    _check_document(place, info)
    _check_types(folder, info)
    return info


def is_run(folder: Path) -> bool:
    """Return whether a folder holds a run, by the first bytes of its `run.json`."""
    place = folder / RUN_JSON
    try:
        if not place.is_file():  # a pipe would not end
            return False
        with place.open("rb") as file:
            return RUN_FORMAT.encode() in file.read(_LOOKED_AT)
    except OSError:
        return False


def _refuse_links_out(folder: Path) -> None:
    """Refuse links out of a run folder: a stranger's run could have other files read or replaced.

    In the cache of the hub's client files are links too, into the cache.
    """
    real = folder.resolve()
    inside = real, real.parent.parent / "blobs"
    for path in real.rglob("*"):
        if path.is_symlink() and not any(map(_target(path).is_relative_to, inside)):
            raise RunFormatError(
                f"{str(folder / path.relative_to(real))!r} is a link out of the run's folder, "
                "which no run has: put a copy of the file in its place"
            )


def _target(link: Path) -> Path:
    try:
        return link.resolve()
    except (OSError, RuntimeError):  # it leads to itself
        return Path()


def _check_document(place: Path, document: Mapping[str, Any]) -> None:
    """Raise RunFormatError where the checksum in a document differs; before 0.2 there was none."""
    expected = document.get(CHECKSUM)
    if expected is not None and expected != _checksum(document):
        raise RunFormatError(f"{str(place)!r} {_CHANGED}")


def check_file(folder: Path, info: Mapping[str, Any], name: str) -> None:
    """Check a file of a run against its digest in `run.json`, where that has one.

    Raises
    ------
    RunFormatError
        When it is gone, or not as it was written.
    """
    known = info.get(FILES) or {}
    if name not in known:
        return
    place = folder / name
    try:
        digest = _sha256(place)
    except OSError as error:
        raise RunFormatError(
            f"cannot read {str(place)!r}: {error.strerror or error}; make the run again"
        ) from error
    if digest != known[name]:
        raise RunFormatError(f"{str(place)!r} {_CHANGED}")


def _check_types(folder: Path, info: Mapping[str, Any]) -> None:
    """Raise RunFormatError where a value of `run.json` has another type than `run_info` writes."""
    stores = [info.get("store"), *(info.get("stores") or ())]
    good = (
        all(isinstance(info.get(name, kind()), kind | None) for name, kind in _TYPES.items())
        and all(isinstance(name, str) for name in info.get("classes") or ())
        and all(isinstance(row, dict) for row in info.get("selection") or ())
        and all(isinstance(one, dict) and isinstance(one.get("path"), str) for one in stores)
        and all(isinstance(one.get("fingerprint"), str | None) for one in stores)
        and isinstance(info.get("head"), str)
        and isinstance(info.get("classes"), list)
    )
    if not good:
        raise RunFormatError(f"{str(folder / RUN_JSON)!r} is damaged: make the run again")


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with open_file(path) as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _checksum(info: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the content of a JSON object, whatever its layout."""
    described = {name: value for name, value in info.items() if name != CHECKSUM}
    text = json.dumps(described, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def write_document(place: Path, document: Mapping[str, Any]) -> None:
    """Write a JSON object with a checksum of its content."""
    write_json(place, {**document, CHECKSUM: _checksum(document)})


def read_document(place: Path) -> dict[str, Any]:
    """Read a file that `write_document` wrote, without the checksum; before 0.2 there was none.

    Raises
    ------
    RunFormatError
        When it cannot be read, or is not as it was written.
    """
    document = read_json(place)
    _check_document(place, document)
    return {name: value for name, value in document.items() if name != CHECKSUM}


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises
    ------
    RunFormatError
        When the file cannot be read, or holds something else.
    """
    try:
        document = json.loads(read_file(path).decode("utf-8", "surrogateescape"))
    except (OSError, ValueError, RecursionError) as error:
        raise RunFormatError(
            f"cannot read {str(path)!r} ({reason_of(error)}): make the run again, or take the file "
            "from a copy"
        ) from error
    if not isinstance(document, dict):
        raise RunFormatError(f"{str(path)!r} is not a JSON object")
    return {name: without_secrets(value) for name, value in document.items()}
