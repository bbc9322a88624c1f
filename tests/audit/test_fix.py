from __future__ import annotations

import csv
import os

import numpy as np
import pytest
from small_pictures import contents

from fishembed import import_features
from fishembed.audit import fix_store, read_fixes
from fishembed.cache import FeatureStore, undo_edit
from fishembed.errors import InputError


def write(place, text):
    place.write_bytes(text.encode("utf-8", "surrogateescape"))
    return place


def test_a_reviewed_table_is_applied_and_taken_back(vectors_store, workspace):
    place = vectors_store([6, 6], classes=["cod", "eel"])
    before = contents(place)
    table = write(
        workspace / "t.csv",
        "path,likely_label,action,new_label\n0000.png,eel,relabel,eel\n0001.png,eel,,eel\n"
        "0002.png,eel,Drop ,\n0003.png,eel,keep,\n",
    )
    edit = fix_store(place, table, command="fishembed fix")
    assert edit.summary() == "1 label, 1 image dropped"
    with FeatureStore.open(place) as store:
        assert "0002.png" not in store.paths
        assert store.labels[0] == 1
        assert [(one.verb, one.command) for one in store.history] == [("fix", "fishembed fix")]
    undo_edit(place)
    assert contents(place) == before


def test_tables_of_a_spreadsheet_and_odd_names(workspace):
    odd = os.fsdecode(b"latin\xe9;1.png")
    table = write(workspace / "t.csv", f'\ufeffaction;path\r\ndrop;"{odd}"\r\n;b.png\r\n')
    assert read_fixes(table) == [(odd, "dropped", "")]


@pytest.mark.parametrize("codec", ["cp1252", "utf-16", "utf-8-sig"])
def test_a_table_that_a_spreadsheet_saved_again(workspace, codec):
    import_features(
        {
            "features": np.eye(4),
            "labels": ["Hai", "Zährte"] * 2,
            "paths": ["Zährte/0", "b", "=c", "d"],
        },
        workspace / "s.h5",
    )
    text = "sep=;\r\npath;action;new_label\r\nZährte\\0;relabel;Zährte\r\n'=c;drop;\r\nd;NaN;NA\r\n"
    (workspace / "t.csv").write_bytes(text.encode(codec))
    fix_store(workspace / "s.h5", workspace / "t.csv")
    with FeatureStore.open(workspace / "s.h5") as store:
        assert store.paths == ["Zährte/0", "b", "d"]
        assert [store.classes[label] for label in store.labels] == ["Zährte", "Zährte", "Zährte"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("path,label\na.png,x\n", "no column 'action'"),
        ("", "no column 'path'"),
        ("path,action\n0000.png,\n", "asks for nothing"),
        ("path,action\n0000.png,delete\n", "line 2: the action 'delete' is unknown"),
        ("path,action\n0000.png,relabel\n", "write the class into 'new_label'"),
        ("path,action\n,drop\n", "line 2: the path is empty"),
        ("path,action\nnope.png,drop\n", "no image 'nope.png'"),
        ("path,action,new_label\n0000.png,relabel,el\n", "did you mean 'eel'"),
        ("path,action,new_label\n0000.png,drop,\n0000.png,relabel,eel\n", "both dropped and"),
    ],
)
def test_tables_that_cannot_be_used_change_nothing(vectors_store, workspace, text, said):
    place = vectors_store([6, 6], classes=["cod", "eel"])
    raw = place.read_bytes()
    with pytest.raises(InputError, match=said):
        fix_store(place, write(workspace / "t.csv", text))
    assert place.read_bytes() == raw


def test_a_table_that_is_not_there(vectors_store, workspace):
    with pytest.raises(InputError, match="cannot read"):
        fix_store(vectors_store([6, 6]), workspace / "none.csv")


def test_an_audits_own_table_needs_only_the_action(vectors_store, workspace):
    from fishembed.audit import audit_store, write_audit

    labels = [0] * 30 + [1] * 30
    labels[3], labels[40] = 1, 0
    place = vectors_store([30, 30], labels=labels, classes=["cod", "eel"], spread=0.2)
    with FeatureStore.open(place) as store:
        folder = write_audit(audit_store(store, read_photos=False), store)
    with (folder / "label_errors.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["path"] for row in rows} == {"0003.png", "0040.png"}
    with (folder / "label_errors.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows({**row, "action": "relabel"} for row in rows)
    fix_store(place, folder / "label_errors.csv")
    with FeatureStore.open(place) as store:
        assert store.labels.tolist() == [0] * 30 + [1] * 30
