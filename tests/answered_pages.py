"""Every page with images that can be answered, each made by what writes it, with hostile names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from fishembed import cluster_store, open_store, predict_run, run_fit, search_store, suggest_store
from fishembed.audit import audit_store, write_audit
from fishembed.cache import import_features
from fishembed.reports import write_report
from fishembed.reports.write_sheets import (
    write_clusters,
    write_contact_sheet,
    write_search,
    write_suggestions,
)

CLASSES = ["cod", "<img src=x onerror=window.hacked=1>", "<script>window.hacked=1</script> & \"'"]
PAGES = ("audit", "report", "search", "cluster", "suggest", "predict")
PER_CLASS = 30


def photo_name(i: int) -> str:
    return f"<b onclick=window.hacked=1>&\"' {i:03d}.jpg"


def answered_pages(home: Path) -> tuple[Path, dict[str, Path]]:
    """Make a store whose photos are partly unlabelled or mislabelled; return it and its pages."""
    rng = np.random.default_rng(0)
    n = PER_CLASS * len(CLASSES)
    true = np.arange(n) % len(CLASSES)
    labels = np.where(np.arange(n) % 6 == 5, -1, true)
    labels[[0, 4]] = 1, 2
    X = np.eye(8)[true] + 0.25 * rng.normal(size=(n, 8))
    X[60:64] = X[:4] + 1e-4
    names = [photo_name(i) for i in range(n)]
    photos, reports = home / "photos", home / "reports"
    photos.mkdir(parents=True)
    for name, kind in zip(names, true.tolist(), strict=True):
        noise = rng.integers(0, 60, (40, 60, 3)) + np.eye(3, dtype=int)[kind] * 180
        Image.fromarray(noise.astype(np.uint8)).save(photos / name)
    arrays = {
        "features": X.astype(np.float32),
        "labels": labels,
        "classes": CLASSES,
        "splits": ["test" if i % 3 == 0 else "train" for i in range(n)],
        "paths": names,
    }
    store = import_features(arrays, home / "fish.h5")
    run = run_fit(store, head="centroid", reports=reports)
    pages = {"report": write_report(run, photos=photos, formats=["html"])}
    places = {"reports": reports, "photos": photos}
    with open_store(store) as opened:
        audit = audit_store(opened, photos=photos)
        pages["audit"] = write_audit(audit, opened, **places) / "index.html"
        found = search_store(opened, like=[names[1]], top=20)
        pages["search"] = write_search(found, opened, **places) / "index.html"
        clusters = cluster_store(opened, n_clusters=3)
        pages["cluster"] = write_clusters(clusters, opened, **places) / "index.html"
        chosen = suggest_store(opened, run=run, top=10)
        pages["suggest"] = write_suggestions(chosen, opened, **places) / "index.html"
    answers = predict_run(run, [store])
    sheet = home / "sheet.html"
    pages["predict"] = write_contact_sheet(answers, run, sheet, photos=str(photos))
    return store, pages
