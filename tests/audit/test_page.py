"""The audit's page says first what to do, and leads there."""

from __future__ import annotations

import html
import json
import re

import pytest

from fishembed._base.csv_files import write_csv
from fishembed.audit import audit_store, fix_store, write_audit
from fishembed.cache import FeatureStore


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
