"""Load the encoder that a run or a store names; the file may come from a stranger."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from fishembed._base.paths import cache_dir, reports_dir
from fishembed._base.progress import NoProgress, Progress, report_detail
from fishembed.cache import is_store, open_store
from fishembed.encoders import Encoder, load_encoder, parse_name, recorded_backend
from fishembed.errors import EncoderError, FishembedError

_LARGEST = 1 << 26


class UntrustedEncoderError(EncoderError):
    """The encoder that a file names may be anybody's, so it is not loaded."""


def load_recorded_encoder(
    document: Mapping[str, Any],
    *,
    device: str = "auto",
    trust: bool = False,
    beside: Path | None = None,
    progress: Progress | None = None,
    load: Callable[..., Encoder] | None = None,
) -> Encoder:
    """Load the encoder that a run or a store was made with.

    A model of the hub, or a file of weights, is loaded only where it is trusted: by `trust`, or
    because a store in the cache folder or another run among the reports was made with the same
    one; then the encoder is loaded by their description.

    Parameters
    ----------
    document
        The run's or the store's description of its encoder.
    device
        See `fishembed.load_encoder`.
    trust
        Whether to load it in any case.
    beside
        Folder of the run, or file of the store, that contains `document`: it does not vouch for
        itself.
    progress
        Receives the name and the device.
    load
        Function that loads it; `fishembed.load_encoder` when left out.

    Raises
    ------
    UntrustedEncoderError
        When no store or run of the user's was made with it.
    EncoderError
        When it cannot be loaded.
    """
    progress = progress or NoProgress()
    name = str(document.get("name"))
    if not trust and parse_name(name).needs_trust:
        document = trusted_document(document, beside=beside)
    progress.message(f"loading encoder {name}")
    revision = str(document.get("revision", ""))
    encoder = (load or load_encoder)(
        name,
        device=device,
        precision=document.get("precision", "fp32"),
        decoding=document.get("decoding", "exact"),
        backend=recorded_backend(document),
        **({"revision": revision} if revision else {}),
    )
    report_detail(progress, f"encoding on {encoder.device}")
    return encoder


def trusted_document(
    document: Mapping[str, Any],
    *,
    beside: Path | None = None,
    remedy: str = "--trust-encoder loads it",
) -> Mapping[str, Any]:
    """Return the description of the same encoder in a store or run of the user's.

    Raises
    ------
    UntrustedEncoderError
        When no store or run of the user's was made with it; `remedy` ends the message.
    """
    for own in _own_encoders(beside):
        if all(document.get(key) == own.get(key) for key in ("name", "fingerprint")):
            return own
    raise UntrustedEncoderError(
        f"the encoder {str(document.get('name'))!r} could be anybody's, and no other store in "
        f"{str(cache_dir())!r} nor another run in {str(reports_dir())!r} was made with it: "
        f"{remedy}"
    )


def _own_encoders(beside: Path | None) -> Iterator[Mapping[str, Any]]:
    """Yield the encoders of the stores in the cache folder, and of the runs among the reports.

    A run of the same store proves nothing: it copied the description from that store.
    """
    here = None if beside is None else beside.resolve()
    cache = cache_dir()
    if isinstance(cache, Path):
        for file in sorted(cache.glob("*")):
            if file.resolve() != here and is_store(file):
                with suppress(FishembedError, OSError), open_store(file) as store:
                    yield store.encoder
    same = set() if here is None else {here, *_stores_of(_read_run(here / "run.json"))}
    for file in sorted(Path(str(reports_dir())).glob("*/run.json")):
        run = {} if file.parent.resolve() == here else _read_run(file)
        if isinstance(run.get("encoder"), dict) and not same.intersection(_stores_of(run)):
            yield run["encoder"]


def _read_run(file: Path) -> Mapping[str, Any]:
    """Return the document of a run; {} where it cannot be read."""
    with suppress(OSError, ValueError, RecursionError):
        if file.is_file() and file.stat().st_size < _LARGEST:
            run = json.loads(file.read_text(encoding="utf-8", errors="surrogateescape"))
            return run if isinstance(run, dict) else {}
    return {}


def _stores_of(run: Mapping[str, Any]) -> set[Path | str]:
    """Return the paths and fingerprints of a run's stores."""
    listed = run.get("stores")
    stores = [run.get("store"), *(listed if isinstance(listed, list) else ())]
    found: set[Path | str] = set()
    for one in stores:
        if isinstance(one, dict) and one.get("path"):
            with suppress(OSError, ValueError, RuntimeError):  # a name that no path can have
                found.add(Path(str(one["path"])).resolve())
            found.add(str(one.get("fingerprint")))
    return found
