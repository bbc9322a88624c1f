from __future__ import annotations

import h5py
import numpy as np
import pytest
from full_rows import make_head, make_rows, make_vectors
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_pictures import contents

from fishembed.cache import FeatureStore, edit_store, undo_edit, write_store
from fishembed.errors import InputError, StoreIntegrityError, StoreLockedError

ODD = "ü ß/日本.png"


def test_cells_are_changed_and_nothing_else(make_file):
    place = make_file(100)
    before = contents(place).by_path()
    edit = edit_store(
        place,
        [(ODD, "label", "x"), ("p/0.png", "split", "test"), ("p/1.png", "group", "trip 2")],
        verb="fix",
        command="fishembed fix",
    )
    assert edit.summary() == "1 label, 1 split, 1 group"
    with FeatureStore.open(place) as store:
        rows = make_rows(100)
        np.testing.assert_array_equal(store.rows.mtime_ns, rows.mtime_ns)
        np.testing.assert_array_equal(store.rows.size, rows.size)
    after = contents(place).by_path()
    changed = {path for path in before if before[path] != after[path]}
    assert changed == {ODD, "p/0.png", "p/1.png"}
    with FeatureStore.open(place) as store:
        assert store.history == (edit,)
        assert store.classes[store.labels[0]] == "x"
        first = edit.changes[0]
        assert (first.path, first.was, first.now) == (ODD, "", "x")


def test_dropped_rows_are_out_and_can_come_back(make_file):
    place = make_file(100)
    before = contents(place)
    edit_store(place, [("p/7.png", "dropped", ""), (ODD, "dropped", "")], verb="fix")
    edit_store(place, [("p/90.png", "dropped", "")], verb="fix")
    with FeatureStore.open(place) as store:
        assert len(store) == 97
        assert ODD not in store.paths
        assert len(store.dropped) == 3
        assert store.verify() == []
    undo_edit(place)
    undo_edit(place)
    assert contents(place) == before


def test_trunk_vectors_and_half_floats_stay(make_file):
    place = make_file(50, trunk=make_vectors(50, 7), dtype=np.float16)
    before = contents(place)
    edit_store(place, [("p/1.png", "dropped", "")], verb="fix")
    with FeatureStore.open(place) as store:
        assert store.features.dtype == np.float16
        assert store.trunk.shape == (49, 7)
        assert store.dropped.trunk.shape == (1, 7)
    undo_edit(place)
    assert contents(place) == before


def test_a_shared_trunk_stays_shared(make_file):
    place = make_file(50, trunk="image")
    edit_store(place, [("p/1.png", "dropped", "")], verb="fix")
    with FeatureStore.open(place) as store:
        assert store.trunk_is_image
        assert store.dropped.trunk is None


edits = st.lists(
    st.lists(
        st.tuples(
            st.sampled_from([f"p/{i}.png" for i in range(6)] + [ODD]),
            st.sampled_from([("label", "bass"), ("label", ""), ("split", "val"), ("dropped", "")]),
        ),
        min_size=1,
        max_size=5,
        unique_by=lambda one: one[0],
    ),
    max_size=4,
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(edits)
def test_whatever_was_edited_can_be_taken_back(workspace, wanted):
    place = workspace / "a.h5"
    write_store(place, make_head(), make_rows(14), make_vectors(14))
    states = [contents(place)]
    for one in wanted:
        try:
            edit = edit_store(place, [(p, column, now) for p, (column, now) in one], verb="fix")
        except InputError:  # of a picture that is dropped already
            continue
        if edit.changes:
            states.append(contents(place))
    for state in reversed(states[:-1]):
        assert undo_edit(place).left == ()
        assert contents(place) == state
    with pytest.raises(InputError, match="history is empty"):
        undo_edit(place)


def test_what_is_so_already_is_no_edit(make_file):
    place = make_file(20)
    raw = place.read_bytes()
    assert edit_store(place, [("p/0.png", "split", "val")], verb="fix").changes == ()
    assert place.read_bytes() == raw


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ([("p/0.pmg", "label", "x")], "did you mean 'p/0"),
        ([("p/0.png", "label", "bas")], "did you mean 'bass'"),
        ([("p/0.png", "label", "x"), ("p/0.png", "label", "bass")], "two values of label"),
        ([(path, "dropped", "") for path in make_rows(20).path], "every image"),
    ],
)
def test_bad_wishes_change_nothing(make_file, wanted, said):
    place = make_file(20)
    raw = place.read_bytes()
    with pytest.raises(InputError, match=said):
        edit_store(place, wanted, verb="fix")
    assert place.read_bytes() == raw


def test_rows_of_one_path_cannot_be_told_apart(make_file):
    rows = make_rows(20)
    place = make_file(rows=type(rows)(**{**vars(rows), "path": ["a.png"] * 20}))
    with pytest.raises(InputError, match="more than one row of the path"):
        edit_store(place, [("a.png", "split", "val")], verb="fix")


def test_damage_is_not_written_over(make_file):
    place = make_file(100)
    with h5py.File(place) as file:
        at = file["features/image"].id.get_offset()
    raw = bytearray(place.read_bytes())
    raw[at] ^= 4
    place.write_bytes(raw)
    with pytest.raises(StoreIntegrityError, match="features/image"):
        edit_store(place, [("p/0.png", "split", "train")], verb="fix")
    assert place.read_bytes() == raw


def test_a_flipped_byte_in_the_history_is_found(make_file):
    place = make_file(100)
    edit_store(place, [("p/0.png", "dropped", "")], verb="fix")
    with h5py.File(place) as file:
        at = file["dropped/image"].id.get_offset()
    raw = bytearray(place.read_bytes())
    raw[at] ^= 4
    place.write_bytes(raw)
    with FeatureStore.open(place) as store:
        assert [one.dataset for one in store.verify()] == ["dropped/image"]
    with pytest.raises(StoreIntegrityError, match="dropped/image"):
        undo_edit(place)


def test_one_writer_at_a_time(make_file):
    from fishembed.cache import store_lock

    place = make_file(20)
    with store_lock(place), pytest.raises(StoreLockedError):
        edit_store(place, [("p/0.png", "split", "train")], verb="fix")
