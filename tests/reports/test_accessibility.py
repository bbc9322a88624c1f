"""axe-core finds no fault in any page, in Chromium.

axe-core is not part of this repository: FISHEMBED_AXE names its `axe.min.js`, or a package that
carries it is installed (axe-playwright-python, axe-core-python).
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from make_run import NASTY, make_run
from PIL import Image
from test_browser import Page, _missing, chromium  # noqa: F401 - a fixture

from fishembed.audit import audit_store, write_audit
from fishembed.cache import FeatureStore, import_features
from fishembed.experiments import compare_runs
from fishembed.images import ImageFiles
from fishembed.reports import write_comparison, write_report
from fishembed.reports.answering import AnswerImage, AnswerSection, AnswerSheet
from fishembed.reports.page.photo_page import PhotoPage, write_photo_page
from fishembed.reports.shared_page_parts import Tile

_CARRIERS = ("axe_playwright_python", "axe_core_python")
_RUN = (
    "const done = arguments[0];"
    " axe.run(document).then((found) => done(found.violations.map((one) =>"
    " [one.id, one.help, one.nodes.map((node) => node.html.slice(0, 200))])))"
)


@pytest.fixture(scope="module")
def axe():
    place = os.environ.get("FISHEMBED_AXE")
    if place:
        return Path(place).read_text(encoding="utf-8")
    for name in _CARRIERS:
        spec = find_spec(name)
        for folder in (spec and spec.submodule_search_locations) or ():
            if (Path(folder) / "axe.min.js").is_file():
                return (Path(folder) / "axe.min.js").read_text(encoding="utf-8")
    _missing("axe-core is not here: FISHEMBED_AXE names no axe.min.js")
    raise AssertionError


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
        "photos": home / "photos.html",
    }
    images = [AnswerImage(name, "cod", ("eel",), ("line",)) for name in names[:12]]
    sheet = AnswerSheet("p", ["cod", "eel"], [AnswerSection("Group", images, "note", names, ["x"])])
    shown = PhotoPage("eyebrow", "Head", "about", [Tile("a", "1")], [("cod", 3, 0)], [("x", "y")])
    write_photo_page(found["photos"], shown, sheet, ImageFiles(home / "photos"))
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
def test_no_violation(chromium, axe, pages, name, width, dark, first):  # noqa: F811
    page = Page(chromium, pages[name], width=width, dark=dark)
    page.js(first)
    page.settle()
    page.js(axe)
    assert page.driver.execute_async_script(_RUN) == []
