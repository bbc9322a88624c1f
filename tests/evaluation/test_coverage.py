"""The simulation of benchmarks/coverage.py on a few structures, with wide margins."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

FILE = Path(__file__).parents[2] / "benchmarks" / "coverage.py"
SPEC = importlib.util.spec_from_file_location("coverage_benchmark", FILE)
REPEATS = 100  # 95% then comes out as 95 ± 4.4


@pytest.fixture(scope="module")
def coverage():
    module = importlib.util.module_from_spec(SPEC)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(__import__("sys").modules, SPEC.name, module)  # dataclasses look it up
        SPEC.loader.exec_module(module)
        yield module


@pytest.mark.parametrize("images", [1, 5, "tail"])
@pytest.mark.parametrize(("groups", "correlation"), [("1", 0.0), ("5", 0.3), ("heavy", 0.9)])
def test_every_interval_holds_the_truth_as_often_as_it_says(coverage, images, groups, correlation):
    cell = coverage.Cell(images, 31, groups, correlation, 0.7, spread=False)
    for name, (covered, width) in coverage.simulate(cell, REPEATS).items():
        assert covered >= 0.87, name
        assert width < 1, name


def test_many_images_leave_little_open(coverage):
    cell = coverage.Cell(20, 31, "1", 0.0, 0.7, spread=False)
    found = coverage.simulate(cell, REPEATS)
    assert found["macro recall"][1] < 0.09
    assert found["macro recall"][0] < 1
