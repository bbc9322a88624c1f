from __future__ import annotations

from small_pictures import draw

from fishembed import FeatureStore


def test_extract_keeps_trunk_vectors_where_asked(run, workspace):
    for seed in range(3):
        draw(workspace / f"data/{seed}.png", seed)
    assert run("extract", "-e", "embedded", "--trunk")[0] == 0
    with FeatureStore.open("cache/data.h5") as opened:
        assert opened.has_trunk
    (workspace / "data/2.png").unlink()
    _, out, _ = run("extract", "-e", "embedded")
    assert "3 rows: 0 new, 0 changed, 3 reused, 0 skipped, 1 removed (kept; --prune" in out
    _, out, _ = run("extract", "-e", "embedded", "--prune")
    assert "2 rows: 0 new, 0 changed, 2 reused, 0 skipped, 1 removed (gone from" in out
