"""Extraction on several machines, by Ray.

Files go out in blocks of some hundreds to actors that each hold an encoder and run the
pipeline of one machine over a block. What comes back is vectors, a few kilobytes by picture,
which the driver makes safe as parts like its own. Ray starts a worker that died anew, on another
machine where its own is gone, and gives it its unfinished blocks again; a block is told of once,
when all of it is done, so that no row is lost or doubled.

Ray Data would bring an exchange of data between operators and a plan of its own. Here a block is
file names in and vectors out, so actors alone are enough, and start sooner.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from fishembed.errors import DeviceError, FishembedError, InputError, MissingExtraError
from fishembed.extraction.engine import Crew, Finished, Work
from fishembed.extraction.lazy import LazyEncoder
from fishembed.extraction.pipeline import LocalEngine

_BLOCK = 512
"""Files given out at once where there are many: seconds of work, all that a death costs."""

_LEAST_BLOCK = 32
_BLOCKS_EACH = 8
"""Blocks for every worker at the least, so that none waits long for the last one."""

_QUEUED = 2
"""Blocks that a worker has at hand, so that it does not wait for the driver between two."""

_TRIES = 3
"""Times that a block is given out again after the worker that had it died."""


@dataclass
class RayEngine:
    """Actors of a Ray cluster, see `fishembed.extraction.engine.Engine`.

    Parameters
    ----------
    address
        Of a cluster, such as `auto` or `ray://host:10001`; Ray is started on this machine
        when left out.
    workers
        Actors; one for each GPU, or where there is none for each machine, when left out.
    gpus_per_worker
        GPUs that each has to itself; 1 where the cluster has some, when left out.
    """

    address: str | None = None
    workers: int | None = None
    gpus_per_worker: float | None = None
    crew: Crew = field(default_factory=Crew, init=False)

    def run(
        self, work: Work, encoder: LazyEncoder, known: Collection[str]
    ) -> Generator[Finished, None, None]:
        """Yield what is finished, a block at a time, in the order that blocks are done."""
        if not work.files:
            return
        ray = _import_ray()
        with _cluster(ray, self.address):
            actors = self._hire(ray, work, encoder, known)
            try:
                for done, crew in _collect(ray, actors, _blocks(work, len(actors))):
                    self._notice(crew, len(actors))
                    yield from done
            finally:
                for actor in actors:
                    ray.kill(actor)

    def _hire(
        self, ray: Any, work: Work, encoder: LazyEncoder, known: Collection[str]
    ) -> list[Any]:
        has = ray.cluster_resources()
        machines = max(1, len([node for node in ray.nodes() if node["Alive"]]))
        gpus = self.gpus_per_worker
        if gpus is None:
            gpus = 1.0 if has.get("GPU", 0) else 0.0
        if gpus > has.get("GPU", 0):
            raise DeviceError(
                f"{gpus:g} GPUs for each worker were asked for; the cluster has "
                f"{has.get('GPU', 0):g}"
            )
        n = self.workers or (int(has["GPU"] / gpus) if gpus else machines)
        cpus = max(1, int(has.get("CPU", 1) / n))
        if n * gpus > has.get("GPU", 0) or n * cpus > has.get("CPU", 1):
            raise DeviceError(
                f"{n} workers of {cpus} cores and {gpus:g} GPUs do not fit on a cluster of "
                f"{has.get('CPU', 0):g} cores and {has.get('GPU', 0):g} GPUs"
            )
        options = {"num_cpus": cpus, "num_gpus": gpus, "max_restarts": -1}
        hired = ray.remote(_Worker).options(**options, max_task_retries=_TRIES)
        how = replace(work, files=(), workers=work.workers or cpus)
        shared = ray.put(frozenset(known))
        away, fingerprint = encoder.detached(), encoder.spec.fingerprint
        return [hired.remote(away, fingerprint, how, shared) for _ in range(n)]

    def _notice(self, crew: Crew, n: int) -> None:
        """Sum up what the workers are."""
        several = f"{n} Ray worker{'s' if n > 1 else ''}"
        device = f"{crew.device}, {several}" if crew.device else self.crew.device
        self.crew = replace(crew, device=device, workers=crew.workers * n, lanes=crew.lanes * n)


class _Worker:
    """An actor: holds an encoder, works through blocks."""

    def __init__(
        self, encoder: LazyEncoder, fingerprint: str, how: Work, known: frozenset[str]
    ) -> None:
        self._encoder, self._how, self._known = encoder, how, known
        self._engine = LocalEngine()
        if encoder.spec.fingerprint != fingerprint:
            raise InputError(
                f"{os.uname().nodename} encodes otherwise than the machine that started this "
                f"(fingerprints {encoder.spec.fingerprint} and {fingerprint}): install the same "
                "versions of torch, OpenCLIP and timm on all machines"
            )
        if torch := sys.modules.get("torch"):  # the encoder has loaded it, or none needs it
            torch.set_num_threads(how.workers or 1)

    def do(self, start: int, work: Work) -> tuple[list[Finished], Crew]:
        """Read and encode a block, whose first file is the `start`-th of all."""
        how = replace(self._how, files=work.files)
        if self._engine.crew.batch_size:  # measured in the first block
            how = replace(how, batch_size=self._engine.crew.batch_size)
        done = [_shifted(one, start) for one in self._engine.run(how, self._encoder, self._known)]
        return done, self._engine.crew


def _shifted(finished: Finished, start: int) -> Finished:
    """Call the files of a block by their numbers in the whole list."""
    outcomes = tuple(replace(one, number=one.number + start) for one in finished.outcomes)
    return replace(finished, outcomes=outcomes)


def _blocks(work: Work, workers: int) -> Iterator[tuple[int, Work]]:
    fair = -(-len(work.files) // (workers * _BLOCKS_EACH))
    size = min(_BLOCK, max(_LEAST_BLOCK, fair))
    for start in range(0, len(work.files), size):
        yield start, replace(work, files=work.files[start : start + size])


def _collect(
    ray: Any, actors: list[Any], blocks: Iterator[tuple[int, Work]]
) -> Iterator[tuple[list[Finished], Crew]]:
    """Keep every actor busy, and yield what each block came to."""
    working: dict[Any, tuple[Any, int]] = {}

    def give(actor: Any) -> None:
        block = next(blocks, None)
        if block is not None:
            working[actor.do.remote(*block)] = actor, block[0]

    for _ in range(_QUEUED):
        for actor in actors:
            give(actor)
    while working:
        (ready, *_), _ = ray.wait(list(working), num_returns=1)
        actor, start = working.pop(ready)
        yield _result(ray, ready, start)
        give(actor)


def _result(ray: Any, ready: Any, start: int) -> Any:
    try:
        return ray.get(ready)
    except ray.exceptions.RayTaskError as error:
        cause = error.cause
        raise cause if isinstance(cause, FishembedError) else error from None
    except ray.exceptions.RayActorError as error:
        raise FishembedError(
            f"a Ray worker could not do the block that starts with file {start:,}, "
            f"{_TRIES + 1} times tried: {' '.join(str(error).split())[:300]}"
        ) from error


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
        raise InputError(f"no Ray cluster at {address!r}: {error}") from error
    try:
        yield
    finally:
        ray.shutdown()


def _import_ray() -> Any:
    try:
        import ray
    except ImportError as error:
        raise MissingExtraError("--engine ray", "ray", "ray") from error
    return ray
