from __future__ import annotations

import csv
import html
import json
import re

import numpy as np
import pytest
from fake_encoder import FakeEncoder
from hostile import hostile_folder
from small_shards import write_shard

from fishembed import run_fit
from fishembed._base.csv_files import write_csv
from fishembed.audit import audit_store, findings, fix_store, write_audit
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


@pytest.fixture
def page(planted, workspace):
    """An audit, and its page, of a store in which two labels were swapped."""
    _, store = planted
    swapped = ["train/class 1/001.png", "train/class 2/002.png"]
    rows = [(path, "relabel", "class 3") for path in swapped]
    write_csv(workspace / "swap.csv", ["path", "action", "new_label"], rows)
    fix_store(store.path, workspace / "swap.csv")
    with FeatureStore.open(store.path) as opened:
        done = audit_store(opened)
        folder = write_audit(done, opened, command="fishembed audit")
        first = done["labels"].found[0]
        wrong = opened.paths[first.row], opened.classes[first.given], opened.classes[first.likely]
    return done, (folder / "index.html").read_text(encoding="utf-8"), wrong


def actions(text):
    head = re.search(r'<h1 id="verdict".*?</h1>', text, flags=re.DOTALL)[0]
    return [(to, html.unescape(words)) for to, words in re.findall(r'#([\w-]+)">(.*?)</a>', head)]


def test_it_leads_with_what_to_do_each_a_link(page):
    done, text, _ = page
    found = dict(actions(text))
    leaking = len(done["leaks"].rows("test"))
    assert found["leaks"].lower() == f"divide again: {leaking} test photos leak"
    assert found["labels"].lower().startswith("check ")
    assert set(found) <= set(re.findall(r'<section id="([^"]+)"', text))


def test_what_leaks_much_comes_first(page):
    assert actions(page[1])[0][0] == "leaks"


def test_sections_stand_in_the_order_of_use(page):
    sections = re.findall(r'<section id="([^"]+)"', page[1])
    assert sections == ["leaks", "labels", "unusual", "near-identical", "balance", "made"]
    navigation = re.search(r'<nav id="parts".*?</nav>', page[1], flags=re.DOTALL)[0]
    assert re.findall(r'href="#([^"]+)"', navigation) == sections


def test_photos_have_their_file_names_and_can_be_answered(page):
    _, text, (path, given, likely) = page
    data = json.loads(re.search(r'id="data">(.*?)</script>', text, flags=re.DOTALL)[1])
    images = data["answering"]["images"]
    shown = re.findall(r'data-file="([^"]+)" data-answer="(\d+)"', text)
    assert shown
    for file, number in shown:
        assert html.unescape(file) == images[int(number)]["path"]
        name = file.rsplit("/", 1)[-1]
        assert f'<span class="file"><bdi>{name}</bdi></span>' in text
    wrong = next(image for image in images if image["path"] == path)
    assert (wrong["label"], wrong["guesses"]) == (given, [likely])


def test_a_suspicious_label_says_what_is_likely_and_how_likely(page):
    assert re.search(r"likely <b><bdi>[^<]+</bdi></b> \(\d+%\)", page[1])


def test_three_strips_of_near_identical_photos_are_open_the_rest_folded(page):
    done, text, _ = page
    section = re.search(r'<section id="near-identical">.*?</section>', text, flags=re.DOTALL)[0]
    before, _, folded = section.partition("<details>")
    n = min(len(done["duplicates"].groups), 12) + min(len(done["duplicates"].scenes), 6)
    assert n > 3
    assert before.count('<div class="copies">') == 3
    assert folded.count('<div class="copies">') == n - 3


def test_commands_name_the_store(page, workspace):
    assert re.search(r"fishembed split \S*photos\.h5 --group-duplicates", page[1])
    assert re.search(r"fishembed fix \S*photos\.h5 decisions\.csv", page[1])
