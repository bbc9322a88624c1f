"""Metadata columns: text or numbers, taken, stacked and compared."""

from __future__ import annotations

import numpy as np
import pytest
from full_rows import make_rows

from fishembed.cache import FeatureStore, Rows, edit_store, undo_edit
from fishembed.cache import rows as room
from fishembed.cache.rows import as_text, column_of, dataset_name, same_metadata, stacked_metadata


@pytest.mark.parametrize(
    "cells", [["007", "12"], ["12E4", "3"], ["1" * 20, "1"], ["", ""], ["1_000"], ["nan", "1"]]
)
def test_what_names_things_is_text(cells):
    column = column_of(cells)
    assert column.dtype.kind == "U"
    assert column.tolist() == cells


def test_numbers_are_numbers_and_what_is_missing_is_nan():
    column = column_of(["1", "", "-2.5", "1e-05"])
    np.testing.assert_array_equal(column, [1, np.nan, -2.5, 1e-5])
    assert as_text(column) == ["1", "", "-2.5", "1e-05"]


def test_columns_of_several_stores_are_stacked():
    a = {"site": np.array(["x", "y"]), "depth": np.array([1.0, 2.0]), "id": np.array([1.0, 2.0])}
    b = {"depth": np.array([""]), "id": np.array(["a7"]), "more": np.array(["z"])}
    found = stacked_metadata([(2, a), (1, b)])
    assert list(found) == ["site", "depth", "id", "more"]
    assert found["site"].tolist() == ["x", "y", ""]
    np.testing.assert_array_equal(found["depth"], [1, 2, np.nan])
    assert found["id"].tolist() == ["1", "2", "a7"]
    assert found["more"].tolist() == ["", "", "z"]


def test_the_same_columns_are_the_same():
    a = {"site": np.array(["x", ""]), "depth": np.array([1.0, np.nan])}
    assert same_metadata(a, {name: column.copy() for name, column in a.items()})
    assert not same_metadata(a, {**a, "depth": np.array([1.0, 2.0])})
    assert not same_metadata(a, {"depth": a["depth"], "site": a["site"]})


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "100 %", "ü ß", "%2F"])
def test_any_name_of_a_column_comes_back(make_store, name):
    rows = Rows(**{**make_rows(3).__dict__, "metadata": {name: np.array(["a", "", "c"])}})
    with make_store(3, rows=rows) as store:
        assert {key: cells.tolist() for key, cells in store.metadata.items()} == {
            name: ["a", "", "c"]
        }
        assert "/" not in dataset_name(name)


def test_one_very_long_cell_does_not_widen_all(make_store, monkeypatch):
    monkeypatch.setattr(room, "_LARGE", 1000)
    texts = ["é" * 900, "", "short"] + [""] * 100
    rows = Rows(**{**make_rows(103).__dict__, "metadata": {"note": column_of(texts)}})
    with make_store(103, rows=rows) as store:
        assert store.metadata["note"].tolist() == texts
        assert store.verify() == []
        assert store.path.stat().st_size < 103 * 1800


def test_what_is_known_of_a_dropped_row_comes_back_with_it(make_file):
    place = make_file(20)
    edit_store(place, [("p/1.png", "dropped", "")], verb="fix")
    with FeatureStore.open(place) as store:
        assert len(store.metadata["depth"]) == len(store.boxes) == 19
    undo_edit(place)
    with FeatureStore.open(place) as store:
        assert store.rows.is_same(make_rows(20))


def test_rows_of_unequal_columns_are_refused():
    with pytest.raises(ValueError, match="metadata 'site'\": 2"):
        Rows(**{**make_rows(3).__dict__, "metadata": {"site": np.array(["a", "b"])}})


def test_what_nobody_knows_takes_no_memory():
    rows = make_rows(4)
    plain = {name: getattr(rows, name) for name in ("path", "digest", "size", "mtime_ns", "label")}
    few = Rows(**plain, split=rows.split, group=rows.group).take([0, 2])
    assert few.box.strides[0] == few.hash.strides[0] == 0
    assert few.box.shape == (2, 4)
