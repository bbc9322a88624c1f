from __future__ import annotations

import xml.etree.ElementTree as ET

import matplotlib as mpl
import numpy as np
import pytest
from make_run import NASTY, make_run

from fishembed import Run
from fishembed.reports.embedding_map import EmbeddingMap, landmarks
from fishembed.reports.figures.all_figures import draw_figures
from fishembed.reports.figures.figure_style import inline_svg, render
from fishembed.reports.figures.mixup_figures import draw_map, shade


def figures(folder, **made):
    return draw_figures(Run.load(make_run(folder / "run", **made)))


def test_a_run_by_epochs_has_every_figure(tmp_path):
    assert list(figures(tmp_path)) == [
        "loss", "accuracy", "per_class", "confusion", "recall_by_training", "reliability",
        "accept", "top_k",
    ]  # fmt: skip


def test_a_zero_shot_run_has_no_training_to_show(tmp_path):
    drawn = figures(tmp_path, n_classes=4, zeroshot=True)
    assert list(drawn) == ["per_class", "confusion", "reliability", "accept", "top_k"]


@pytest.mark.parametrize(
    "made", [{"n_classes": 1}, {"n_classes": 3, "constant": True}, {"rows": 1}]
)
def test_poor_runs_are_drawn(tmp_path, made):
    for figure in figures(tmp_path, **({"rows": 20} | made)).values():
        assert render(figure, "svg")


def test_names_are_text_in_figures(tmp_path):
    for name, figure in figures(tmp_path, names=NASTY, rows=150).items():
        svg = render(figure, "svg")
        assert b"<script>window" not in svg
        ET.fromstring(svg)
        if name == "confusion":
            assert b"$x_1^2$ &amp;" in svg


def test_the_same_run_gives_the_same_bytes(tmp_path):
    drawn = [figures(tmp_path / d, n_classes=4, rows=60) for d in "ab"]
    for name in drawn[0]:
        for suffix in ("png", "svg", "pdf"):
            assert render(drawn[0][name], suffix) == render(drawn[1][name], suffix), (name, suffix)


def test_settings_of_the_process_are_left_alone(tmp_path):
    with mpl.rc_context({"font.size": 33.0, "text.usetex": True}):
        before = dict(mpl.rcParams)
        render(figures(tmp_path, n_classes=3, rows=20)["per_class"], "png")
        assert dict(mpl.rcParams) == before


def test_inline_figures_take_the_pages_colours(tmp_path):
    text = inline_svg(render(figures(tmp_path, n_classes=3, rows=20)["loss"], "svg"), "loss")
    assert text.startswith("<svg")
    assert "<style" not in text
    assert "var(--right)" in text
    assert "#0072b2" not in text
    assert 'id="loss-axes_1"' in text


def test_right_is_blue_and_wrong_is_vermillion():
    colours = shade(np.array([[1.0, 0.0], [1.0, 0.0]]))
    assert colours[0, 0, 2] > colours[0, 0, 0]
    assert colours[1, 0, 0] > colours[1, 0, 2]
    assert colours[0, 1].tolist() == [1, 1, 1]


def test_the_map(tmp_path):
    result = Run.load(make_run(tmp_path / "run", n_classes=3, rows=20))
    xy = np.random.default_rng(0).normal(size=(20, 2))
    embedding_map = EmbeddingMap(
        np.arange(20), xy, "By hand.", 20, landmarks(result.images.true, xy)
    )
    svg = render(draw_map(result, embedding_map), "svg")
    assert any(name.encode() in svg for name in result.classes.names)
