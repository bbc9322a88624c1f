# ruff: noqa: F811 - a fixture that is imported
"""The page in a real browser: it loads nothing, runs only its own script, and answers."""

from __future__ import annotations

import pytest
from browser_page import Page, _missing, chromium  # noqa: F401 - others import them from here
from make_run import NASTY, make_run
from PIL import Image

from fishembed.experiments import compare_runs
from fishembed.reports import write_comparison, write_report


@pytest.fixture(scope="module")
def fish(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fish")
    photos = folder / "photos"
    photos.mkdir()
    paths = [f"{i}.jpg" for i in range(120)]
    for i, path in enumerate(paths):
        Image.new("RGB", (64, 40), (i, 80, 255 - i)).save(photos / path)
    run = make_run(folder / "run", n_classes=6, rows=120, paths=paths, source_root=photos, skill=1)
    return write_report(run, formats=["html"])


@pytest.fixture(scope="module")
def nasty(tmp_path_factory):
    run = make_run(tmp_path_factory.mktemp("nasty") / "run", names=NASTY, rows=300, skill=1)
    return write_report(run, formats=["html"])


@pytest.mark.parametrize("dark", [False, True])
def test_no_error_and_no_request(chromium, fish, dark):
    page = Page(chromium, fish, dark=dark)
    assert page.console() == []
    left = [url for url in page.requested() if not url.startswith(("file:", "data:"))]
    assert left == []
    assert page.js("return [...document.images].every((i) => i.complete && i.naturalWidth > 0)")
    assert page.js("return document.images.length") > 20


def test_markup_in_names_stays_text(chromium, nasty):
    page = Page(chromium, nasty)
    assert page.console() == []
    assert page.js("return window.hacked") is None
    assert page.js("return document.scripts.length") == 2
    assert page.js("return document.querySelectorAll('img[src=x]').length") == 0
    names = page.js("return data.matrix.names")
    assert "<script>window.hacked = 1</script>" in names
    shown = page.each("#every-class th[scope=row]", "e.textContent")
    assert set(names) <= set(shown)


def test_the_policy_stops_any_other_script(chromium, fish):
    page = Page(chromium, fish)
    page.js(
        "const s = document.createElement('script'); s.textContent = 'window.hacked = 1';"
        " document.body.append(s)"
    )
    assert page.js("return window.hacked") is None


def test_the_matrix_tells_its_numbers(chromium, fish):
    page = Page(chromium, fish)
    names, totals, cells = page.js(
        "return [data.matrix.names, data.matrix.totals, data.matrix.cells]"
    )
    row, column, count = next(
        cells[i : i + 3] for i in range(0, len(cells), 3) if cells[i] != cells[i + 1]
    )
    x, y, width, height = page.box("#matrix")
    share = int(100 * count / totals[row] + 0.5)
    said = f"{names[row]}, identified as {names[column]}: {count} of {totals[row]} ({share}%)"
    seen = {
        page.move_to(x + fx, y + fy)
        for fx in range(4, int(width), 30)
        for fy in range(4, int(height), 30)
    }
    assert said in seen
    page.move_to(2, 2)
    assert page.js("return tip.hidden")


def test_the_matrix_can_be_walked_by_keys(chromium, fish):
    page = Page(chromium, fish)
    page.js("document.getElementById('matrix').focus()")
    for _ in range(2):
        page.cdp("Input.dispatchKeyEvent", type="keyDown", key="ArrowRight")
    first, second = page.js("return data.matrix.names.slice(0, 2)")
    assert page.js("return tip.textContent").startswith(f"{first}, identified as {second}: ")


def test_points_tell_their_class(chromium, fish):
    page = Page(chromium, fish)
    page.box("#recall_by_training")
    marks = "#recall_by_training [data-tip]"
    corners = page.each(
        marks, "[e.getBoundingClientRect()].map((b) => [b.left, b.right, b.top, b.bottom])[0]"
    )
    left, right, top, bottom = corners[0]
    assert "training photos" in page.move_to((left + right) / 2, (top + bottom) / 2)
    assert page.each(marks, "e.dataset.tip") == page.js("return data.tips.recall_by_training")


def test_the_table_sorts_and_filters(chromium, fish):
    page = Page(chromium, fish)
    column = ("#every-class tbody :nth-child(4)[data-value]", "Number(e.dataset.value)")
    button = "document.querySelectorAll('#every-class th button')[3].click()"
    page.js(button)
    assert page.each(*column) == sorted(page.each(*column), reverse=True)
    page.js(button)
    assert page.each(*column) == sorted(page.each(*column))
    page.js(
        "const f = document.querySelector('[data-filters]'); f.value = 'SPECIES 003';"
        " f.dispatchEvent(new Event('input'))"
    )
    shown = page.each("#every-class tbody tr:not([hidden])", "e.textContent")
    assert shown
    assert all("species 003" in text for text in shown)


def test_counts_and_shares_can_be_switched(chromium, fish):
    page = Page(chromium, fish)
    before = page.js("return matrixCanvas.toDataURL()")
    # Classes are uneven here: shares are what is shown first.
    assert page.js("return document.querySelector('[data-show=shares]').ariaPressed") == "true"
    page.js("document.querySelector('[data-show=counts]').click()")
    assert page.js("return matrixCanvas.toDataURL()") != before
    assert page.js("return document.querySelector('[data-show=counts]').ariaPressed") == "true"


@pytest.mark.parametrize("which", ["fish", "nasty"])
def test_a_phone_does_not_scroll_sideways(chromium, which, request):
    page = Page(chromium, request.getfixturevalue(which), width=390)
    assert page.js("return document.documentElement.scrollWidth") == 390
    assert page.js("return document.body.scrollWidth") <= 390
    assert page.console() == []


def test_a_comparison_is_as_quiet(chromium, fish, tmp_path):
    other = make_run(
        tmp_path / "other", n_classes=6, rows=120, paths=[f"{i}.jpg" for i in range(120)], seed=0
    )
    page = Page(
        chromium,
        write_comparison(compare_runs([fish.parent, other]), output=tmp_path / "c.html"),
        width=390,
    )
    assert page.console() == []
    assert all(url.startswith(("file:", "data:")) for url in page.requested())
    assert page.js("return document.images.length") > 5
    assert page.js("return document.documentElement.scrollWidth") == 390
