"""Heads by the names they have on the command line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fishembed.errors import InputError

HEADS = ("logistic", "linear")
"""Names that `make_head` knows."""


def make_head(name: str, parameters: Mapping[str, Any], seed: int) -> Any:
    """Build a head that is not fitted.

    Parameters
    ----------
    name
        One of `HEADS`.
    parameters
        Of the estimator, see its class; what is left out has its default.
    seed
        For heads that draw random numbers.

    Returns
    -------
    A scikit-learn estimator.

    Raises
    ------
    InputError
        When there is no such head, or it has no such parameter.
    """
    from fishembed.classifiers import LinearHead, LogisticHead

    if name == "logistic":
        head: Any = LogisticHead()
    elif name == "linear":
        head = LinearHead()
    else:
        raise InputError(f"no head {name!r}: name one of {', '.join(HEADS)}")
    known = head.get_params()
    unknown = [key for key in parameters if key not in known]
    if unknown:
        fitting = sorted(set(known) - {"random_state"})
        raise InputError(
            f"the head {name!r} has no parameter {unknown[0]!r}; it has {', '.join(fitting)}"
        )
    if "random_state" in known:
        head.set_params(random_state=seed)
    return head.set_params(**parameters)
