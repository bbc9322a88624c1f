from __future__ import annotations

import csv
import json
from pkgutil import iter_modules

import pytest

import fishembed.audit.checks
from fishembed.audit import audit_store, findings, write_audit
from fishembed.audit.check import CHECKS, Action, Block, CheckResult, Section, Table, register
from fishembed.audit.checks.duplicates import Duplicates
from fishembed.cache import FeatureStore


class LongNames(CheckResult):
    """Rows whose path is long, as a check of somebody else would find them."""

    def __init__(self, rows):
        self.rows = rows

    def summary(self):
        return {"long_names": len(self.rows)}

    def sentences(self, classes):
        return [f"names: {len(self.rows)} are long"]

    def tables(self, store):
        return [Table("names.csv", ("path",), [(store.paths[row],) for row in self.rows])]

    def section(self, store, classes):
        blocks = [Block("text", "<Long> names.")]
        return Section("names", "Long names", blocks, [Action("names are long", 0)])


@pytest.fixture
def long_names():
    @register("names", position=1, needs=("duplicates",))
    def check_names(data):
        assert data.result(Duplicates).n_pairs == 0
        return LongNames([i for i, path in enumerate(data.store.paths) if len(path) > 8])

    yield
    del CHECKS["names"]


def test_a_new_check_needs_no_other_change(vectors_store, long_names):
    paths = ["a.png", "a_long_name.png", "b.png", "c.png"]
    with FeatureStore.open(vectors_store([2, 2], paths=paths)) as store:
        audit = audit_store(store, threshold=0.9999)
        folder = write_audit(audit, store)
    assert "names: 1 are long" in findings(audit)
    assert json.loads((folder / "audit.json").read_text())["long_names"] == 1
    with (folder / "names.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [["path"], ["a_long_name.png"]]
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert "&lt;Long&gt; names." in page
    assert page.index('id="names"') < page.index('id="leaks"')
    assert '<a href="#names">Names are long</a>' in page


def test_every_file_of_checks_is_registered():
    files = {module.name for module in iter_modules(fishembed.audit.checks.__path__)}
    assert files == set(CHECKS)
