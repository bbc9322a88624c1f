"""Checks of a head's file, made before anything in it is believed."""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt


def read_member(file: zipfile.ZipFile, name: str) -> npt.NDArray[Any]:
    """Return an array of an archive; never more memory than the file has bytes.

    All of a member is read, so that the archive's own checksum is compared.

    Raises
    ------
    ValueError, KeyError, zipfile.BadZipFile
        When there is no such array, or it is not what was written.
    """
    entry = file.getinfo(f"{name}.npy")
    if entry.compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"{name!r} is compressed, which no head is")
    raw = file.read(entry)
    array = np.load(io.BytesIO(raw), allow_pickle=False)
    if not isinstance(array, np.ndarray) or array.nbytes > len(raw):
        raise ValueError(f"{name!r} is no array")
    return array


def head_fault(
    about: dict[str, Any],
    weights: npt.NDArray[Any],
    bias: npt.NDArray[Any],
    classes: npt.NDArray[Any],
    others: Sequence[npt.NDArray[Any]] = (),
) -> str:
    """Return what is wrong with a head that is one map; "" where it can be used.

    Parameters
    ----------
    about
        What the file says of itself.
    weights, bias, classes
        (n_classes, dim), (n_classes,) and (n_classes,).
    others
        Further arrays that must be finite.
    """
    if about.get("normalize") not in ("l2", "none"):
        return f"normalize {about.get('normalize')!r}"
    if weights.ndim != 2 or not bias.shape == classes.shape == weights.shape[:1] != (0,):
        return f"shapes {weights.shape}, {bias.shape} and {classes.shape}"
    if any(array.dtype.kind != "f" for array in (weights, bias, *others)):
        return f"weights of {weights.dtype} and {bias.dtype}"
    if fault := about_fault(about, classes):
        return fault
    finite = all(np.isfinite(array).all() for array in (weights, bias, *others))
    return "" if finite else "weights that are not finite"


def about_fault(about: dict[str, Any], classes: npt.NDArray[Any]) -> str:
    """Return what is wrong with a head's classes and what it says of itself; "" for nothing."""
    missing = sorted({"kind", "feature_fingerprint", "class_names"} - set(about))
    if missing:
        return f"{', '.join(missing)} missing"
    if not all(isinstance(about[name], str) for name in ("kind", "feature_fingerprint")):
        return "kind or fingerprint that is no text"
    if classes.ndim != 1 or not len(classes) or classes.dtype.kind not in "biufU":
        return f"classes of {classes.dtype} and shape {classes.shape}"
    temperature, names = about.get("temperature", 1.0), about["class_names"]
    if not isinstance(temperature, int | float) or not 0 < temperature < math.inf:
        return f"temperature {temperature!r}"
    if names is not None and not (
        isinstance(names, list)
        and len(names) == len(classes)
        and all(isinstance(name, str) for name in names)
    ):
        return "class names that are not one text for each class"
    return ""
