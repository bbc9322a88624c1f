"""A bundle answers as its run does, with and without fishembed."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from fishembed import bundle_run, import_features, predict_run, run_fit
from fishembed.classifiers import LinearMap
from fishembed.errors import BundleError, ImageError, InputError, RunFormatError, RunNotFoundError
from fishembed.extraction import extract
from fishembed.sharing import bundle_export, open_bundle
from fishembed.sharing.bundle_export import Agreement

COLOURS = {"cod": (30, 60, 90), "eel": (120, 80, 20), "ray": (200, 200, 60)}


def paint(path: Path, colour: tuple[int, int, int], seed: int, mode: str = "RGB") -> None:
    rng = np.random.default_rng(seed)
    coarse = np.clip(rng.normal(colour, 40, (6, 8, 3)), 0, 255).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(coarse).resize((400 + 40 * seed, 300), Image.Resampling.BICUBIC)
    image.convert(mode).save(path)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A run of the embedded encoder, and its bundle with both networks."""
    folder = tmp_path_factory.mktemp("made")
    for name, colour in COLOURS.items():
        for seed in range(8):
            paint(folder / "photos" / name / f"{seed}.{('jpg', 'png')[seed % 2]}", colour, seed)
    paint(folder / "new" / "a.jpg", COLOURS["cod"], 20)
    paint(folder / "new" / "b.png", COLOURS["eel"], 21, "RGBA")
    paint(folder / "new" / "c.png", COLOURS["ray"], 22, "P")
    before = Path.cwd()
    os.chdir(folder)
    try:
        extract("photos", "cache/p.h5", encoder="embedded", precision="fp32", device="cpu")
        run_fit("cache/p.h5", head="logistic", run="p")
        bundle_run("reports/p", "p.onnx", int8=True)
    finally:
        os.chdir(before)
    return folder


@pytest.fixture
def folder(made, workspace):
    """A copy of it to work in."""
    shutil.copytree(made, workspace, dirs_exist_ok=True)
    return workspace


@pytest.mark.slow
def test_a_bundle_predicts_as_its_run_does(folder):
    opened = open_bundle("p.onnx")
    images = ["new", "photos/cod/0.jpg"]
    ours = predict_run(opened.run, images, encoder=opened.encoder)
    theirs = predict_run("reports/p", images)
    for one, other in zip(ours.predictions, theirs.predictions, strict=True):
        assert (one.path, one.classes, one.reason) == (other.path, other.classes, other.reason)
        assert one.probabilities == pytest.approx(other.probabilities, abs=1e-3)
    agreement = opened.about["agreement"]
    assert agreement["least_cosine"] > 0.999
    assert agreement["same_top1"] == agreement["n_images"] == 24
    assert (opened.about["int8"]["mean_cosine"]) > 0.9
    small = predict_run(opened.run, ["new"], encoder=open_bundle("p.onnx", int8=True).encoder)
    assert len(small.predictions) == 3
    assert (
        Path("p.onnx/model.int8.onnx").stat().st_size
        < 0.5 * Path("p.onnx/model.onnx").stat().st_size
    )


@pytest.mark.slow
def test_the_script_needs_no_fishembed_and_says_the_same(folder):
    files = [str(path) for path in sorted(Path("new").iterdir())]
    code = (
        "import sys, runpy\n"
        "for name in ('fishembed', 'torch', 'sklearn', 'scipy', 'open_clip', 'timm', 'h5py'):\n"
        "    sys.modules[name] = None\n"
        f"sys.argv = ['predict.py', *{files!r}]\n"
        "runpy.run_path('p.onnx/predict.py', run_name='__main__')\n"
    )
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    expected = predict_run("reports/p", files).predictions
    for line, one in zip(done.stdout.splitlines(), expected, strict=True):
        path, unknown, name, p = re.fullmatch(
            r"(.+?): (unknown, )?(.+?) ([\d.]+)%, .*", line
        ).groups()
        assert (path, bool(unknown), name) == (one.path, one.unknown, one.classes[0])
        assert float(p) == pytest.approx(100 * one.probabilities[0], abs=1.5)
    script = Path("p.onnx/predict.py").read_text().strip().splitlines()
    assert len([line for line in script if line and not line.startswith(("import", "from"))]) <= 20


@pytest.mark.slow
def test_a_bundle_holds_no_path_and_no_pickle(folder, made):
    assert sorted(path.name for path in Path("p.onnx").iterdir()) == [
        *("bundle.json", "head.npz", "held_out.npz", "metrics.json", "model.int8.onnx"),
        *("model.onnx", "predict.py", "run.json"),
    ]
    for path in Path("p.onnx").iterdir():
        assert str(made).encode() not in path.read_bytes(), path
    about = json.loads(Path("p.onnx/bundle.json").read_text())
    assert about["classes"] == ["cod", "eel", "ray"]
    assert about["preprocessing"]["crop"] == 224
    assert about["temperature"] > 0


@pytest.mark.slow
def test_a_changed_file_is_refused_and_no_bundle_is_said(folder):
    for name, changed in (
        ("model.onnx", b"pytorch"),
        ("bundle.json", b"eel"),
        ("run.json", b"eel"),
    ):
        path = Path("p.onnx", name)
        whole = path.read_bytes()
        path.write_bytes(whole.replace(changed, changed.upper(), 1))
        with pytest.raises(RunFormatError, match=name):
            open_bundle("p.onnx")
        path.write_bytes(whole)
    with pytest.raises(RunNotFoundError, match="no bundle at 'reports/p'"):
        open_bundle("reports/p")
    with pytest.raises(RunNotFoundError, match="no bundle at 'nowhere'"):
        open_bundle("nowhere")
    Path("p.onnx/model.int8.onnx").unlink()
    with pytest.raises(BundleError, match=r"no model\.int8\.onnx.*--int8"):
        open_bundle("p.onnx", int8=True)


@pytest.mark.slow
def test_what_does_not_agree_is_not_written(folder, monkeypatch):
    differing = Agreement(24, 0.91, 0.95, 20, 0.4)
    monkeypatch.setattr(bundle_export.Agreement, "of", lambda *_: differing)
    monkeypatch.setattr(
        bundle_export,
        "_export",
        lambda run, head, encoder, path, **_: shutil.copyfile("p.onnx/model.onnx", path),
    )
    with pytest.raises(BundleError, match=r"20 of 24 images get the same class, cosine 0\.91000"):
        bundle_run("reports/p", "q.onnx")
    assert not Path("q.onnx").exists()
    assert [path for path in Path().iterdir() if "q.onnx" in path.name] == []


@pytest.mark.slow
def test_what_is_there_stays_and_images_must_be_there(folder, monkeypatch):
    with pytest.raises(InputError, match=r"'p\.onnx' is there already"):
        bundle_run("reports/p", "p.onnx")
    monkeypatch.setattr(bundle_export.ImageFiles, "are_there", lambda _: False)
    with pytest.raises(InputError, match="--images"):
        bundle_run("reports/p", "q.onnx")
    Path("bad").mkdir()
    Path("bad/x.png").write_bytes(b"no image")
    with pytest.raises(ImageError, match=r"none of 1 image can be read.*--images"):
        bundle_run("reports/p", "q.onnx", images=["bad"])


def test_features_from_elsewhere_cannot_be_exported(workspace):
    from fishembed import import_features

    arrays = {"features": np.eye(4).repeat(5, axis=0), "labels": np.arange(4).repeat(5)}
    run = run_fit(import_features(arrays, "cache/v.h5"), head="centroid")
    paint(workspace / "a.png", COLOURS["cod"], 0)
    with pytest.raises(InputError, match="only an encoder of fishembed can be exported"):
        bundle_run(run, "q.onnx", images=["a.png"])


def test_without_the_extra_it_is_named(workspace, monkeypatch):
    from fishembed.errors import MissingExtraError

    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'fishembed\[onnx\]'"):
        bundle_run("reports/p", "q.onnx")


def test_a_bundle_names_its_encoder_as_it_is_loaded(workspace):
    X = np.eye(2)[np.arange(20) % 2] + 0.1 * np.random.default_rng(0).normal(size=(20, 2))
    arrays = {"features": X, "labels": np.arange(20) % 2, "classes": ["cod", "eel"]}
    run = run_fit(import_features(arrays, "cache/f.h5"), head="centroid")
    for name, shown in (
        ("hf-hub:imageomics/bioclip-2@2957b32", "hf-hub:imageomics/bioclip-2@2957b32"),
        ("ViT-B-32@/home/me/w.pt", "ViT-B-32@w.pt"),
        ("embedded", "embedded"),
    ):
        run.info["encoder"]["name"] = name
        spec = SimpleNamespace(
            architecture="", revision="", weights="", fingerprint="", decoding="fast"
        )
        spec.to_json = lambda: {"preprocessing": {}}
        about = bundle_export._about(run, run.load_head(), spec, 0.05)
        assert about["encoder"]["name"] == shown


HEAD = LinearMap(np.eye(3), np.zeros(3), np.arange(3))
X = np.eye(3) + 0.2


def test_the_same_features_agree():
    found = Agreement.of(HEAD, X, 2 * X)  # heads and cosines know no length
    assert found.holds
    assert (found.n_images, found.same_top1) == (3, 3)
    assert "3 of 3 images get the same class" in str(found)


def test_one_other_class_or_one_low_cosine_is_no_agreement():
    turned = X[[0, 2, 2]]
    found = Agreement.of(HEAD, X, turned)
    assert (found.holds, found.same_top1) == (False, 2)
    assert found.least_cosine < 0.9
    assert not Agreement(100, 0.9989, 0.9999, 100, 0.0).holds
    assert not Agreement(100, 0.9999, 0.9999, 99, 0.0).holds
