"""Run folders made of nothing, laid out as real ones are."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fishembed._base.csv_files import write_csv
from fishembed._base.files import write_json
from fishembed.evaluation import score
from fishembed.experiments.runs.run_files import PER_CLASS, PREDICTIONS

NASTY = [
    "<script>window.hacked = 1</script>",
    '</script><img src=x onerror="window.hacked=2">',
    "comma, \"quote\" and 'tick'",
    "new\nline",
    "line\u2028separator",
    "surrogate\udcff",
    "right\u202eto left",
    "سمك المهرج",
    "カクレクマノミ",
    "$x_1^2$ & {{ 7*7 }} {% raw %}",
    "a" * 180,
    "\\begin{x} 100% #1 ~^_",
]


def make_run(
    folder: Path,
    *,
    names: list[str] | None = None,
    n_classes: int = 31,
    rows: int = 878,
    paths: list[str] | None = None,
    true: np.ndarray | None = None,
    skill: float = 3.0,
    head: str = "linear",
    zeroshot: bool = False,
    split: str = "test",
    source_root: Path | None = None,
    store: Path | None = None,
    constant: bool = False,
    groups: list[str] | None = None,
    seed: int = 0,
) -> Path:
    """Write a run whose true classes follow a long tail and whose mistakes favour neighbours."""
    rng = np.random.default_rng(seed)
    names = [f"species {i:03d}" for i in range(n_classes)] if names is None else names
    k = len(names)
    weight = 1 / np.arange(1, k + 1)
    if true is None:
        true = rng.choice(k, rows, p=weight / weight.sum())
    n_train = np.maximum(1, (2000 * weight / weight.sum()).astype(int))
    p = _probabilities(rng, true, n_train, skill)
    if constant:
        p = np.full_like(p, 1 / k)
    paths = paths or [f"{i:06d} of {c}.png" for i, c in enumerate(true)]
    folder.mkdir(parents=True, exist_ok=True)
    scores = score(true, p, class_names=names, groups=groups)
    metrics = scores.as_dict() | {
        "splits": {
            "train": int(n_train.sum()),
            "val": 0,
            "test": len(true),
            "": 0,
            "unlabelled": 0,
        },
        "scored_split": split,
    }
    write_json(folder / "run.json", _info(folder, names, head, zeroshot, split, source_root, store))
    write_json(folder / "metrics.json", metrics)
    _write_per_class(folder, names, true, p, None if zeroshot else n_train, scores)
    _write_predictions(folder, names, paths, true, p, groups or [""] * len(true))
    if head == "linear" and not zeroshot:
        _write_history(folder)
    return folder


def _probabilities(rng, true, n_train, skill):
    k = len(n_train)
    logits = rng.normal(size=(len(true), k)).astype(np.float32)
    known = np.log1p(n_train) / np.log1p(n_train.max())
    logits[np.arange(len(true)), true] += skill * (0.4 + known[true])
    logits[np.arange(len(true)), (true ^ 1) % k] += skill * 0.35
    p = np.exp(2 * logits - (2 * logits).max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


def _info(folder, names, head, zeroshot, split, source_root, store):
    return {
        "format": "fishembed-run",
        "schema": 1,
        "name": folder.name,
        "kind": "zeroshot" if zeroshot else "fit",
        "head": "zeroshot" if zeroshot else head,
        "parameters": {"C": 100.0, "class_weight": None, "epochs": 7},
        "seed": 0,
        "scored_split": split,
        "classes": names,
        "store": {
            "path": str(store or "cache/gone.h5"),
            "name": "gone",
            "rows": 3187,
            "dim": 512,
            "fingerprint": "5e1f" * 16,
            "source_root": str(source_root) if source_root else None,
        },
        "encoder": {"name": "embedded", "fingerprint": "abcd" * 16, "dim": 1280},
        "prompts": {"key": "single", "templates": ["a photo of a {}"], "logit_scale": 100.0}
        if zeroshot
        else None,
        "versions": {"fishembed": "0.1.0", "python": "3.11.7", "numpy": "2.4.6"},
        "created": "2026-01-02T03:04:05+00:00",
        "seconds": {"load": 0.01, "fit": 1.2, "score": 0.1, "total": 1.31},
        "command": f"fishembed fit cache/gone.h5 --head {head}",
    }


def _write_per_class(folder, names, true, p, n_train, scores):
    called = p.argmax(axis=1)
    by_name = {c.name: c for c in scores.classes}
    rows = []
    for i, name in enumerate(names):
        c = by_name.get(name)
        wrong = np.bincount(called[(true == i) & (called != i)], minlength=len(names))
        n = c.n if c else 0
        rows.append(
            [
                name,
                None if n_train is None else int(n_train[i]),
                n,
                c.correct if c else 0,
                c.recall if n else None,
                *(c.recall_ci95 if n else (None, None)),
                c.precision if c else 0.0,
                c.f1 if c else 0.0,
                c.predicted if c else 0,
                names[wrong.argmax()] if wrong.any() else None,
                int(wrong.max()) if wrong.any() else None,
            ]
        )
    write_csv(folder / "per_class.csv", PER_CLASS, rows)


def _write_predictions(folder, names, paths, true, p, groups):
    k = min(5, len(names))
    top = np.argsort(-p, axis=1, kind="stable")[:, :k]
    rows = []
    for i, path in enumerate(paths):
        pad = [None] * (5 - k)
        named = [names[j] for j in top[i]]
        label = names[true[i]] if true[i] >= 0 else ""
        probabilities = [float(p[i, j]) for j in top[i]]
        sure = probabilities[0]
        row = [path, label, named[0], sure, *named, *pad, *probabilities, *pad, groups[i]]
        rows.append(row)
    write_csv(folder / "predictions.csv", PREDICTIONS, rows)


def _write_history(folder):
    epoch = np.arange(1, 8)
    loss = 0.4 + 2.5 * np.exp(-0.5 * epoch)
    rows = [
        [int(e), float(v), float(0.95 - v / 4), float(v + 0.05 * e), float(0.9 - v / 4)]
        for e, v in zip(epoch, loss, strict=True)
    ]
    columns = "epoch,train_loss,train_accuracy,val_loss,val_accuracy"
    write_csv(folder / "history.csv", columns.split(","), rows)
