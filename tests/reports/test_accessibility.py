"""axe-core finds no fault in any page, in Chromium."""

from __future__ import annotations

import numpy as np
import pytest
from answered_pages import answered_pages
from browser_page import Page, violations
from make_run import NASTY, make_run
from PIL import Image

from fishembed.audit import audit_store, write_audit
from fishembed.cache import FeatureStore, import_features
from fishembed.experiments import compare_runs
from fishembed.images import ImageFiles
from fishembed.reports import write_comparison, write_report
from fishembed.reports.label_sheet import (
    LabelSheet,
    SheetImage,
    SheetSection,
    write_label_sheet,
)
from fishembed.reports.page_template import Tile


def photos(folder, n):
    folder.mkdir(parents=True)
    names = [f"{i}.jpg" for i in range(n)]
    for i, name in enumerate(names):
        Image.new("RGB", (64, 40), (i % 256, 80, 255 - i % 256)).save(folder / name)
    return names


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """The pages by name: reports of several kinds, an audit, a comparison, photos to answer."""
    home = tmp_path_factory.mktemp("pages")
    names = photos(home / "photos", 120)
    known = {"rows": 120, "paths": names, "source_root": home / "photos", "skill": 1}
    run = make_run(home / "fish", n_classes=6, **known)
    other = make_run(home / "other", n_classes=6, seed=0, **(known | {"skill": 2}))
    found = {
        "report": write_report(run, formats=["html"]),
        "two": write_report(make_run(home / "two", n_classes=2, **known), formats=["html"]),
        "nasty": write_report(make_run(home / "nasty", names=NASTY, rows=300), formats=["html"]),
        "many": write_report(make_run(home / "many", n_classes=101, rows=400), formats=["html"]),
        "comparison": write_comparison(compare_runs([run, other]), output=home / "c.html"),
        "audit": audit_page(home, names),
        "photos": home / "label_sheet.html",
    }
    images = [SheetImage(name, "cod", ("eel",), ("line",)) for name in names[:12]]
    sheet = LabelSheet(
        "p",
        ["cod", "eel"],
        [SheetSection("Group", images, "note", names, ["x"])],
        eyebrow="eyebrow",
        headline="Head",
        about="about",
        tiles=[Tile("a", "1")],
        counts=[("cod", 3, 0)],
        problems=[("x", "y")],
    )
    write_label_sheet(found["photos"], sheet, ImageFiles(home / "photos"))
    return found


def audit_page(home, names):
    rng = np.random.default_rng(0)
    labels = np.arange(120) % 3
    means = rng.normal(size=(3, 16))
    X = means[labels] + 0.3 * rng.normal(size=(120, 16))
    X[100:110] = X[:10] + 0.001
    labels[5] = 2
    store = import_features(
        {
            "features": X.astype(np.float32),
            "labels": labels,
            "classes": ["cod", "eel", "ray"],
            "splits": ["train" if i < 90 else "test" for i in range(120)],
            "paths": names,
        },
        home / "s.h5",
    )
    with FeatureStore.open(store) as opened:
        done = audit_store(opened, photos=home / "photos")
        folder = write_audit(done, opened, reports=home / "reports", photos=home / "photos")
    return folder / "index.html"


_OPEN = "document.querySelectorAll('details').forEach((one) => { one.open = true; })"
_LARGE = (
    "const p = document.querySelector('[data-answer], img[data-file], .card'); if (p) p.click()"
)


@pytest.mark.parametrize(
    ("width", "dark", "first"),
    [(1280, False, ""), (390, False, _OPEN), (1280, True, _OPEN), (390, True, ""),
     (1280, False, _LARGE)],
    ids=["desk", "phone", "dark", "dark-phone", "large"],
)  # fmt: skip
@pytest.mark.parametrize(
    "name", ["report", "two", "nasty", "many", "comparison", "audit", "photos"]
)
def test_no_violation(chromium, axe, pages, name, width, dark, first):
    page = Page(chromium, pages[name], width=width, dark=dark)
    page.js(first)
    page.settle()
    assert violations(page, axe) == []


@pytest.fixture(scope="module")
def answered(tmp_path_factory):
    return answered_pages(tmp_path_factory.mktemp("answered"))[1]


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, True)], ids=["desk", "phone"])
@pytest.mark.parametrize("name", ["search", "cluster", "suggest", "predict"])
def test_no_violation_before_and_while_photos_are_answered(
    chromium, axe, answered, name, width, dark
):
    page = Page(chromium, answered[name], width=width, dark=dark)
    page.settle()
    assert violations(page, axe) == []
    page.js(_LARGE)
    page.js("dispatchEvent(new KeyboardEvent('keydown', {key: 'd', bubbles: true}))")
    page.js("dispatchEvent(new KeyboardEvent('keydown', {key: 'o', bubbles: true}))")
    page.settle()
    assert violations(page, axe) == []
    page.js("document.getElementById('answering').close()")
    assert violations(page, axe) == []
