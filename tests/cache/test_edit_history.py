"""Edits say what they did, and are made again on what a source says by now."""

from __future__ import annotations

import pytest

from fishembed.cache.edit_history import Change, Edit, apply_history


def change(path, column, was, now, digest="d"):
    return Change(path, digest, column, was, now)


def edit(*changes):
    return Edit("fix", "2026-01-01T00:00:00+00:00", "fishembed fix", changes)


def reapply(rows, *edits, new=()):
    """Make edits again on rows of (path, digest, label)."""
    values = {
        "label": [label for _, _, label in rows],
        "split": ["train"] * len(rows),
        "group": [""] * len(rows),
    }
    paths, digests = [row[0] for row in rows], [row[1] for row in rows]
    return apply_history(paths, digests, values, edits, new=set(new))


@pytest.mark.parametrize(
    ("changes", "summary"),
    [
        ([change("a", "label", "x", "y")], "1 label"),
        ([change("a", "label", "x", "y"), change("b", "label", "x", "y")], "2 labels"),
        ([change("a", "dropped", "0", "")], "1 image dropped"),
        (
            [change("a", "dropped", "0", ""), change("b", "split", "", "val")],
            "1 split, 1 image dropped",
        ),
        ([change("a", "group", "", "g"), change("a", "label", "", "x")], "1 label, 1 group"),
        ([change(str(i), "dropped", "0", "") for i in range(1200)], "1,200 images dropped"),
    ],
)
def test_an_edit_says_what_it_did(changes, summary):
    assert edit(*changes).summary() == summary


def test_an_edit_is_made_again_where_the_source_says_what_it_said():
    done = reapply([("a", "d", "x"), ("b", "e", "x")], edit(change("a", "label", "x", "y")))
    assert done.values["label"] == ["y", "x"]
    assert (done.held, done.overruled, done.dropped) == (1, (), frozenset())


def test_a_newer_value_of_the_source_wins():
    done = reapply([("a", "d", "z")], edit(change("a", "label", "x", "y")))
    assert done.values["label"] == ["z"]
    assert (done.held, done.overruled) == (0, (0,))


def test_a_source_that_came_to_agree_is_neither():
    done = reapply([("a", "d", "y")], edit(change("a", "label", "x", "y")))
    assert (done.values["label"], done.held, done.overruled) == (["y"], 0, ())


def test_edits_of_one_cell_follow_each_other():
    edits = edit(change("a", "label", "x", "y")), edit(change("a", "label", "y", "z"))
    done = reapply([("a", "d", "x")], *edits)
    assert (done.values["label"], done.held) == (["z"], 1)


def test_an_edit_follows_an_image_that_moved():
    rows = [("new/a", "d", "x"), ("b", "d", "x")]
    done = reapply(rows, edit(change("a", "label", "x", "y")), new=["new/a"])
    assert done.values["label"] == ["y", "x"], "not to a row the store had before"
    assert done.history[0].changes == (change("new/a", "label", "x", "y"),)


def test_an_image_that_is_gone_keeps_its_edit():
    done = reapply([("b", "e", "x")], edit(change("a", "label", "x", "y")))
    assert done.values["label"] == ["x"]
    assert done.history[0].changes == (change("a", "label", "x", "y"),)


def test_a_dropped_image_stays_out_until_its_bytes_change():
    drop = edit(change("a", "dropped", "0", ""))
    assert reapply([("a", "d", "x")], drop).dropped == {0}
    assert reapply([("a", "other", "x")], drop).dropped == frozenset()
