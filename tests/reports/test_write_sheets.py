from __future__ import annotations

import numpy as np

from fishembed import import_features, predict_run, run_fit
from fishembed.experiments.predicting.predicted_images import UNDECIDED, people_rows
from fishembed.reports.write_sheets import write_contact_sheet

NAMES = ["Lutjanus kasmira", "Lutjanus gibbus", "Gadus morhua"]


def test_what_no_rank_is_sure_of_stands_under_what_it_is_most_like(workspace):
    rng = np.random.default_rng(0)
    codes = np.arange(90) % 3
    X = np.eye(3)[codes] + 0.3 * rng.normal(size=(90, 3))
    store = import_features({"features": X, "labels": codes, "classes": NAMES}, "f.h5")
    run = run_fit(store, head="centroid", reports="reports")
    (workspace / "taxa.csv").write_text(
        "class,genus\n" + "".join(f"{name},{name.split()[0]}\n" for name in NAMES)
    )
    found = predict_run(run, ["f.h5"], unknown=False, taxonomy="taxa.csv", floor=0.999999)
    undecided = [one for one in found.predictions if one.taxon[0] == "any"]
    assert undecided
    rows = {row.file: row for row in people_rows(found)}
    assert {rows[one.path].species for one in undecided} == {UNDECIDED}
    assert all(rows[one.path].look == "yes" for one in undecided)
    assert all(rows[one.path].second == one.classes[0] for one in undecided)
    page = write_contact_sheet(found, run, workspace / "sheet.html").read_text()
    assert ">any<" not in page
    assert '"any"' not in page
    assert "Lutjanus gibbus" in page
    higher = {one.taxon[1] for one in found.predictions if one.taxon[0] == "genus"}
    assert higher == {"Lutjanus sp."}
    assert "90 photos of 3 species and 1 higher taxon; look at" in page
