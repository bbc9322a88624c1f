"""What a reader does with a report and an audit, in a real browser."""

from __future__ import annotations

import pytest
from make_run import make_run
from PIL import Image
from test_browser import Page, chromium  # noqa: F401 - a fixture

from fishembed import import_features
from fishembed.audit.fix import read_decisions
from fishembed.reports import write_report

NAMES = [f"genus{i} species{i}" for i in range(6)]


@pytest.fixture(scope="module")
def fish(tmp_path_factory):
    """A report with photos and a map, of a run with groups."""
    import numpy as np

    folder = tmp_path_factory.mktemp("fish")
    (folder / "photos").mkdir()
    paths = [f"{i:03d}.jpg" for i in range(160)]
    for i, path in enumerate(paths):
        Image.new("RGB", (64, 40), (i, 80, 255 - i)).save(folder / "photos" / path)
    X = np.random.default_rng(0).normal(size=(160, 8)).astype(np.float32)
    store = import_features({"features": X, "paths": paths}, folder / "fish.h5")
    run = make_run(
        folder / "run",
        names=NAMES,
        rows=160,
        paths=paths,
        source_root=folder / "photos",
        store=store,
        skill=1,
        groups=[f"track {i // 2}" for i in range(160)],
    )
    return write_report(run, formats=["html"])


@pytest.fixture
def page(chromium, fish):  # noqa: F811
    opened = Page(chromium, fish)
    yield opened
    opened.js("localStorage.clear()")
    assert opened.console() == []


_CODES = {"Escape": 27, "Enter": 13}


def key(page, name):
    for kind in ("rawKeyDown", "keyUp"):
        page.cdp(
            "Input.dispatchKeyEvent",
            type=kind, key=name, code=name, windowsVirtualKeyCode=_CODES.get(name, 0),
        )  # fmt: skip
    page.settle()


def test_the_first_screen_holds_sentence_figures_photos_and_trust(page):
    bottom = page.js(
        "return Math.max(...['#verdict', '.keys', '.worst img', '#ask-answer'].map((one) =>"
        " document.querySelector(one).getBoundingClientRect().bottom))"
    )
    assert bottom < 900
    assert len(page.js("return document.querySelector('#verdict').textContent").split()) <= 15
    assert page.js("return document.querySelectorAll('.worst img').length") == 3
    assert page.js("return document.querySelectorAll('.key .guess').length") == 3


def test_on_a_phone_the_first_photo_is_in_the_first_screen(chromium, fish):  # noqa: F811
    page = Page(chromium, fish, width=390)
    top = page.js("return document.querySelector('.worst img').getBoundingClientRect().bottom")
    assert top < 844


def test_the_navigation_stays_in_sight_and_marks_the_part(page):
    for part in ("species", "made"):
        page.js("document.getElementById(arguments[0]).scrollIntoView({behavior: 'instant'})", part)
        page.settle()
        page.settle()
        assert page.js("return document.querySelector('#parts').getBoundingClientRect().top") == 0
        assert page.js("return document.querySelector('#parts [aria-current]').hash") == f"#{part}"


def test_a_name_is_asked_about(page):
    last = page.js("return document.querySelectorAll('#ask option').length - 1")
    page.js(
        "const menu = document.getElementById('ask'); menu.value = arguments[0];"
        " menu.dispatchEvent(new Event('change'))",
        str(last),
    )
    verdict, words = page.js("return data.answers[arguments[0]]", last)
    assert page.js("return document.getElementById('ask-answer').textContent") == (
        f"{verdict} {words}"
    )


def test_photos_open_large_by_click_and_enter_and_close_by_escape(page):
    page.js("document.querySelector('.worst img').click()")
    assert page.js("return document.querySelector('#answering').open")
    shown = "return document.querySelector('#answering .file').textContent"
    first = page.js(shown)
    assert first == page.js("return document.querySelector('.worst img').dataset.file")
    large = page.js("return document.querySelector('#answering .photo img').src")
    assert large.startswith("file:")
    key(page, "ArrowRight")
    assert page.js(shown) != first
    key(page, "ArrowLeft")
    assert page.js(shown) == first
    key(page, "Escape")
    assert not page.js("return document.querySelector('#answering').open")
    page.js("document.querySelectorAll('.worst img')[1].focus()")
    key(page, "Enter")
    assert page.js(shown) == page.js(
        "return document.querySelectorAll('.worst img')[1].dataset.file"
    )


def test_a_click_on_a_cell_shows_its_photos(page):
    row, column, number = page.js("return data.matrix.photos.slice(0, 3)")
    left, top, width, _ = page.box("#matrix")
    names = page.js("return data.matrix.names")
    wanted = f"{names[row]}, identified as {names[column]}: "
    for y in range(6, int(width), 8):
        for x in range(6, int(width), 8):
            if (page.move_to(left + x, top + y) or "").startswith(wanted):
                break
        else:
            continue
        break
    page.cdp("Input.dispatchMouseEvent", type="mousePressed", x=left + x, y=top + y,
             button="left", clickCount=1)  # fmt: skip
    page.cdp("Input.dispatchMouseEvent", type="mouseReleased", x=left + x, y=top + y,
             button="left", clickCount=1)  # fmt: skip
    page.settle()
    assert page.js("return document.querySelector('#cell h3').textContent").startswith(wanted)
    numbers = page.each("#cell img", "Number(e.dataset.answer)")
    assert number in numbers
    assert page.js("return [...document.querySelectorAll('#cell img')].every((i) => i.src)")
    page.js("document.querySelector('#cell img').click()")
    assert page.js("return document.querySelector('#answering').open")


def test_by_keys_a_cell_shows_its_photos_too(page):
    page.js("document.getElementById('matrix').focus()")
    key(page, "ArrowRight")
    key(page, "Enter")
    first = page.js("return data.matrix.names[0]")
    said = page.js("return document.querySelector('#cell h3').textContent")
    assert said.startswith(f"{first}, identified as {first}: ")


def test_the_bar_for_accepting_moves(page):
    page.js(
        "const bar = document.getElementById('accept'); bar.value = 50;"
        " bar.dispatchEvent(new Event('input'))"
    )
    n, right, total = page.js("return [data.accept.n[50], data.accept.right[50], data.accept.n[0]]")
    said = page.js("return document.getElementById('accept-says').textContent")
    assert said.startswith(f"Accept above 50%: {100 * n / total:.0f}% of the photos, ")
    assert f"{100 * right / n:.0f}" in said


def test_a_point_is_named_by_a_click(page):
    before = page.js("return document.querySelectorAll('.named-point').length")
    assert before
    named = page.js("return data.named")
    other = next(i for i in range(6) if i not in named)
    page.js(
        "document.querySelectorAll('#recall_by_training [data-tip]')[arguments[0]]"
        ".dispatchEvent(new MouseEvent('click', {bubbles: true}))",
        other,
    )
    texts = page.each(".named-point", "e.textContent")
    assert len(texts) == before + 1
    assert set(texts) <= set(NAMES)


def test_the_map_shows_photos_on_hover_and_opens_them(page):
    page.js("document.getElementById('map').scrollIntoView({block: 'center', behavior: 'instant'})")
    page.js("document.getElementById('map').focus()")
    key(page, "ArrowRight")
    assert page.js("return tip.querySelector('img').src").startswith("data:image/")
    assert page.js("return tip.textContent").split(",")[0] in NAMES
    key(page, "Enter")
    assert page.js("return document.querySelector('#answering').open")
    key(page, "Escape")
    assert page.js("return document.activeElement.id") == "map"


def test_species_without_fault_unfold(chromium, tmp_path):  # noqa: F811
    run = make_run(tmp_path / "run", n_classes=8, rows=200, skill=3)
    page = Page(chromium, write_report(run, formats=["html"]))
    rows = "return [...document.querySelectorAll('#every-class tbody tr')].filter((e) => e.offsetParent).length"  # noqa: E501
    folded = page.js("return document.querySelectorAll('.faultless').length")
    assert folded
    before = page.js(rows)
    page.js("document.querySelector('[data-unfolds]').click()")
    assert page.js(rows) == before + folded
    assert page.js("return document.querySelector('[data-unfolds]').ariaExpanded") == "true"


def test_where_all_are_without_fault_none_is_folded(chromium, tmp_path):  # noqa: F811
    run = make_run(tmp_path / "run", n_classes=8, rows=200, skill=9)
    page = Page(chromium, write_report(run, formats=["html"]))
    shown = "return [...document.querySelectorAll('.faultless')].filter((e) => e.offsetParent)"
    assert page.js(f"{shown}.length") == 8
    assert page.js("return document.querySelector('[data-unfolds]')") is None


def test_decisions_are_the_table_that_fix_takes(page, tmp_path):
    page.js("document.querySelector('.worst img').click()")
    for name in ("r", "1", "d", "u"):
        key(page, name)
    key(page, "Escape")
    place = tmp_path / "decisions.csv"
    place.write_text(page.js("return fishembedAnswers.table()"), encoding="utf-8")
    actions = [one.action for one in read_decisions(place)]
    assert actions == ["relabel", "drop"]
    assert page.js("return document.querySelectorAll('.worst .answered').length") == 3
    bar = "return getComputedStyle(document.getElementById('answerbar')).position"
    assert page.js(bar) == "sticky"
    assert page.js("return document.getElementById('download').textContent") == "Download decisions"


def test_paper_shows_what_is_folded(page):
    page.cdp("Emulation.setEmulatedMedia", media="print", features=[])
    page.js("dispatchEvent(new Event('beforeprint'))")
    assert page.js("return [...document.querySelectorAll('details')].every((e) => e.open)")
    assert page.js("return getComputedStyle(document.getElementById('parts')).display") == "none"
    page.js("dispatchEvent(new Event('afterprint'))")
    assert not page.js("return [...document.querySelectorAll('details')].some((e) => e.open)")
