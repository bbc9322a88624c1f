"""Arrays of a head's file: written, read and checked."""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fishembed._base.arrays import Floats
from fishembed.classifiers.head_function import FittedMap, FittedSum, NeighborVotes, Part

Arrays = dict[str, npt.NDArray[Any]]
_MOST_PARTS = 100
_FILE_NAMES = {"coef": "weights", "intercept": "bias", "angular_coef": "angular_weights"}


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

    The `others` are further arrays that must be finite.
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
    """Return what is wrong with a head's classes and description; "" for nothing."""
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


def part_arrays(fitted: FittedSum) -> tuple[list[dict[str, Any]], Arrays]:
    """Return the description of each part for the file, and all arrays, named by part."""
    about: list[dict[str, Any]] = []
    arrays: Arrays = {"shift": fitted.shift}
    for number, part in enumerate(fitted.parts):
        if isinstance(part.fitted, NeighborVotes):
            own, values = _vote_arrays(part.fitted)
        else:
            own = {"type": "map", "angular": part.fitted.angular is not None}
            values = map_arrays(part.fitted)
        about.append({"unit": part.unit, "scale": float(part.scale), **own})
        arrays |= {f"part{number}_{name}": value for name, value in values.items()}
    return about, arrays


def _vote_arrays(votes: NeighborVotes) -> tuple[dict[str, Any], Arrays]:
    own = {"type": "neighbors", "n_neighbors": votes.n_neighbors, "weights": votes.weights}
    return own, {"rows": votes.rows, "codes": votes.codes.astype(np.int64)}


def map_arrays(fitted: FittedMap) -> Arrays:
    """Return the arrays of a map under their names in the file."""
    return {_FILE_NAMES.get(name, name): array for name, array in fitted.arrays().items()}


def read_parts(file: zipfile.ZipFile, about: list[Any], n_classes: int) -> FittedSum:
    """Read and check the parts that were written as `part_arrays` returned them.

    Raises
    ------
    ValueError, KeyError, TypeError, zipfile.BadZipFile
        When it is not what was written.
    """
    if not 0 < len(about) <= _MOST_PARTS:
        raise ValueError(f"{len(about)} parts")
    parts = tuple(_read_part(file, number, own, n_classes) for number, own in enumerate(about))
    shift = _numbers(read_member(file, "shift"), (n_classes,))
    fitted = FittedSum(parts, shift)
    if len({FittedSum((part,), shift).dim for part in parts}) > 1:
        raise ValueError("parts of several widths")
    return fitted


def _read_part(file: zipfile.ZipFile, number: int, own: Any, n_classes: int) -> Part:
    def read(name: str) -> npt.NDArray[Any]:
        return read_member(file, f"part{number}_{name}")

    scale, unit = own["scale"], own["unit"]
    if not isinstance(scale, float) or not math.isfinite(scale) or not isinstance(unit, bool):
        raise ValueError(f"scale {scale!r}, unit {unit!r}")
    if own["type"] == "neighbors":
        return Part(_read_votes(own, read("rows"), read("codes"), n_classes), unit, scale)
    if own["type"] != "map":
        raise ValueError(f"a part of type {own['type']!r}")
    coef = _numbers(read("weights"), (n_classes, None))
    intercept = _numbers(read("bias"), (n_classes,))
    angular: tuple[Floats, ...] = ()
    if own["angular"]:
        matrix = _numbers(read("whitening"), (coef.shape[1], None))
        centre = _numbers(read("whitened_centre"), matrix.shape[1:])
        angular = matrix, centre, _numbers(read("angular_weights"), (n_classes, matrix.shape[1]))
    return Part(FittedMap.of_arrays(coef, intercept, *angular), unit, scale)


def _read_votes(
    own: dict[str, Any], rows: npt.NDArray[Any], codes: npt.NDArray[Any], n_classes: int
) -> NeighborVotes:
    rows = _numbers(rows, (None, None))
    if codes.dtype != np.int64 or codes.shape != rows.shape[:1]:
        raise ValueError(f"codes {codes.dtype} {codes.shape} of rows {rows.shape}")
    if not np.array_equal(np.unique(codes), np.arange(n_classes)):
        raise ValueError(f"codes that are not those of {n_classes} classes")
    nearest, weights = own["n_neighbors"], own["weights"]
    if type(nearest) is not int or not 0 < nearest <= len(rows):
        raise ValueError(f"{nearest!r} of {len(rows)} rows vote")
    if weights not in ("distance", "uniform"):
        raise ValueError(f"weights {weights!r}")
    return NeighborVotes(rows, codes.astype(np.intp), nearest, weights)


def _numbers(array: npt.NDArray[Any], shape: tuple[int | None, ...]) -> npt.NDArray[Any]:
    """Return an array of finite floats of a shape, in which None is any length."""
    fits = array.ndim == len(shape) and all(
        wanted in (None, there) and there > 0
        for wanted, there in zip(shape, array.shape, strict=True)
    )
    if not fits:
        raise ValueError(f"shape {array.shape}, not {shape}")
    if array.dtype.kind != "f" or not np.isfinite(array).all():
        raise ValueError(f"numbers of {array.dtype} that are not finite floats")
    return array
