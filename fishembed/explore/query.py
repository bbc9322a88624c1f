"""From words and photos to one embedding in the space of a store."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fishembed._base.arrays import unit_rows
from fishembed._base.paths import cache_dir, to_path
from fishembed._base.progress import Progress
from fishembed.cache import Store
from fishembed.encoders import Encoder, load_encoder
from fishembed.errors import ImageError, InputError, NoTextTowerError, StoreMismatchError
from fishembed.extraction import encode_images
from fishembed.extraction.recorded_encoder import load_recorded_encoder

_MINUS = re.compile(r"""(?:^|(?<=\s))-(?:"([^"]+)"|'([^']+)'|(\S+))""")


class Terms(NamedTuple):
    """Terms of a query: what is searched for, and what is avoided."""

    wanted: tuple[str, ...]
    unwanted: tuple[str, ...]


def parse_query(text: str, minus: Sequence[str] = ()) -> Terms:
    """Split a query into what is wanted and its minus-terms.

    Examples
    --------
    >>> parse_query('a fish with a tag -net -"a hand"')
    Terms(wanted=('a fish with a tag',), unwanted=('net', 'a hand'))
    """
    unwanted = [next(filter(None, match.groups())) for match in _MINUS.finditer(text)]
    wanted = " ".join(_MINUS.sub(" ", text).split())
    return Terms((wanted,) if wanted else (), (*unwanted, *(term for term in minus if term)))


def query_embedding(
    terms: Terms,
    photos: Sequence[str | Path],
    encoder: Encoder,
    progress: Progress | None = None,
) -> npt.NDArray[np.float32]:
    """Return the sum of what is wanted less what is not, each scaled to length 1.

    Parameters
    ----------
    terms
        Words.
    photos
        Photos that the rows shall be like.
    encoder
        The encoder of the store.

    Returns
    -------
    float32 (dim,)
        Of length 1.

    Raises
    ------
    NoTextTowerError
        When there are words and the encoder knows none.
    ImageError
        When a photo cannot be read.
    """
    parts = np.zeros((0, encoder.spec.dim), np.float32)
    signs = [1.0] * len(terms.wanted) + [-1.0] * len(terms.unwanted)
    if signs:
        features = encoder.encode_texts([*terms.wanted, *terms.unwanted])
        if features is None:
            raise NoTextTowerError(
                f"the encoder {encoder.spec.name!r} knows no words: search with --like PHOTO"
            )
        parts = unit_rows(features)
    if photos:
        found = encode_images([Path(one) for one in photos], encoder, reporter=progress)
        if found.skipped:
            at, reason = found.skipped[0]
            raise ImageError(f"{str(photos[at])!r}: {reason}")
        parts = np.concatenate([parts, unit_rows(found.features)])
        signs += [1.0] * len(photos)
    together = np.asarray(signs, np.float32) @ parts
    return np.asarray(unit_rows(together[None])[0], np.float32)


def store_encoder(
    store: Store, device: str = "auto", progress: Progress | None = None, *, trust: bool = False
) -> Encoder:
    """Load the encoder that a store's features come from, and check that it is the same one.

    A model of the hub, or a file of weights, that only a store from elsewhere names is refused
    unless `trust` is set, see `load_recorded_encoder`. Stores in the cache folder are one's own.

    Raises
    ------
    InputError
        When the features were imported or joined: nobody knows their encoder.
    StoreMismatchError
        When the encoder is not what it was when the store was made.
    EncoderError
        When it cannot be had.
    """
    spec = store.encoder
    if spec.get("library") in ("imported", "joined", None):
        raise InputError(
            f"{str(store.path)!r} holds features whose encoder is not known here "
            f"({store.encoder_name}): words and photos cannot be brought into their space"
        )
    path, cache = _local(to_path(store.path)), _local(cache_dir())
    own = path is not None and cache is not None and path.resolve().parent == cache.resolve()
    encoder = load_recorded_encoder(
        spec,
        device=device,
        trust=trust or own,
        beside=path,
        progress=progress,
        load=load_encoder,
    )
    if encoder.spec.fingerprint != store.encoder_fingerprint:
        raise StoreMismatchError(
            f"the encoder {encoder.spec.name!r} is not the one that {str(store.path)!r} was made "
            f"with: its fingerprint is {encoder.spec.fingerprint}, the store's "
            f"{store.encoder_fingerprint}. Extract again"
        )
    return encoder


def _local(place: object) -> Path | None:
    return place if isinstance(place, Path) else None
