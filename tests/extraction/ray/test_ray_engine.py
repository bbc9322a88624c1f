"""Extraction by a Ray cluster of two workers on this machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from fake_encoder import FakeEncoder
from small_pictures import contents, draw

from fishembed.cache import FeatureStore
from fishembed.cli import main
from fishembed.errors import DeviceError, FishembedError, MissingExtraError, WeightsError
from fishembed.extraction import RayEngine, encoder_loader, extract
from fishembed.extraction.ray import ray_cluster, ray_engine
from fishembed.extraction.ray.ray_cluster import call_and_wait

ray = pytest.importorskip("ray", reason="the extra 'ray' is not installed")
pytestmark = pytest.mark.slow

TESTS = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def cluster():
    """Start Ray once, with what workers need to find the fake encoder."""
    before = os.environ.get("PYTHONPATH")
    paths = [str(TESTS), str(Path(__file__).parent), str(TESTS.parent), before or ""]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    with ray_cluster._cluster(ray, None):
        yield ray.get_runtime_context().gcs_address
    os.environ["PYTHONPATH"] = before or ""


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(ray_engine, "_FIRST", 4)
    monkeypatch.setattr(ray_engine, "_LEAST", 4)


@pytest.fixture
def many(workspace):
    for seed in range(40):
        draw(workspace / "many" / ("cod", "eel")[seed % 2] / f"{seed:02d}.png", seed)
    (workspace / "many/cod/broken.png").write_bytes(b"no picture")
    (workspace / "many/eel/again.png").write_bytes((workspace / "many/cod/00.png").read_bytes())
    return workspace / "many"


class Deadly(FakeEncoder):
    """Kills its process with the first batches, so often as told."""

    def __init__(self, folder: Path, deaths: int) -> None:
        super().__init__()
        self.folder, self.deaths = folder, deaths

    def encode_with_trunk(self, batch):
        for death in range(self.deaths):
            try:
                (self.folder / f"death {death}").touch(exist_ok=False)
            except FileExistsError:
                continue
            os.kill(os.getpid(), signal.SIGKILL)
        return super().encode_with_trunk(batch)


@pytest.fixture
def expected(many, workspace):
    extract(many, workspace / "local.h5", encoder=FakeEncoder())
    return contents(workspace / "local.h5")


def test_the_store_is_that_of_the_local_engine(cluster, many, store, expected):
    engine = RayEngine(workers=2)
    done = extract(many, store, encoder=FakeEncoder(), engine=engine, batch_size=3)
    assert contents(store) == expected
    assert (done.rows, done.encoded, done.skipped) == (41, 40, 1)
    assert done.stages.device == "fake, 2 Ray workers"
    assert done.stages.seconds.encode > 0
    draw(many / "cod/new.png", 99)
    again = extract(many, store, encoder=FakeEncoder(), engine=engine)
    assert (again.encoded, again.reused) == (1, 41)


def test_a_worker_that_is_killed_twice_costs_nothing_but_time(
    cluster, many, store, workspace, expected
):
    deadly = Deadly(workspace, 2)
    extract(many, store, encoder=deadly, engine=RayEngine(workers=2), batch_size=2)
    assert sorted(path.name for path in workspace.glob("death*")) == ["death 0", "death 1"]
    assert contents(store) == expected


def test_a_block_that_kills_every_worker_ends_the_run_with_a_sentence(
    cluster, many, store, workspace, monkeypatch
):
    monkeypatch.setattr(ray_engine, "TRIES", 2)
    with pytest.raises(FishembedError, match="2 times tried"):
        extract(many, store, encoder=Deadly(workspace, 99), engine=RayEngine(workers=1))
    assert not store.exists()


DRIVER = """
import sys
from fake_encoder import FakeEncoder
from fishembed.extraction import RayEngine, extract
from fishembed.extraction.ray import ray_engine
ray_engine._FIRST = ray_engine._LEAST = 4
source, store, address = sys.argv[1:]
encoder = FakeEncoder(seconds=0.2)
extract(source, store, encoder=encoder, engine=RayEngine(address, workers=2), batch_size=2)
"""


def test_a_driver_that_is_killed_is_gone_on_from(cluster, many, store, expected):
    call = [sys.executable, "-c", DRIVER, str(many), str(store), cluster]
    driver = subprocess.Popen(call, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    parts = store.with_name(f".{store.name}.parts")
    while driver.poll() is None and len(list(parts.glob("*.h5"))) < 2:
        time.sleep(0.05)
    driver.kill()
    assert driver.wait() == -signal.SIGKILL
    assert not store.exists()
    done = extract(many, store, encoder=FakeEncoder(), engine=RayEngine(workers=2))
    assert 0 < done.encoded < 40
    assert contents(store) == expected


def test_workers_load_the_encoder_for_the_driver(cluster, many, workspace, monkeypatch):
    done = extract(many, workspace / "a.h5", encoder="embedded", device="cpu", decoding="exact")

    def load(*_, **__):
        raise AssertionError("the driver loads no encoder")

    with monkeypatch.context() as patched:
        patched.setattr(encoder_loader, "load_encoder", load)
        store, engine = workspace / "b.h5", RayEngine(workers=2)
        extract(many, store, encoder="embedded", device="cpu", decoding="exact", engine=engine)
    with FeatureStore.open(done.store) as local, FeatureStore.open(store) as far:
        assert far.encoder == local.encoder
        np.testing.assert_allclose(far.features, local.features, atol=0.02, rtol=0.02)
        np.testing.assert_allclose(
            far.text("single").features, local.text("single").features, atol=1e-5
        )


def test_weights_that_workers_cannot_load_are_told_in_a_sentence(cluster, many, store):
    with pytest.raises(WeightsError, match=r"nowhere\.pt"):
        extract(many, store, encoder="ViT-B-32@nowhere.pt", engine=RayEngine(workers=1))
    assert not store.exists()


class Worker:
    """A worker's method whose every call gives the same promise."""

    def options(self, **_):
        return self

    def remote(self, *_):
        return "promise"


def test_a_worker_that_is_never_alive_is_told_in_a_sentence():
    def get(_):
        raise ray.exceptions.RayActorError

    fake = SimpleNamespace(get=get, exceptions=ray.exceptions)
    with pytest.raises(FishembedError, match="died each of 4 times"):
        call_and_wait(fake, Worker())


@pytest.mark.parametrize("patience", [60, 0])
def test_a_worker_that_is_being_started_anew_is_waited_for(monkeypatch, patience):
    monkeypatch.setattr(ray_cluster, "RESTART_SECONDS", patience)
    answers = iter([False, False, True])

    def get(_):
        if not next(answers):
            raise ray.exceptions.ActorUnavailableError("restarting", None)
        return "alive"

    fake = SimpleNamespace(get=get, exceptions=ray.exceptions)
    if patience:
        assert call_and_wait(fake, Worker()) == "alive"
    else:
        with pytest.raises(FishembedError, match="died each of 4 times"):
            call_and_wait(fake, Worker())


class Infinite(FakeEncoder):
    """Gives vectors that are not finite."""

    def encode_with_trunk(self, batch):
        image, trunk = super().encode_with_trunk(batch)
        return np.full_like(image, np.inf), trunk


def test_pictures_whose_vectors_are_not_finite_are_skipped(cluster, many, store, workspace):
    extract(many, store, encoder=FakeEncoder(), engine=RayEngine(workers=1))
    draw(many / "cod/new.png", 99)
    done = extract(many, store, encoder=Infinite(), engine=RayEngine(workers=1))
    assert done.skipped_files[-1] == (
        "cod/new.png",
        "the encoder gave features that are not finite",
    )
    assert done.rows == 41


def test_what_does_not_fit_on_the_cluster(cluster, many, store):
    with pytest.raises(DeviceError, match="1000 workers of 1 cores"):
        extract(many, store, encoder=FakeEncoder(), engine=RayEngine(workers=1000))
    with pytest.raises(DeviceError, match="2 GPUs for each worker"):
        extract(many, store, encoder=FakeEncoder(), engine=RayEngine(gpus_per_worker=2))


def test_without_ray_the_extra_is_named(many, store, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"fishembed\[ray\]"):
        extract(many, store, encoder=FakeEncoder(), engine=RayEngine())


def test_options_of_ray_need_ray(many, capsys):
    with pytest.raises(SystemExit):
        main(["extract", str(many), "--address", "auto"])
    assert "are for --engine ray" in capsys.readouterr().err
