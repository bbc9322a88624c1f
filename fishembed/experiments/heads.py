"""Heads by the names they have on the command line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fishembed._base.text import did_you_mean
from fishembed.errors import InputError

if TYPE_CHECKING:
    from fishembed.classifiers import ZeroShotClassifier

HEADS = (
    "auto",
    "logistic",
    "sweep",
    "prior-corrected",
    "angular",
    "gaussian",
    "text-anchored",
    "text-logistic",
    "blend",
    "centroid",
    "knn",
    "linear",
)
"""Names that `make_head` knows."""

_PLAIN = tuple(name for name in HEADS if not name.startswith("text-"))
_WITHOUT_TEXT = {"text-anchored": "gaussian", "text-logistic": "logistic"}
_TEXT_PSEUDO_COUNT = 4.0  # images that a class's text feature weighs as much as
_NOT_OFFERED = ("Cs", "classes", "estimator", "n_jobs", "other", "random_state", "text_features")


def make_head(
    name: str,
    parameters: Mapping[str, Any],
    seed: int,
    text: ZeroShotClassifier | None = None,
) -> Any:
    """Build a head, a scikit-learn estimator that is not fitted.

    Parameters
    ----------
    name
        One of `HEADS`.
    parameters
        Of the estimator, see its class, or of the one inside it; what is left out has its
        default.
    seed, text
        For heads that draw random numbers, and a zero-shot classifier of the classes that are
        learnt, for heads that can use one.

    Raises
    ------
    InputError
        When there is no such head, it has no such parameter, or it needs text features.
    """
    if name not in HEADS:
        raise InputError(
            f"no head {name!r}{did_you_mean(name, HEADS) or ':'} name one of {', '.join(HEADS)}"
        )
    head = _with_defaults(name, text)
    known = _parameter_names(head)
    unknown = next((key for key in parameters if key not in known), None)
    if unknown is not None:
        plain = {other: _parameter_names(_with_defaults(other, None)) for other in _PLAIN}
        others = ", ".join(other for other, names in plain.items() if unknown in names)
        instead = f"; it is a parameter of {others}" if others else ""
        raise InputError(
            f"the head {name!r} has no parameter {unknown!r}{instead}. {name!r} has "
            f"{', '.join(sorted(known))}"
        )
    if "random_state" in head.get_params():
        head.set_params(random_state=seed)
    return head.set_params(**{known[key]: value for key, value in parameters.items()})


def head_parameters(head: Any) -> dict[str, Any]:
    """Return the parameters of a head and of the one inside it, by the names `make_head` knows."""
    values = head.get_params()
    return {name: values[key] for name, key in sorted(_parameter_names(head).items())}


def _parameter_names(head: Any) -> dict[str, str]:
    """Map the names that people use to scikit-learn's; those of the head itself win."""
    keys = sorted(head.get_params(), key=lambda key: (-key.count("__"), key))
    names = {key.rsplit("__", 1)[-1]: key for key in keys if not key.startswith("other__")}
    return {name: key for name, key in names.items() if name not in _NOT_OFFERED}


def _with_defaults(name: str, text: ZeroShotClassifier | None) -> Any:
    from fishembed import classifiers

    if name in _WITHOUT_TEXT and text is None:
        raise InputError(
            f"the head {name!r} needs text features of the class names, and there are none for "
            f"these features: {_WITHOUT_TEXT[name]!r} is the same head without"
        )
    known = {} if text is None else {"text_features": text.text_features}
    scale = getattr(text, "logit_scale", None)
    heads: dict[str, tuple[str, dict[str, Any]]] = {
        "auto": ("AutoHead", {**known, "n_jobs": -1}),
        "logistic": ("LogisticHead", {}),
        "sweep": ("SweptLogisticHead", {"n_jobs": -1}),
        "prior-corrected": ("PriorCorrectedClassifier", {"estimator": classifiers.LogisticHead()}),
        "angular": ("AngularHead", {}),
        "gaussian": ("GaussianHead", {}),
        "text-anchored": ("GaussianHead", {**known, "pseudo_count": _TEXT_PSEUDO_COUNT}),
        "text-logistic": ("LogisticHead", {**known, "logit_scale": scale}),
        "blend": ("BlendClassifier", {"estimator": classifiers.LogisticHead(), "other": text}),
        "centroid": ("ZeroShotClassifier", {}),
        "knn": ("NeighborsHead", {}),
        "linear": ("LinearHead", {}),
    }
    kind, parameters = heads[name]
    return getattr(classifiers, kind)(**parameters)
