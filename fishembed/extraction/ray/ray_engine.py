"""Extraction on several machines, by Ray.

Files are sent in blocks to actors, each with an encoder and the pipeline of one machine, two
blocks at a time, so that one fills the stages while those of the other run empty. A worker that
reaches the store's folder writes the features of a block to a partial file, and returns its name to
the driver; other workers return the features. A block is reported once, when all of it is done, so
that no row is lost or doubled; when its worker dies, another processes it while Ray restarts that
one.

Ray Data would add an exchange of data between operators and a plan of its own. Here a block is
file names in and digests out, so actors alone are enough, and start sooner.
"""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import cache, partial
from time import monotonic
from typing import Any

from fishembed.errors import FishembedError
from fishembed.extraction.encoder_loader import EncoderLoader
from fishembed.extraction.engine import EncodedFiles, EncodingJob, EngineInfo
from fishembed.extraction.ray.ray_cluster import (
    TRIES,
    RemoteEncoder,
    WorkerPool,
    call,
    call_and_wait,
    is_restarting,
    result_of,
    worker_loss_errors,
    worker_pool,
    workers_died_error,
)
from fishembed.extraction.ray.ray_worker import WorkerTask
from fishembed.extraction.read_block import File

_FIRST = 512
"""Files of a block while the workers' speed is not known."""

_LEAST, _MOST = 32, 1 << 14

_SECONDS = 5.0
"""Work in a block, which is lost when a worker dies."""

_SHARES = 8
"""Least number of blocks left for each worker, so that none waits long for the last."""

_QUEUED = 3
"""Blocks queued for a worker, so that it does not wait for the driver between two."""


@dataclass(frozen=True)
class Block:
    """Consecutive files, the first of which is the `start`-th of the run."""

    start: int
    files: tuple[File, ...]


class BlockQueue:
    """Queue of the remaining blocks: first large, then smaller ones (guided self-scheduling).

    The run ends when workers died at the same block `tries` times.

    Notes
    -----
    Source: Polychronopoulos and Kuck 1987, "Guided self-scheduling": each block is a fixed
    share of the remaining files. Here a time bounds it from above.
    """

    def __init__(self, files: Sequence[File], workers: int, *, tries: int) -> None:
        self._files = files
        self._workers = workers
        self._tries = tries
        self._next = 0
        self._most = _FIRST
        self._back: deque[Block] = deque()
        self._deaths: dict[int, int] = {}
        self._open = 0

    @property
    def finished(self) -> bool:
        """Whether every block is done."""
        return not self._open and not self._back and self._next == len(self._files)

    def next(self) -> Block | None:
        """Return a block: one whose worker died, else new files; None where none is left."""
        if self._back:
            block = self._back.popleft()
        elif self._next < len(self._files):
            left = len(self._files) - self._next
            fair = -(-left // (self._workers * _SHARES))
            size = min(self._most, max(_LEAST, fair))
            block = Block(self._next, tuple(self._files[self._next : self._next + size]))
            self._next += len(block.files)
        else:
            return None
        self._open += 1
        return block

    def done(self, block: Block, seconds: float) -> None:
        """Record that a block is done, and how long it took."""
        self._open -= 1
        size = round(len(block.files) * _SECONDS / max(seconds, 1e-3))
        # A single block may have had few images to encode, so the size changes slowly.
        self._most = min(_MOST, 2 * self._most, max(_LEAST, size))

    def again(self, block: Block, why: Exception) -> None:
        """Put a block whose worker has died back into the queue.

        Raises
        ------
        FishembedError
            When that happened `tries` times.
        """
        self._open -= 1
        died = self._deaths[block.start] = self._deaths.get(block.start, 0) + 1
        if died >= self._tries:
            raise FishembedError(
                f"no worker could do the block that starts with file {block.start:,}, "
                f"{died} times tried: {' '.join(str(why).split())[:300]}"
            ) from why
        self._back.append(block)


@dataclass
class RayEngine:
    """Actors of a Ray cluster, see `fishembed.extraction.engine.Engine`.

    Parameters
    ----------
    address
        Address of a cluster, such as `auto` or `host:6379`; Ray is started on this machine when
        left out.
    workers
        Number of actors; one for each GPU, or for each machine without GPUs, when left out.
    gpus_per_worker
        GPUs of each actor; 1 where the cluster has some, when left out.
    """

    address: str | None = None
    workers: int | None = None
    gpus_per_worker: float | None = None
    info: EngineInfo = field(default_factory=EngineInfo, init=False)
    _start_workers: Callable[[], WorkerPool] = field(init=False, repr=False)

    @contextmanager
    def prepared(self, encoder: EncoderLoader, *, expected: int) -> Iterator[None]:
        """Let `run` start workers, and end them afterwards; see `Engine.prepared`.

        Where files are expected, workers are started at once, and the driver loads no encoder:
        `auto` is decided by the workers' hardware.
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
        """Yield the finished files, a block at a time, in the order that blocks are done."""
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
        """Set `info` to the sum over the workers."""
        several = f"{n} Ray worker{'s' if n > 1 else ''}"
        device = f"{info.device}, {several}" if info.device else self.info.device
        self.info = replace(
            info, device=device, workers=info.workers * n, lanes=info.lanes * n, writers=n
        )


def _load(pool: WorkerPool, loader: EncoderLoader) -> RemoteEncoder:
    """Load an encoder in all workers, and return a proxy of the first one's."""
    first, *others = pool.actors
    for actor in others:
        actor.describe_encoder.remote(loader)  # an error there is raised by `prepare`
    facts = call_and_wait(pool.ray, first.describe_encoder, loader)
    return RemoteEncoder(**vars(facts), ray=pool.ray, actor=first, loader=loader)


def _collect(
    pool: WorkerPool, blocks: BlockQueue, task: Any
) -> Iterator[tuple[EncodedFiles, EngineInfo]]:
    """Assign blocks to all actors, and yield the result of each block."""
    ray, actors = pool.ray, pool.actors
    working: dict[Any, tuple[Any, Block | None]] = {}
    restarting: dict[Any, float] = {}
    for actor in actors:
        _prepare(actor, task, working)
    while not blocks.finished:
        (ready, *_), _ = ray.wait(list(working), num_returns=1)
        actor, block = working.pop(ready)
        try:
            result = result_of(ray, ready)
        except worker_loss_errors(ray) as error:
            if block is not None:
                blocks.again(block, error)
            elif not is_restarting(ray, error, since=restarting.setdefault(actor, monotonic())):
                raise workers_died_error(error) from error
            if not any(there is actor and it is None for there, it in working.values()):
                _prepare(actor, task, working)  # returns when Ray has restarted it
        else:
            restarting.pop(actor, None)
            if block is not None:
                done, info, seconds = result
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
    """Assign blocks to all actors that are prepared, to those with the fewest first."""
    has = dict.fromkeys(actors, 0)
    for actor, block in working.values():
        has[actor] += _QUEUED if block is None else 1
    while min(has.values()) < _QUEUED and (block := blocks.next()) is not None:
        actor = min(has, key=has.__getitem__)
        working[actor.encode_block.remote(task, block.start, block.files)] = actor, block
        has[actor] += 1
