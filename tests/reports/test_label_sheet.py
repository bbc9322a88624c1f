"""The pages that are answered, in a real browser."""

from __future__ import annotations

import csv
import dataclasses
import time

import pytest
from PIL import Image
from test_browser import Page, chromium  # noqa: F401 - a fixture

from fishembed.images import ImageFiles
from fishembed.reports.label_sheet import (
    LabelSheet,
    SheetImage,
    SheetSection,
    write_label_sheet,
)

CLASSES = ["cod", "eel", "<b>pike</b>"]


def sheet(n, folder):
    folder.mkdir(exist_ok=True)
    for i in range(min(n, 8)):
        Image.new("RGB", (60, 40), (30 * i, 90, 200)).save(folder / f"{i}.png")
    images = [
        SheetImage(f"{i}.png", "cod" if i % 2 else "", ("eel", "<b>pike</b>"), (f"line {i}",))
        for i in range(n)
    ]
    members = [f"{i}.png" for i in range(0, n, 2)] + ['far "away",1.png']
    return LabelSheet(
        str(folder),
        CLASSES,
        [SheetSection("Group <1>", images, "", members, ["eel"])],
        eyebrow="eye",
        headline="Head",
    )


@pytest.fixture
def page(chromium, tmp_path):  # noqa: F811
    def load(n=6, **how):
        place = tmp_path / "index.html"
        photos = ImageFiles(tmp_path / "photos")
        write_label_sheet(place, sheet(n, tmp_path / "photos"), photos)
        return Page(chromium, place, **how)

    return load


def press(page, key):
    page.js(
        "const e = new KeyboardEvent('keydown', {key: arguments[0], bubbles: true});"
        " (document.activeElement || document.body).dispatchEvent(e)",
        key,
    )


def decided(page):
    return list(csv.DictReader(page.js("return fishembedAnswers.table()").splitlines()))


def test_keys_answer_and_undo_takes_back(page):
    opened = page()
    opened.click(".card")
    for key in ("r", "r", "d", "u", "1"):
        press(opened, key)
    rows = decided(opened)
    assert [(row["path"], row["action"], row["new_label"]) for row in rows] == [
        ("0.png", "relabel", "eel"),
        ("1.png", "keep", ""),
        ("2.png", "drop", ""),
        ("3.png", "unsure", ""),
        ("4.png", "relabel", "<b>pike</b>"),
    ]
    press(opened, "z")
    assert len(decided(opened)) == 4
    assert opened.console() == []


def test_another_class_by_its_first_letters_or_a_new_one(page):
    opened = page()
    opened.click(".card")
    for typed in ("pi", "barracuda"):
        press(opened, "o")
        opened.js(
            "const f = document.activeElement; f.value = arguments[0];"
            " f.dispatchEvent(new Event('input', {bubbles: true}))",
            typed,
        )
        press(opened, "Enter")
    rows = decided(opened)
    assert [(row["action"], row["new_label"]) for row in rows] == [
        ("relabel", "<b>pike</b>"),
        ("new", "barracuda"),
    ]


def test_decisions_survive_a_reload_and_a_group_is_named(page):
    opened = page()
    opened.click(".card")
    press(opened, "d")
    opened.js("document.querySelector('#answering').close()")
    opened.js("document.querySelectorAll('.naming button')[1].click()")
    before = decided(opened)
    opened.driver.refresh()
    assert decided(opened) == before
    named = [row["path"] for row in before if row["chosen"] == "cluster"]
    assert named == ["2.png", "4.png", 'far "away",1.png']


def test_a_page_made_after_the_fix_does_not_show_what_is_done(page, tmp_path):
    opened = page()
    opened.click(".card")
    for key in ("r", "r", "1"):  # 0.png is an eel, 1.png a cod, 2.png an eel
        press(opened, key)
    fixed = sheet(6, tmp_path / "photos")
    first = dataclasses.replace(fixed.sections[0].images[0], label="eel")
    images = [first, *fixed.sections[0].images[1:]]
    section = dataclasses.replace(fixed.sections[0], images=images)
    write_label_sheet(
        tmp_path / "index.html",
        dataclasses.replace(fixed, sections=[section]),
        ImageFiles(tmp_path / "photos"),
    )
    opened.driver.refresh()
    assert [(row["path"], row["action"]) for row in decided(opened)] == [
        ("1.png", "keep"),
        ("2.png", "relabel"),
    ]


@pytest.mark.parametrize("dark", [False, True])
def test_it_fits_a_phone_and_markup_in_names_is_text(page, dark):
    opened = page(width=390, dark=dark)
    assert opened.js("return document.documentElement.scrollWidth") <= 390
    opened.click(".card")
    opened.settle()
    assert opened.js("return document.documentElement.scrollWidth") <= 390
    assert opened.js("return document.querySelectorAll('#answering b').length") == 0
    assert not [url for url in opened.requested() if url.startswith("http")]


def test_ten_thousand_images_are_made_when_they_come_near(page):
    began = time.perf_counter()
    opened = page(n=10_000)
    assert time.perf_counter() - began < 60
    assert opened.js("return document.querySelectorAll('.card').length") < 1500
    for _ in range(4):
        opened.js("scrollTo({top: document.body.scrollHeight, behavior: 'instant'})")
        opened.settle()
    assert opened.js("return document.querySelector('[data-number=\"9999\"]') !== null")
    took = opened.js(
        "fishembedAnswers; document.querySelector('.card').click(); const t = performance.now();"
        " for (let i = 0; i < 500; i += 1) document.dispatchEvent(new KeyboardEvent('keydown',"
        " {key: 'd', bubbles: true})); return performance.now() - t"
    )
    assert len(decided(opened)) == 500
    assert took < 30_000
