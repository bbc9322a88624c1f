"""Start, call and end the workers of a Ray cluster; repeat calls where workers die."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fishembed.errors import DeviceError, FishembedError, MissingExtraError, RemoteError
from fishembed.extraction.encoder_loader import EncoderLoader
from fishembed.extraction.ray.ray_worker import EncoderFacts, RayWorker

AT_ONCE = 2
"""Blocks that a worker processes at the same time."""

TRIES = 4
"""Attempts at the same call or block before worker deaths end the run."""

RESTART_SECONDS = 120.0
"""Longest restart of a worker that died: it imports its libraries again."""


@dataclass(frozen=True)
class WorkerPool:
    """Workers without a task: the module `ray`, their handles, and the cores of each."""

    ray: Any
    actors: list[Any]
    cores: int


@contextmanager
def worker_pool(
    address: str | None, workers: int | None, gpus_per_worker: float | None
) -> Iterator[WorkerPool]:
    """Start workers, and end them afterwards; see `fishembed.extraction.RayEngine`.

    Raises
    ------
    MissingExtraError
        When Ray is not installed.
    InputError
        When there is no cluster at the address.
    DeviceError
        When the cluster lacks the cores or GPUs.
    """
    ray = import_ray()
    with _cluster(ray, address):
        started = _start(ray, workers, gpus_per_worker)
        try:
            yield started
        finally:
            for actor in started.actors:
                ray.kill(actor)


def import_ray() -> Any:
    """Import and return the module `ray`; raise MissingExtraError where it is not installed."""
    try:
        import ray
    except ImportError as error:
        raise MissingExtraError("--engine ray", "ray", "ray") from error
    return ray


def _start(ray: Any, workers: int | None, gpus_per_worker: float | None) -> WorkerPool:
    has = ray.cluster_resources()
    machines = max(1, len([node for node in ray.nodes() if node["Alive"]]))
    gpus = gpus_per_worker
    if gpus is None:
        gpus = 1.0 if has.get("GPU", 0) else 0.0
    if gpus > has.get("GPU", 0):
        raise DeviceError(
            f"{gpus:g} GPUs for each worker were asked for; the cluster has {has.get('GPU', 0):g}"
        )
    n = workers or (int(has["GPU"] / gpus) if gpus else machines)
    cpus = max(1, int(has.get("CPU", 1) / n))
    if n * gpus > has.get("GPU", 0) or n * cpus > has.get("CPU", 1):
        raise DeviceError(
            f"{n} workers of {cpus} cores and {gpus:g} GPUs do not fit on a cluster of "
            f"{has.get('CPU', 0):g} cores and {has.get('GPU', 0):g} GPUs"
        )
    started = ray.remote(RayWorker).options(
        num_cpus=cpus, num_gpus=gpus, max_restarts=-1, max_concurrency=AT_ONCE
    )
    return WorkerPool(ray, [started.remote() for _ in range(n)], cpus)


@contextmanager
def _cluster(ray: Any, address: str | None) -> Iterator[None]:
    """Connect to a cluster, started here where none is named; disconnect afterwards."""
    if ray.is_initialized():
        yield
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    own = {"include_dashboard": False, "object_store_memory": 512 << 20}
    try:
        ray.init(
            address=address or "local",
            logging_level="ERROR",
            log_to_driver=False,
            **({} if address else own),
        )
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise RemoteError(f"no Ray cluster at {address!r}: {error}") from error
    try:
        yield
    finally:
        ray.shutdown()


@dataclass(frozen=True)
class RemoteEncoder(EncoderFacts):
    """Proxy of a worker's encoder, see `fishembed.encoders.Encoder`.

    The loader is sent with every call: a restarted worker loads the encoder again.
    """

    ray: Any
    actor: Any
    loader: EncoderLoader

    def encode_images(self, batch: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Encode uint8 (n, crop, crop, 3) to float32 (n, dim), not normalised."""
        features: npt.NDArray[np.float32] = self._call("encode_images", batch)
        return features

    def encode_texts(self, texts: Sequence[str]) -> npt.NDArray[np.float32] | None:
        """Encode n texts to float32 (n, dim); None without a text tower."""
        features: npt.NDArray[np.float32] | None = self._call("encode_texts", list(texts))
        return features

    def _call(self, method: str, what: object) -> Any:
        return call_and_wait(self.ray, getattr(self.actor, method), self.loader, what)


def call_and_wait(ray: Any, method: Any, *what: Any) -> Any:
    """Call a method of a worker and return its result, see `call`.

    Raises
    ------
    FishembedError
        When the worker dies each time.
    """
    began = time.monotonic()
    while True:
        try:
            return result_of(ray, call(method, *what))
        except worker_loss_errors(ray) as error:  # noqa: PERF203 - it is tried again
            if not is_restarting(ray, error, since=began):
                raise workers_died_error(error) from error


def call(method: Any, *what: Any) -> Any:
    """Call a method of a worker, again where that dies; return the promise of the result."""
    return method.options(max_task_retries=TRIES - 1).remote(*what)


def result_of(ray: Any, promise: Any) -> Any:
    """Return the result of a call, or raise its error."""
    try:
        return ray.get(promise)
    except ray.exceptions.RayTaskError as error:
        cause = error.cause
        raise cause if isinstance(cause, FishembedError) else error from None


def worker_loss_errors(ray: Any) -> tuple[type[Exception], ...]:
    """Return the error classes for a lost worker, machine or result."""
    names = ("RayActorError", "ObjectLostError", "OutOfMemoryError", "NodeDiedError")
    return tuple(getattr(ray.exceptions, name) for name in names)


def is_restarting(ray: Any, error: Exception, *, since: float) -> bool:
    """Return whether a worker is only restarting, after a short wait if so.

    `since` is `time.monotonic()` of the first call that raised such an error; after
    `RESTART_SECONDS` the worker counts as dead.
    """
    restarting = (
        isinstance(error, ray.exceptions.ActorUnavailableError)
        and time.monotonic() - since < RESTART_SECONDS
    )
    if restarting:
        time.sleep(0.2)
    return restarting


def workers_died_error(error: Exception) -> FishembedError:
    """Return the error for a worker that died each time it was started."""
    why = " ".join(str(error).split())[:300]
    return FishembedError(f"a Ray worker died each of {TRIES} times that it was started: {why}")
