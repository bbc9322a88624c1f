"""Classes that people add to a store, and their text features."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from fishembed.cache.schema import StoreHeader, TextFeatures
from fishembed.cache.store import Store

EncodeNames = Callable[
    [TextFeatures, Sequence[str]], "tuple[Sequence[str], npt.NDArray[Any]] | None"
]
"""Returns the spoken names of some classes under a prompt set, and their text features (n, dim)."""


def with_classes(
    store: Store, classes: Sequence[str], encode_names: EncodeNames | None
) -> StoreHeader:
    """Return a store's header for other classes; text features go along.

    A class whose text feature is not known has zeros there and the name "", so that the next
    `extract` encodes the names again.
    """
    header = store.header
    if list(header.classes) == list(classes):
        return header
    place = {name: i for i, name in enumerate(header.classes)}
    new = [name for name in classes if name not in place]
    text = {}
    for key, before in header.text.items():
        found = encode_names(before, new) if encode_names is not None and new else None
        names, rows = found or ([""] * len(new), np.zeros((len(new), before.features.shape[1])))
        spoken = [*before.names, *names]
        features = np.concatenate([before.features, rows]).astype(np.float32)
        number = place | {name: len(place) + i for i, name in enumerate(new)}
        order = [number[name] for name in classes]
        text[key] = replace(before, features=features[order], names=tuple(spoken[i] for i in order))
    return replace(header, classes=tuple(classes), text=text)


def is_slip(written: str, known: str) -> bool:
    """Return whether a name is most likely a misspelt other one.

    That is: it differs in case and blanks only, in the order of its letters, or by one letter
    that is missing or too much. Another letter or digit may well be another species.

    Examples
    --------
    >>> is_slip("el", "eel"), is_slip("red_Drum", "red drum"), is_slip("species 3", "species 2")
    (True, True, False)
    """
    one, two = ("".join(name.replace("_", " ").split()).casefold() for name in (written, known))
    if one == two or sorted(one) == sorted(two):
        return True
    longer, shorter = (one, two) if len(one) > len(two) else (two, one)
    if len(longer) != len(shorter) + 1:
        return False
    at = next((i for i, sign in enumerate(shorter) if sign != longer[i]), len(shorter))
    return longer[at].isalpha() and len(shorter) > 1 and longer[at + 1 :] == shorter[at:]
