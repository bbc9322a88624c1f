from __future__ import annotations

import pytest

from fishembed._base.progress import Stopwatch


def test_steps_add_up_also_where_they_fail(monkeypatch):
    times = iter([0.0, 1.0, 10.0, 12.0, 20.0, 25.0])
    monkeypatch.setattr("time.perf_counter", lambda: next(times))
    watch = Stopwatch()
    with watch.measure("load"):
        pass
    with watch.measure("fit"):
        pass
    with pytest.raises(KeyError), watch.measure("load"):
        raise KeyError
    assert watch.seconds == {"load": 6.0, "fit": 2.0}
