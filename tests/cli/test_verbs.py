from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.main import get_command

from fishembed.cli import app


@pytest.fixture
def photos(workspace) -> Path:
    rng = np.random.default_rng(0)
    for name, colour in (("cod", (30, 60, 90)), ("eel", (120, 80, 20))):
        for i in range(6):
            pixels = np.clip(rng.normal(colour, 20, (40, 60, 3)), 0, 255).astype(np.uint8)
            path = workspace / "data" / name / f"{i}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path)
    return workspace / "data"


def test_bare_verbs_choose_and_say_so(run, photos, workspace):
    code, out, _ = run("extract", "--encoder", "embedded", "--device", "cpu")
    assert code == 0
    assert out.splitlines()[0] == "source: data (the default)"
    assert "12 rows: 12 new, 0 changed, 0 reused, 0 skipped, 0 removed" in out
    assert (workspace / "cache" / "data.h5").is_file()
    code, out, _ = run("fit")
    assert out.splitlines()[0] == "store: cache/data.h5 (the newest in cache)"
    assert "held out" in out
    assert "held-out images right" in out
    assert "\n* " in out
    assert out.splitlines()[2].split("  ")[0] == "candidate"
    code, out, _ = run("report")
    assert out.splitlines()[0] == "run: reports/data-auto (the newest in reports)"
    assert (workspace / "reports" / "data-auto" / "index.html").is_file()
    code, out, _ = run("predict", "data-auto", "data/eel", "data/cod/*.png", "--evidence", "-k", 1)
    assert code == 0
    assert out.splitlines()[0] == "run: reports/data-auto"
    told = [line for line in out.splitlines() if line.startswith("data/")]
    assert [line.split()[1] for line in told] == ["eel"] * 6 + ["cod"] * 6
    assert "    like eel/0.png (eel), cosine 1.000" in out
    assert run("extract", "--encoder", "embedded")[1].splitlines()[-1].startswith("nothing to do")


def test_json_is_one_document_and_nothing_else(run, photos):
    _, out, err = run("extract", "-e", "embedded", "--json")
    document = json.loads(out)
    assert (document["rows"], document["encoded"], document["reused"]) == (12, 12, 0)
    assert {"skipped", "seconds", "images_per_second", "store"} <= set(document)
    assert "source: data" in err
    _, out, _ = run("fit", "--json", "--head", "linear", "--epochs", "2")
    scores = json.loads(out)
    wanted = {"n", "accuracy", "top5_accuracy", "macro_recall", "macro_f1", "log_loss", "run"}
    assert wanted <= set(scores)
    assert scores["run"] == str(Path("reports/data-linear"))
    assert json.loads(run("report", "--json")[1])["page"].endswith("index.html")


def test_environment_and_options_choose_places(run, photos, workspace, monkeypatch):
    monkeypatch.setenv("FISHEMBED_DATA", str(photos))
    monkeypatch.setenv("FISHEMBED_CACHE", str(workspace / "c"))
    monkeypatch.setenv("FISHEMBED_REPORTS", str(workspace / "r"))
    assert run("extract", "-e", "embedded")[0] == 0
    assert (workspace / "c" / "data.h5").is_file()
    assert run("fit", "data", "--run", "mine")[0] == 0
    assert (workspace / "r" / "mine" / "run.json").is_file()
    assert run("report", "mine")[0] == 0


def test_every_head_can_be_named(run, workspace):
    labels = np.arange(4).repeat(6)
    noise = np.random.default_rng(0).normal(size=(24, 4))
    np.savez(
        workspace / "v.npz",
        features=np.eye(4)[labels] + 0.3 * noise,
        labels=labels,
        text_features=np.eye(4),
        classes=np.array(list("abcd")),
    )
    assert run("import", "v.npz")[0] == 0
    for words in (
        ("auto", "--select-on", "accuracy"),
        ("sweep", "--select-on", "macro_f1"),
        ("logistic", "--C", "1", "--class-weight", "balanced"),
        ("prior-corrected", "--C", "10", "--tau", "0.5"),
        ("gaussian", "--shrinkage", "0.7", "--pseudo-count", "2"),
        ("text-anchored", "--pseudo-count", "8"),
        ("blend", "--C", "1", "--select-on", "log_loss"),
        ("centroid",),
        ("knn", "--neighbors", "3"),
        ("linear", "--loss", "balanced_softmax", "--schedule", "cosine", "--epochs", "2"),
    ):
        code, _, err = run("fit", "--head", *words)
        assert (code, err) == (0, ""), words
        record = json.loads((workspace / "reports" / f"v-{words[0]}" / "run.json").read_text())
        for option, value in zip(words[1::2], words[2::2], strict=True):
            name = {"neighbors": "n_neighbors"}.get(option.strip("-"), option.strip("-"))
            assert str(record["parameters"][name.replace("-", "_")]) in (value, f"{value}.0")
    code, out, _ = run("fit", "--sweep", "--shots", "1,2", "--seeds", "1", "--run", "s")
    assert code == 0
    assert "* logistic" in out
    assert "the learning curve is reports/s/learning_curve.png" in out
    assert "give numbers" in run("fit", "--shots", "1;2")[2]
    code, _, err = run("fit", "--C", "1")
    assert code == 2
    assert "it is a parameter of logistic, prior-corrected, blend" in err


def test_predict_from_a_store_in_every_format(run, workspace):
    features = np.eye(3).repeat(8, axis=0) + 0.1 * np.random.default_rng(0).normal(size=(24, 3))
    np.savez(workspace / "v.npz", features=features, labels=np.arange(3).repeat(8))
    assert run("import", "v.npz")[0] == run("fit", "--head", "gaussian")[0] == 0
    call = ("predict", "v-gaussian", "cache/v.h5")
    document = json.loads(run(*call, "--json")[1])
    assert len(document["predictions"]) == 24
    assert len(document["predictions"][0]["top"]) == 3
    code, out, err = run(*call, "--format", "csv", "--top", "1")
    assert (code, out.splitlines()[0]) == (0, "path,top1,p1")
    assert err == "run: reports/v-gaussian\n"
    assert run(*call, "-o", "p.csv", "--top", "1")[1].endswith("wrote 24 predictions to p.csv\n")
    assert (workspace / "p.csv").read_text() == out
    code, _, err = run(*call, "--format", "parquet")
    assert code == 2
    assert "--output" in err


def test_import_and_zeroshot(run, workspace):
    np.savez(
        workspace / "v.npz",
        features=np.eye(4).repeat(3, axis=0),
        labels=np.arange(4).repeat(3),
        text_features=np.eye(4),
        classes=np.array(list("abcd")),
    )
    assert run("import", "v.npz")[0] == 0
    code, out, _ = run("zeroshot")
    assert code == 0
    assert "100.0% of 12 images right" in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["extract"], "nothing at 'data'"),
        (["extract", "."], "no picture in"),
        (["fit"], "no feature store in 'cache'"),
        (["fit", "x.h5"], "no feature store at 'x.h5'"),
        (["predict", "x", "."], "no run at 'x'"),
        (["report"], "no run in 'reports'"),
        (["report", "x"], "no run at 'x'"),
        (["import", "x.npz"], "no file 'x.npz'"),
    ],
)
def test_expected_errors_are_one_sentence(run, workspace, words, message):
    code, _, err = run(*words)
    assert code == 2
    assert message in err
    assert err.startswith("error: ")
    assert "Traceback" not in err
    assert not [path for path in workspace.rglob("*") if path.suffix in {".h5", ".tmp"}]


def test_unknown_options_are_click_errors(run):
    code, _, err = run("fit", "--nonsense")
    assert code == 2
    assert "--nonsense" in err


def test_unexpected_errors_leave_a_log(run, workspace, monkeypatch):
    def broken(_path):
        raise ZeroDivisionError("deep inside")

    monkeypatch.setattr("fishembed.cache.newest_store", broken)
    code, _, err = run("fit")
    assert code == 1
    assert "Traceback" not in err
    log = Path(err.split("the details are in ")[1].split(": please")[0])
    text = log.read_text()
    assert "ZeroDivisionError: deep inside" in text
    assert "numpy " in text
    log.unlink()


def test_the_log_of_an_unexpected_error_holds_no_keys(run, workspace, monkeypatch):
    def broken(_path):
        raise ZeroDivisionError("https://me:hunter2@example.org/x?sig=abc123 secret_key=verysecret")

    monkeypatch.setattr("fishembed.cache.newest_store", broken)
    _, _, err = run("fit")
    log = Path(err.split("the details are in ")[1].split(": please")[0])
    for text in (err, log.read_text()):
        assert "example.org/x" in text
        assert not any(key in text for key in ("hunter2", "abc123", "verysecret"))
    log.unlink()


def test_ctrl_c_exits_130(run, photos, monkeypatch):
    def interrupted(*_arguments, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr("fishembed.encoders.embedded.EmbeddedEncoder.encode_images", interrupted)
    code, _, err = run("extract", "-e", "embedded")
    assert code == 130
    assert err.strip().endswith("interrupted")
    assert not list(Path("cache").glob("*.h5"))


def test_compare_and_other_formats(run, workspace):
    labels = np.arange(4).repeat(6)
    noise = np.random.default_rng(0).normal(size=(24, 4))
    np.savez(workspace / "v.npz", features=np.eye(4)[labels] + noise, labels=labels)
    assert run("import", "v.npz")[0] == 0
    assert run("fit", "--run", "a")[0] == 0
    assert run("fit", "--head", "logistic", "--C", "0.01", "--run", "b")[0] == 0
    code, out, _ = run("compare", "a", "b")
    assert code == 0
    assert out.splitlines()[0].startswith("run")
    assert (workspace / "reports" / "compare-a-b.html").is_file()
    assert json.loads(run("compare", "a", "b", "--json")[1])["differences"][0]["p"] >= 0
    assert run("report", "a", "--format", "md")[0] == 0
    assert (workspace / "reports" / "a" / "report.md").is_file()
    assert run("report", "a", "--format", "doc")[0] == 2


def test_encoders(run):
    code, out, _ = run("encoders")
    assert code == 0
    assert "embedded" in out
    document = json.loads(run("encoders", "ViT-B-32-quickgelu/open", "--json")[1])
    assert document["encoders"][0]["name"] == "ViT-B-32-quickgelu/openai"


def test_version_and_help(run):
    import fishembed

    assert run("--version")[1].strip() == f"fishembed {fishembed.__version__}"
    for verb in get_command(app).commands:
        code, out, _ = run(verb, "--help")
        assert code == 0
        assert "Example" in out, verb


HEAVY = ("torch", "open_clip", "timm", "matplotlib", "sklearn", "scipy", "pandas", "h5py", "PIL")


@pytest.mark.parametrize(
    "code", ["import fishembed", "from fishembed.cli import main; main(['-h'])"]
)
def test_nothing_heavy_is_loaded_to_start(code):
    program = f"""
import atexit, sys
loaded = lambda: [name for name in {HEAVY} if name in sys.modules]
atexit.register(lambda: sys.stderr.write(str(loaded())))
{code}
"""
    done = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0
    assert done.stderr == "[]"


def test_the_program_runs_from_a_bare_clone(workspace):
    clone = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, str(clone / "cli.py"), "--version"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.stdout.startswith("fishembed ")
