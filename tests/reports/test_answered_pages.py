"""One component answers the photos of all pages: the same keys, and a table that `fix` takes."""

from __future__ import annotations

import csv
import shutil
import time

import pytest
from answered_pages import PAGES, answered_pages
from browser_page import Page

from fishembed import open_store
from fishembed.audit import fix_store
from fishembed.cache import export_manifest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return answered_pages(tmp_path_factory.mktemp("answered"))


def press(page, key):
    page.js(
        "const e = new KeyboardEvent('keydown', {key: arguments[0], bubbles: true});"
        " (document.activeElement || document.body).dispatchEvent(e)",
        key,
    )


def first_photo(page):
    page.click(".card, [data-answer]")
    assert page.js("return document.getElementById('answering').open")


def decided(page):
    return list(csv.DictReader(page.js("return fishembedAnswers.table()").splitlines()))


def rows_of(table):
    return list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))


def downloaded(page, folder):
    """Press the button as a person does, and return the file."""
    folder.mkdir()
    page.cdp("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder))
    page.js("document.getElementById('answering').close()")
    page.js("document.getElementById('download').click()")
    for _ in range(200):
        if (folder / "decisions.csv").is_file():
            return folder / "decisions.csv"
        time.sleep(0.05)
    pytest.fail("nothing was downloaded")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_answered_by_keys_and_its_table_fixes_the_store(chromium, made, tmp_path, name):
    store, pages = made
    page = Page(chromium, pages[name])
    page.js("localStorage.clear()")
    first_photo(page)
    for key in ("u", "d"):
        press(page, key)
    press(page, "o")
    page.js(
        "const f = document.activeElement; f.value = 'barracuda <b>';"
        " f.dispatchEvent(new Event('input', {bubbles: true}))"
    )
    press(page, "Enter")
    press(page, "r")
    assert [row["action"] for row in decided(page)][:3] == ["unsure", "drop", "new"]
    press(page, "z")
    page.js(
        "const f = document.querySelector('input.who'); f.value = 'Anna';"
        " f.dispatchEvent(new Event('input', {bubbles: true}))"
    )
    before = decided(page)
    assert [row["new_label"] for row in before] == ["", "", "barracuda <b>"]
    page.driver.refresh()
    assert decided(page) == before

    table = downloaded(page, tmp_path / "saved")
    assert rows_of(table) == before
    copy = shutil.copy(store, tmp_path / "copy.h5")
    fix_store(copy, table)
    assert not fix_store(copy, table).changes  # what is done is skipped
    with open_store(copy) as opened:
        said = {(change.who, change.decided[:2]) for change in opened.history[-1].changes}
        assert said == {("Anna", "20")}
        manifest = export_manifest(opened, tmp_path / "corrected.csv")
    label = {row["path"]: row["label"] for row in rows_of(manifest)}
    unsure, dropped, new = (row["path"] for row in before)
    assert unsure in label
    assert dropped not in label
    assert label[new] == "barracuda <b>"

    assert page.console() == []
    assert page.js("return window.hacked") is None
    assert not [url for url in page.requested() if url.startswith("http")]


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_a_phone_while_it_is_answered(chromium, made, name, dark):
    page = Page(chromium, made[1][name], width=390, dark=dark)
    assert page.js("return document.documentElement.scrollWidth") <= 390
    first_photo(page)
    page.settle()
    assert page.js("return document.documentElement.scrollWidth") <= 390
    assert page.js("return document.getElementById('answering').scrollWidth") <= 390
    assert page.js("return document.querySelector('#answering .photo img').naturalWidth") > 0
    assert page.js("return window.hacked") is None
