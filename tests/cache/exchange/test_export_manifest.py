from __future__ import annotations

import numpy as np
import pytest

from fishembed import import_features, open_store
from fishembed._base.tables.csv_files import CsvTable
from fishembed.audit import fix_store
from fishembed.cache import export_manifest
from fishembed.cli import main


def test_corrected_labels_come_back_as_a_table(workspace):
    paths = ["a.jpg", "b.jpg", "c.jpg"]
    arrays = {"features": np.eye(3), "labels": ["cod", "eel", ""], "paths": paths}
    place = import_features(arrays, "f.h5")
    table = workspace / "t.csv"
    table.write_text("path,action,new_label\nc.jpg,relabel,pike\nb.jpg,drop,\n", encoding="utf-8")
    fix_store(place, table)
    with open_store(place) as store:
        target = export_manifest(store, workspace / "out" / "labels.csv")
    rows = [row for _, row in CsvTable(target)]
    assert [(row["path"], row["label"]) for row in rows] == [("a.jpg", "cod"), ("c.jpg", "pike")]


def test_the_verb_writes_it(workspace, capsys):
    place = import_features({"features": np.eye(3), "labels": ["cod", "eel", ""]}, "f.h5")
    with pytest.raises(SystemExit, match=r"^0$"):
        main(["export", "labels.csv", "--store", str(place), "--format", "manifest", "--json"])
    assert '"rows": 3' in capsys.readouterr().out
    text = (workspace / "labels.csv").read_text(encoding="utf-8-sig")
    assert text.startswith("path,label,split,group")
