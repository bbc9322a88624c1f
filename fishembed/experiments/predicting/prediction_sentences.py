"""What has to be known before predictions are used, in sentences."""

from __future__ import annotations

from fishembed._base.text import counted, listed
from fishembed.experiments.field.class_prior import PRIOR_SENTENCES
from fishembed.experiments.predicting.prediction import Predictions


def said_before(found: Predictions) -> list[str]:
    """Return sentences on the prior, on listed classes that are not known, and on unknown images.

    Parameters
    ----------
    found
        What `predict_run` returned.
    """
    sentences = [found.prior_sentence or PRIOR_SENTENCES[found.assumed_prior]]
    if found.not_known:
        few = listed([*found.not_known[:8], *(["…"] if len(found.not_known) > 8 else [])])
        n = counted(len(found.not_known), "listed class", "listed classes")
        sentences.append(f"The head has not learnt {n}, and cannot name them: {few}.")
    sent_back = [one.reason for one in found.predictions if one.unknown]
    if sent_back:
        like_none = sum(reason.startswith("like none") for reason in sent_back)
        undecided = sum(reason.startswith("undecided") for reason in sent_back)
        of = counted(len(found.predictions), "answer")
        sentences.append(
            f"Unknown: {len(sent_back):,} of {of}, {like_none:,} like none of the classes, "
            f"{undecided:,} undecided between two."
        )
    return [*sentences, *found.notes]
