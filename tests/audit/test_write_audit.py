from __future__ import annotations

import csv
import json

import numpy as np
from fake_encoder import FakeEncoder
from hostile import hostile_folder
from small_shards import write_shard

from fishembed import run_fit
from fishembed.audit import audit_store, findings, write_audit
from fishembed.cache import FeatureStore
from fishembed.extraction import extract


def test_an_audit_is_a_page_and_tables(planted, workspace):
    photos, store = planted
    run = run_fit(store.path, head="logistic")
    done = audit_store(store, run=run)
    folder = write_audit(done, store)
    assert folder == workspace.joinpath("reports/photos-audit").relative_to(workspace)
    text = (folder / "index.html").read_text(encoding="utf-8")
    assert "data:image/jpeg;base64," in text
    assert "photos-logistic" in text
    told = json.loads((folder / "audit.json").read_text())
    assert told["leaks"]["affected"]["test"]["identical"] == len(photos.pairs["copy"])
    assert told["duplicates"]["identical_groups"] == len(photos.pairs["copy"])
    parts = told["scores"]
    assert parts["all"]["n"] == parts["leaking"]["n"] + parts["clean"]["n"]
    assert parts["leaking"]["n"] == told["leaks"]["affected"]["test"]["any"]
    with (folder / "leaks.csv").open(newline="") as file:
        leaks = {row["path"]: row for row in csv.DictReader(file)}
    for copy, original in photos.pairs["copy"]:
        assert (leaks[copy]["kind"], leaks[copy]["other"]) == ("identical", original)
    with (folder / "balance.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert sum(int(row["images"]) for row in rows) == len(store)
    assert write_audit(done, store).name == "photos-audit-2"


def test_photos_in_tars_are_looked_at_and_shown(workspace):
    write_shard(workspace / "shards/train-0.tar", range(30))
    write_shard(workspace / "shards/test-0.tar", range(20, 40))
    extract(workspace / "shards", encoder=FakeEncoder(16))
    with FeatureStore.open("cache/shards.h5") as store:
        done = audit_store(store)
        text = (write_audit(done, store) / "index.html").read_text(encoding="utf-8")
    assert (done["image_quality"].n_read, done["image_quality"].unread) == (50, ())
    assert "data:image/jpeg;base64," in text


def test_names_are_text_wherever_they_stand(workspace):
    extract(hostile_folder(workspace / "odd"), encoder=FakeEncoder())
    with FeatureStore.open("cache/odd.h5") as store:
        done = audit_store(store, threshold=0.5)
        folder = write_audit(done, store, command="fishembed audit '<b>'")
    text = (folder / "index.html").read_text(encoding="utf-8")
    assert "<script>alert" not in text
    assert "<i>cod" not in text
    assert "&lt;i&gt;cod" in text
    assert "fishembed audit &#39;&lt;b&gt;&#39;" in text
    assert text.count("</script>") == 2
    assert all(line.isprintable() for line in findings(done))


def test_vectors_without_anything_come_out(vectors_store):
    features = np.random.default_rng(0).standard_normal((12, 4)).astype(np.float32)
    place = vectors_store([12], features=features, labels=[-1] * 12, classes=["none"])
    with FeatureStore.open(place) as store:
        done = audit_store(store)
        text = (write_audit(done, store) / "index.html").read_text(encoding="utf-8")
    said = " ".join(findings(done))
    for words in ("'fishembed split' makes them", "fewer than two classes", "does not know them"):
        assert words in said
    assert "12 photos without a label" in text
    assert "There are no photos here: they are not at hand" in text
