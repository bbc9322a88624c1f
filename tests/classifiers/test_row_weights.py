from __future__ import annotations

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_sample_weight

from fishembed.classifiers.row_weights import log_prior, row_weights
from fishembed.errors import InputError

CODES = np.repeat([0, 1, 2], [6, 3, 1])
CLASSES = np.array(["cod", "eel", "ray"])


def test_balanced_weights_are_scikit_learns():
    ours = row_weights(CODES, CLASSES, "balanced", None)
    assert ours == pytest.approx(compute_sample_weight("balanced", CODES))


def test_weights_of_rows_and_classes_multiply():
    own = np.arange(10.0)
    ours = row_weights(CODES, CLASSES, {"eel": 3.0}, own)
    assert ours == pytest.approx(own * np.where(CODES == 1, 3, 1))


def test_bad_weights_are_refused():
    with pytest.raises(InputError, match="class_weight='rare'"):
        row_weights(CODES, CLASSES, "rare", None)
    with pytest.raises(InputError, match="all rows are 0"):
        row_weights(CODES, CLASSES, dict.fromkeys(CLASSES, 0.0), None)


def test_a_class_without_rows_has_the_share_of_half_a_row():
    assert np.exp(log_prior(CODES, 4)) == pytest.approx([0.6, 0.3, 0.1, 0.05])
