"""A fitted head as one small file, `head.npz`, that is read without pickle."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import check_is_fitted

from fishembed._base.arrays import Floats
from fishembed._base.bounded_reading import check_npz, open_file
from fishembed._base.files import atomic_file
from fishembed.classifiers.base import Predictor
from fishembed.classifiers.head_function import FittedMap, fitted_sum
from fishembed.classifiers.saved.head_file import (
    about_fault,
    head_fault,
    map_arrays,
    part_arrays,
    read_member,
    read_parts,
)
from fishembed.classifiers.saved.saved_head import SavedHead, saved_head
from fishembed.errors import DimensionError, InputError, RunFormatError

_FORMAT = "fishembed-head"
_LINEAR, _ANGULAR, _SUM = 1, 2, 3  # versions: each head in the oldest that can hold it
_ARRAYS = ("weights", "bias", "classes")
_ANGULAR_ARRAYS = ("whitening", "whitened_centre", "angular_weights")


def save_head(
    head: Predictor,
    path: str | os.PathLike[str],
    *,
    feature_fingerprint: str = "",
    class_names: Sequence[str] | None = None,
    temperature: float | None = None,
) -> Path:
    """Write a fitted head to one file; the same head yields the same bytes.

    Parameters
    ----------
    head
        A fitted estimator of this package: a linear map, one of whitened directions, nearest
        neighbours (whose file holds the training rows), or a combination of such.
    path
        The file, usually ``head.npz``; what was there is replaced in one step.
    feature_fingerprint
        Fingerprint of the encoder whose features the head was fitted on.
    class_names
        Names of ``head.classes_``, in their order.
    temperature
        Divisor of the logits that calibrates the probabilities, see `held_out_temperature`;
        1 when left out.

    Returns
    -------
    Path
        Where it lies.

    Raises
    ------
    DimensionError
        `class_names` has another length than ``head.classes_``.
    InputError
        The head is none of these, or its labels are neither numbers nor strings.

    Examples
    --------
    >>> from fishembed import LogisticHead, load_head, save_head
    >>> head = LogisticHead().fit([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0]], ["cod", "cod", "eel"])
    >>> path = save_head(head, "head.npz")
    >>> load_head(path).predict([[0.8, 0.3]]).tolist()
    ['cod']
    """
    check_is_fitted(head)
    if class_names is not None and len(class_names) != len(head.classes_):
        raise DimensionError(
            f"{len(class_names)} class names for {len(head.classes_)} classes: pass one for each."
        )
    own, arrays = _contents(head)
    about = {
        "format": _FORMAT,
        "kind": getattr(head, "kind", None) or type(head).__name__,
        "feature_fingerprint": feature_fingerprint,
        "class_names": None if class_names is None else list(class_names),
        "temperature": getattr(head, "temperature", 1.0) if temperature is None else temperature,
        **own,
    }
    arrays = {
        "about": np.array(json.dumps(about, sort_keys=True, ensure_ascii=False)),
        **arrays,
        "classes": _plain_labels(head.classes_),
    }
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(target) as temporary, temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
    return target


def _contents(head: Any) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    """Return the description of a head's function, and its arrays."""
    fitted: FittedMap | None = getattr(head, "fitted_map", None)
    if fitted is None:
        parts, arrays = part_arrays(fitted_sum(head, head.classes_.tolist()))
        return {"version": _SUM, "parts": parts}, arrays
    version = _LINEAR if fitted.angular is None else _ANGULAR
    return {"version": version, "normalize": head.normalize}, map_arrays(fitted)


def _plain_labels(classes: npt.NDArray[Any]) -> npt.NDArray[Any]:
    plain = np.array(classes.tolist()) if classes.dtype == object else classes
    if plain.dtype.kind not in "biufU" or plain.shape != classes.shape:
        raise InputError(f"labels of dtype {classes.dtype} cannot be saved: use int or str.")
    return plain


def load_head(path: str | os.PathLike[str]) -> SavedHead:
    """Read a head that `save_head` wrote; nothing in the file is executed.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    LinearMap, AngularMap or SummedHead
        A fitted estimator with the same predictions as the one saved.

    Raises
    ------
    RunFormatError
        The file is missing, broken, no head, or of a newer format.

    Examples
    --------
    >>> from fishembed import LogisticHead, load_head, save_head
    >>> head = LogisticHead().fit([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0]], ["cod", "cod", "eel"])
    >>> path = save_head(head, "head.npz")
    >>> load_head(path).predict([[0.8, 0.3]]).tolist()
    ['cod']
    """
    source = Path(path)
    try:
        check_npz(source, densest=4)
        with open_file(source) as stream, zipfile.ZipFile(stream) as file:
            about = json.loads(str(read_member(file, "about")))
            _check_format(source, about)
            return _read_sum(file, about) if about["version"] == _SUM else _read_map(file, about)
    except RunFormatError:
        raise
    except FileNotFoundError:
        raise RunFormatError(f"{source} does not exist: name the head.npz of a run.") from None
    except _DamagedError as error:
        raise RunFormatError(
            f"{source} is a damaged head ({error}): fit again to write it anew."
        ) from None
    except Exception as error:  # what a crafted file breaks cannot be listed
        raise RunFormatError(
            f"{source} is not a head, or is damaged ({error}): fit again to write it anew."
        ) from error


class _DamagedError(Exception):
    """The head in a file is damaged."""


def _read_map(file: zipfile.ZipFile, about: Any) -> SavedHead:
    coef, intercept, classes = (read_member(file, name) for name in _ARRAYS)
    there = set(file.namelist())
    angular = [read_member(file, n) for n in _ANGULAR_ARRAYS if f"{n}.npy" in there]
    fault = head_fault(about, coef, intercept, classes, angular)
    if fault or (fault := _angular_fault(about, coef, angular)):
        raise _DamagedError(fault)
    fitted = FittedMap.of_arrays(coef, intercept, *angular)
    return saved_head(fitted, classes, normalize=about["normalize"], **_parameters(about))


def _read_sum(file: zipfile.ZipFile, about: Any) -> SavedHead:
    classes = read_member(file, "classes")
    if fault := about_fault(about, classes):
        raise _DamagedError(fault)
    return saved_head(read_parts(file, about["parts"], len(classes)), classes, **_parameters(about))


def _parameters(about: Any) -> dict[str, Any]:
    names = about["class_names"]
    return {
        "kind": about["kind"],
        "feature_fingerprint": about["feature_fingerprint"],
        "class_names": None if names is None else tuple(names),
        "temperature": about.get("temperature", 1.0),
    }


def _check_format(source: Path, about: Any) -> None:
    if not isinstance(about, dict) or about.get("format") != _FORMAT:
        raise RunFormatError(
            f"{source} is not a head of fishembed, or is damaged: name the head.npz of a run."
        )
    if about.get("version") not in (_LINEAR, _ANGULAR, _SUM):
        raise RunFormatError(
            f"{source} is a head of format {about.get('version')}, this version reads {_LINEAR} "
            f"to {_SUM}: update fishembed."
        )


def _angular_fault(about: Any, coef: Floats, arrays: list[Floats]) -> str:
    """Return what is wrong with the arrays of whitened directions; "" for nothing."""
    if about["version"] == _LINEAR and not arrays:
        return ""
    if about["version"] == _LINEAR or len(arrays) != len(_ANGULAR_ARRAYS):
        return "directions that are not whole"
    matrix, centre, weights = arrays
    fits = (
        matrix.ndim == 2
        and matrix.shape[0] == coef.shape[1]
        and centre.shape == matrix.shape[1:]
        and weights.shape == (coef.shape[0], matrix.shape[1])
    )
    return "" if fits else "shapes of directions"
