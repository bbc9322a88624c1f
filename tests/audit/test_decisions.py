from __future__ import annotations

import numpy as np
import pytest

from fishembed import import_features, open_store
from fishembed.audit import fix_store
from fishembed.audit.decisions import read_decisions
from fishembed.cache import undo_edit
from fishembed.cache.new_classes import is_slip
from fishembed.errors import InputError
from fishembed.experiments.train_test_split import train_test_split


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
