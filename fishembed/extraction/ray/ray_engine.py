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
"""Files of a block while nobody knows how fast workers are."""

_LEAST, _MOST = 32, 1 << 14

_SECONDS = 5.0
"""Work in a block: all that a death costs."""

_SHARES = 8
"""Blocks that are left for each worker, at the least, so that none waits long for the last."""

_QUEUED = 3
"""Blocks that a worker has at hand, so that it does not wait for the driver between two."""


@dataclass(frozen=True)
class Block:
    """Some files, of which the first is the `start`-th of the run."""

    start: int
    files: tuple[File, ...]


class BlockQueue:
    """What is left to do: first large blocks, then smaller ones (guided self-scheduling).

    The deaths of its workers end the run when a block was tried `tries` times.

    Notes
    -----
    Source: Polychronopoulos and Kuck 1987, "Guided self-scheduling": each block is a fixed
    share of what is left. Here a time bounds it from above.
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
        """Whether every block has been handed to a worker and is done."""
        return not self._open and not self._back and self._next == len(self._files)

    def next(self) -> Block | None:
        """Return a block: one that came back, else new files; None where all are taken."""
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
        """Learn that a block is done, and how long it took."""
        self._open -= 1
        size = round(len(block.files) * _SECONDS / max(seconds, 1e-3))
        # A block may have had little to encode, so that one alone means little.
        self._most = min(_MOST, 2 * self._most, max(_LEAST, size))

    def again(self, block: Block, why: Exception) -> None:
        """Return a block to the queue, whose worker has died.

        Raises
        ------
        FishembedError
            When that has happened too often.
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
        `auto` means, the workers' hardware decides.
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
    facts = call_and_wait(pool.ray, first.describe_encoder, loader)
    return RemoteEncoder(**vars(facts), ray=pool.ray, actor=first, loader=loader)


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
