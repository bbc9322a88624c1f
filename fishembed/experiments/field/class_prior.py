"""How common a head takes each class to be: the class prior behind its probabilities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

Prior = Literal["uniform", "training", "partly uniform"]

PRIOR_SENTENCES: dict[Prior, str] = {
    "uniform": "Probabilities assume that every species is as common as any other.",
    "training": "Probabilities assume that species are as common as among the training photos.",
    "partly uniform": "Probabilities assume that rare species are more common, and common ones "
    "rarer, than among the training photos.",
}


def assumed_prior(head: str, parameters: Mapping[str, Any]) -> Prior:
    """Return the class prior that a head's probabilities assume.

    Parameters
    ----------
    head
        Its name, as in `HEADS`, or zeroshot.
    parameters
        Its parameters, as in `run.json`.

    Notes
    -----
    Menon et al. 2021, "Long-tail learning via logit adjustment": what is chosen or fitted for
    macro recall lets every class count the same.
    """
    if head in ("zeroshot", "centroid"):
        return "uniform"
    if select_on := parameters.get("select_on"):
        return "uniform" if str(select_on).startswith("macro") else "training"
    corrected = head in ("prior-corrected", "angular")
    if corrected and parameters.get("tau") not in (0, 1):
        return "partly uniform"
    uniform = (
        parameters.get("prior") == "uniform"
        or parameters.get("class_weight") == "balanced"
        or parameters.get("loss") == "balanced_softmax"
        or (corrected and parameters.get("tau") == 1)
    )
    return "uniform" if uniform else "training"
