"""Extraction on several machines, by Ray.

Files go out in blocks to actors that each hold an encoder and run the pipeline of one machine,
two blocks at a time, so that one fills its stages while those of the other run empty. A worker
that sees the store's place writes what came of a block to a partial file, and reports its name to
the driver; one that does not sends the features. A block is reported once, when all of it is done,
so that no row is lost or doubled; when its worker dies, others do it, while Ray starts that one
anew.

Ray Data would bring an exchange of data between operators and a plan of its own. Here a block is
file names in and digests out, so actors alone are enough, and start sooner.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import cache, partial
from time import monotonic
from typing import Any

from fishembed.extraction.encoder_loader import EncoderLoader
from fishembed.extraction.engine import EncodedFiles, EncodingJob, EngineInfo
from fishembed.extraction.ray.block_queue import Block, BlockQueue
from fishembed.extraction.ray.cluster import WorkerPool, worker_pool
from fishembed.extraction.ray.ray_worker import WorkerTask
from fishembed.extraction.ray.remote_encoder import (
    TRIES,
    RemoteEncoder,
    call,
    call_and_wait,
    is_restarting,
    result_of,
    worker_loss_errors,
    workers_died_error,
)

_QUEUED = 3
"""Blocks that a worker has at hand, so that it does not wait for the driver between two."""


@dataclass
class RayEngine:
    """Actors of a Ray cluster, see `fishembed.extraction.engine.Engine`.

    Parameters
    ----------
    address
        Of a cluster, such as `auto` or `host:6379`; Ray is started on this machine when left
        out.
    workers
        Actors; one for each GPU, or where there is none for each machine, when left out.
    gpus_per_worker
        GPUs that each has to itself; 1 where the cluster has some, when left out.
    """

    address: str | None = None
    workers: int | None = None
    gpus_per_worker: float | None = None
    info: EngineInfo = field(default_factory=EngineInfo, init=False)
    _start_workers: Callable[[], WorkerPool] = field(init=False, repr=False)

    @contextmanager
    def prepared(self, encoder: EncoderLoader, *, expected: int) -> Iterator[None]:
        """Let `run` start workers, and end them afterwards; see `Engine.prepared`.

        Where files are expected they are started at once, and the driver loads no encoder: what
        `auto` means, the workers' hardware says.
        """
        with ExitStack() as stack:
            wanted = worker_pool(self.address, self.workers, self.gpus_per_worker)
            self._start_workers = cache(lambda: stack.enter_context(wanted))
            if expected and not encoder.is_loaded:
                encoder.load_with(partial(_load, self._start_workers()))
            yield

    def run(
        self, job: EncodingJob, encoder: EncoderLoader, known: Collection[str]
    ) -> Generator[EncodedFiles, None, None]:
        """Yield what is finished, a block at a time, in the order that blocks are done."""
        if not job.files:
            return
        sign = uuid.uuid4().hex
        if job.partial_files is not None:
            job.partial_files("").write_marker(sign)
        loader, fingerprint = encoder.for_worker(), encoder.spec.fingerprint
        pool = self._start_workers()
        how = replace(job, files=(), workers=job.workers or pool.cores)
        task = pool.ray.put(WorkerTask(loader, fingerprint, how, frozenset(known), sign))
        blocks = BlockQueue(job.files, len(pool.actors), tries=TRIES)
        for done, info in _collect(pool, blocks, task):
            self._sum_up(info, len(pool.actors))
            yield done

    def _sum_up(self, info: EngineInfo, n: int) -> None:
        """Sum up what the workers are."""
        several = f"{n} Ray worker{'s' if n > 1 else ''}"
        device = f"{info.device}, {several}" if info.device else self.info.device
        self.info = replace(
            info, device=device, workers=info.workers * n, lanes=info.lanes * n, writers=n
        )


def _load(pool: WorkerPool, loader: EncoderLoader) -> RemoteEncoder:
    """Have all workers load an encoder, and let the first of them stand for all."""
    first, *others = pool.actors
    for actor in others:
        actor.describe_encoder.remote(loader)  # what fails there is raised when it is prepared
    return RemoteEncoder(
        pool.ray, first, loader, call_and_wait(pool.ray, first.describe_encoder, loader)
    )


def _collect(
    pool: WorkerPool, blocks: BlockQueue, task: Any
) -> Iterator[tuple[EncodedFiles, EngineInfo]]:
    """Hand blocks to all actors, and yield the result of each block."""
    ray, actors = pool.ray, pool.actors
    working: dict[Any, tuple[Any, Block | None]] = {}
    restarting: dict[Any, float] = {}
    for actor in actors:
        _prepare(actor, task, working)
    while not blocks.finished:
        (ready, *_), _ = ray.wait(list(working), num_returns=1)
        actor, block = working.pop(ready)
        try:
            answer = result_of(ray, ready)
        except worker_loss_errors(ray) as error:
            if block is not None:
                blocks.again(block, error)
            elif not is_restarting(ray, error, since=restarting.setdefault(actor, monotonic())):
                raise workers_died_error(error) from error
            if not any(there is actor and it is None for there, it in working.values()):
                _prepare(actor, task, working)  # answered when Ray has started it anew
        else:
            restarting.pop(actor, None)
            if block is not None:
                done, info, seconds = answer
                blocks.done(block, seconds)
                yield done, info
        _assign(actors, task, blocks, working)


def _prepare(actor: Any, task: Any, working: dict[Any, tuple[Any, Block | None]]) -> None:
    working[call(actor.prepare, task)] = actor, None


def _assign(
    actors: list[Any],
    task: Any,
    blocks: BlockQueue,
    working: dict[Any, tuple[Any, Block | None]],
) -> None:
    """Assign blocks to all actors that have answered, to those with the fewest first."""
    has = dict.fromkeys(actors, 0)
    for actor, block in working.values():
        has[actor] += _QUEUED if block is None else 1
    while min(has.values()) < _QUEUED and (block := blocks.next()) is not None:
        actor = min(has, key=has.__getitem__)
        working[actor.encode_block.remote(task, block.start, block.files)] = actor, block
        has[actor] += 1
