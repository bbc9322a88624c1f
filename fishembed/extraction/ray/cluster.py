"""Workers of a Ray cluster: started here or found at an address, started, and let go."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from fishembed.errors import DeviceError, MissingExtraError, RemoteError
from fishembed.extraction.ray.ray_worker import RayWorker

AT_ONCE = 2
"""BlockQueue that a worker works on at the same time."""


@dataclass(frozen=True)
class WorkerPool:
    """Workers that have no task yet.

    Attributes
    ----------
    ray
        The module.
    actors
        Handles of a `RayWorker` each.
    cores
        Of each.
    """

    ray: Any
    actors: list[Any]
    cores: int


@contextmanager
def worker_pool(
    address: str | None, workers: int | None, gpus_per_worker: float | None
) -> Iterator[WorkerPool]:
    """Hire workers; see `fishembed.extraction.RayEngine` for what is asked.

    Raises
    ------
    MissingExtraError
        When Ray is not installed.
    InputError
        When there is no cluster at the address.
    DeviceError
        When the cluster has not the cores or GPUs.
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
    """Import and return the module `ray`.

    Raises
    ------
    MissingExtraError
    """
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
    """Be connected to a cluster, started here where none is named; leave it as it was."""
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
