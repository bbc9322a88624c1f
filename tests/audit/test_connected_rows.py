from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fishembed.audit import connected_rows
from fishembed.audit.connected_rows import ConnectedRows, connected_groups

PAIRS = st.lists(st.tuples(st.integers(0, 14), st.integers(0, 14)), max_size=20)


def spread_minimum(pairs):
    """Number the groups of 15 rows by spreading the smallest row until nothing changes."""
    least = list(range(15))
    for _ in range(15):
        for a, b in pairs:
            least[a] = least[b] = min(least[a], least[b])
    return [sorted(set(least)).index(row) for row in least]


@pytest.mark.parametrize("batch", [0, 3, 1000])
@given(pairs=PAIRS)
def test_batches_find_what_spreading_finds(batch, pairs):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connected_rows, "_MERGE_AT", batch)
        rows = ConnectedRows(15)
        for first, second in pairs:
            rows.connect(np.array([first]), np.array([second]))
        assert rows.groups().tolist() == spread_minimum(pairs)


def test_zero_is_a_number_and_no_text_is_none():
    assert connected_groups(np.array([0, 1, 0])).tolist() == [0, 1, 0]
    assert connected_groups(["", "a", ""]).tolist() == [0, 1, 2]
