from __future__ import annotations

import csv
import os

import numpy as np
import pytest
from small_pictures import contents

from fishembed import import_features, open_store
from fishembed._base.text import is_slip
from fishembed.audit import fix_store, read_fixes
from fishembed.audit.fix import read_decisions
from fishembed.cache import FeatureStore, undo_edit
from fishembed.errors import InputError
from fishembed.experiments.train_test_split import train_test_split


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


@pytest.fixture
def store():
    labels = ["cod"] * 5 + ["eel"] * 5 + [""] * 10
    paths = [f"{i:02d}.jpg" for i in range(20)]
    arrays = {"features": np.eye(20), "labels": labels, "paths": paths}
    text = {"classes": ["cod", "eel"], "text_features": np.eye(2, 20)}
    labels = [{"cod": 0, "eel": 1, "": -1}[name] for name in labels]
    return import_features(arrays | text | {"labels": labels}, "fish.h5")


def table(workspace, name, text):
    place = workspace / name
    place.write_text(text, encoding="utf-8")
    return place


def labels_of(place):
    with open_store(place) as store:
        names = [*store.classes, ""]
        return dict(zip(store.paths, (names[k] for k in store.labels), strict=True))


def test_a_table_is_taken_again_after_further_marks(store, workspace):
    marks = "path,action,new_label\n00.jpg,drop,\n10.jpg,relabel,cod\n"
    fix_store(store, table(workspace, "t.csv", marks))
    again = fix_store(store, table(workspace, "t.csv", marks + "11.jpg,relabel,eel\n"))
    assert [change.path for change in again.changes] == ["11.jpg"]
    assert not fix_store(store, table(workspace, "t.csv", marks)).changes
    assert labels_of(store)["10.jpg"] == "cod"
    with pytest.raises(InputError, match="was dropped"):
        fix_store(store, table(workspace, "t.csv", "path,action,new_label\n00.jpg,relabel,cod\n"))


def test_new_classes_come_in_and_go_with_undo(store, workspace):
    marks = "path,action,new_label\n10.jpg,relabel,barracuda\n11.jpg,new,cods\n"
    fix_store(store, table(workspace, "t.csv", marks))
    with open_store(store) as opened:
        assert opened.classes == ["barracuda", "cod", "cods", "eel"]
        text = opened.text(opened.text_keys[0])
        assert text.features.shape[0] == 4
        assert np.argmax(text.features[1]) == 0
        assert np.argmax(text.features[3]) == 1
        assert text.names[0] == text.names[2] == ""
    assert labels_of(store)["10.jpg"] == "barracuda"
    assert labels_of(store)["05.jpg"] == "eel"
    undo_edit(store)
    with open_store(store) as opened:
        assert opened.classes == ["cod", "eel"]
        assert opened.text(opened.text_keys[0]).features.shape[0] == 2


def test_a_slip_of_the_pen_is_no_new_class(store, workspace):
    raw = store.read_bytes()
    with pytest.raises(InputError, match="did you mean 'cod'"):
        fix_store(store, table(workspace, "t.csv", "path,action,new_label\n10.jpg,relabel,Cod\n"))
    assert store.read_bytes() == raw
    assert not is_slip("species 12", "species 1")
    assert is_slip("chrmois", "chromis")


def test_tables_of_several_people_are_merged(store, workspace):
    head = "path,action,new_label,who,when\n"
    anna = table(workspace, "a.csv", head + "10.jpg,relabel,cod,Anna,2026-01-01T10:00:00Z\n")
    ben = table(
        workspace,
        "b.csv",
        head + "10.jpg,relabel,eel,Ben,2026-01-02T10:00:00Z\n11.jpg,relabel,eel,Ben,\n",
    )
    fix_store(store, [ben, anna])
    assert labels_of(store)["10.jpg"] == "eel"
    with open_store(store) as opened:
        said = {c.path: (c.who, c.decided) for c in opened.history[-1].changes}
    assert said == {"10.jpg": ("Ben", "2026-01-02T10:00:00Z"), "11.jpg": ("Ben", "")}
    cora = table(workspace, "c.csv", head + "11.jpg,relabel,cod,Cora,\n")
    with pytest.raises(InputError, match="decide on one"):
        fix_store(store, [ben, cora])


def test_random_samples_go_to_test_and_hard_ones_never_are_scored(store, workspace):
    head = "path,action,new_label,chosen\n"
    rows = [f"{10 + i}.jpg,relabel,{'cod' if i % 2 else 'eel'},{why}" for i, why in
            enumerate(["uncertain"] * 4 + ["random"] * 4)]  # fmt: skip
    fix_store(
        store, table(workspace, "t.csv", head + "\n".join(rows) + "\n18.jpg,unsure,,random\n")
    )
    with open_store(store) as opened:
        chosen = train_test_split(opened, None, 0)
        assert [opened.paths[row] for row in chosen.scored] == [f"{i}.jpg" for i in range(14, 18)]
        assert {opened.paths[row] for row in chosen.train} == {f"{i:02d}.jpg" for i in range(14)}


def test_nothing_is_asked_for_where_nothing_is_marked(workspace):
    with pytest.raises(InputError, match="asks for nothing"):
        read_decisions(table(workspace, "t.csv", "path,action\na.jpg,unsure\nb.jpg,keep\n"))


def test_hard_ones_are_never_held_out(store, workspace):
    rows = [f"{i}.jpg,relabel,{'cod' if i % 2 else 'eel'},uncertain" for i in range(10, 20)]
    text = "path,action,new_label,chosen\n" + "\n".join(rows) + "\n"
    fix_store(store, table(workspace, "t.csv", text))
    with open_store(store) as opened:
        chosen = train_test_split(opened, None, 0)
        assert chosen.name == "holdout"
        assert len(chosen.scored)
        assert all(int(opened.paths[row][:2]) < 10 for row in chosen.scored)


def test_what_was_guessed_of_a_table_is_said(workspace):
    class Messages:
        said: list[str] = []  # noqa: RUF012 - one test's

        def message(self, text):
            self.said.append(text)

    table = workspace / "t.csv"
    table.write_bytes("path;action;new_label\na.jpg;new;Gründling\nb.jpg;drop\n".encode("cp1252"))
    read_decisions(table, Messages())
    assert "Windows-1252" in Messages.said[0]
    assert "fewer cells than there are columns, the first in line 3" in Messages.said[1]
