"""Extraction on several machines, by Ray.

Files go out in blocks to actors that each hold an encoder and run the pipeline of one machine,
two blocks at a time, so that one fills its stages while those of the other run empty. A worker
that sees the store's place writes what a block came to as a part, and tells the driver its name;
one that does not sends the features. A block is told of once, when all of it is done, so that no
row is lost or doubled; when its worker dies, others do it, while Ray starts that one anew.

Ray Data would bring an exchange of data between operators and a plan of its own. Here a block is
file names in and digests out, so actors alone are enough, and start sooner.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import cache, partial
from typing import Any

from fishembed.extraction.encoder_loader import EncoderLoader
from fishembed.extraction.engine import EncodedFiles, EncodingJob, EngineInfo
from fishembed.extraction.ray.block_queue import Block, Blocks
from fishembed.extraction.ray.cluster import Staff, staff
from fishembed.extraction.ray.ray_worker import Order
from fishembed.extraction.ray.remote_encoder import (
    TRIES,
    RemoteEncoder,
    answer,
    ask,
    asked,
    losses,
    never_alive,
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
    _hired: Callable[[], Staff] = field(init=False, repr=False)

    @contextmanager
    def prepared(self, encoder: EncoderLoader, *, expected: int) -> Iterator[None]:
        """Let `run` hire workers, and let them go in the end; see `Engine.prepared`.

        Where files are expected they are hired at once, and the driver loads no encoder: what
        `auto` means, the workers' hardware says.
        """
        with ExitStack() as stack:
            wanted = staff(self.address, self.workers, self.gpus_per_worker)
            self._hired = cache(lambda: stack.enter_context(wanted))
            if expected and not encoder.is_loaded:
                encoder.load_elsewhere(partial(_load, self._hired()))
            yield

    def run(
        self, work: EncodingJob, encoder: EncoderLoader, known: Collection[str]
    ) -> Generator[EncodedFiles, None, None]:
        """Yield what is finished, a block at a time, in the order that blocks are done."""
        if not work.files:
            return
        sign = uuid.uuid4().hex
        if work.partial_files is not None:
            work.partial_files("").show(sign)
        away, fingerprint = encoder.detached(), encoder.spec.fingerprint
        team = self._hired()
        how = replace(work, files=(), workers=work.workers or team.cores)
        order = team.ray.put(Order(away, fingerprint, how, frozenset(known), sign))
        blocks = Blocks(work.files, len(team.actors), tries=TRIES)
        for done, info in _collect(team, blocks, order):
            self._notice(info, len(team.actors))
            yield done

    def _notice(self, info: EngineInfo, n: int) -> None:
        """Sum up what the workers are."""
        several = f"{n} Ray worker{'s' if n > 1 else ''}"
        device = f"{info.device}, {several}" if info.device else self.info.device
        self.info = replace(
            info, device=device, workers=info.workers * n, lanes=info.lanes * n, writers=n
        )


def _load(team: Staff, away: EncoderLoader) -> RemoteEncoder:
    """Have all workers load an encoder, and let the first of them stand for all."""
    first, *others = team.actors
    for actor in others:
        actor.say.remote(away)  # what fails there is heard when it is greeted
    return RemoteEncoder(team.ray, first, away, asked(team.ray, first.say, away))


def _collect(team: Staff, blocks: Blocks, order: Any) -> Iterator[tuple[EncodedFiles, EngineInfo]]:
    """Keep every actor busy, and yield what each block came to."""
    ray, actors = team.ray, team.actors
    working: dict[Any, tuple[Any, Block | None]] = {}
    for actor in actors:
        _greet(actor, order, working)
    while not blocks.finished:
        (ready, *_), _ = ray.wait(list(working), num_returns=1)
        actor, block = working.pop(ready)
        try:
            told = answer(ray, ready)
        except losses(ray) as error:
            if block is None:
                raise never_alive(error) from error
            blocks.again(block, error)
            if not any(there is actor and it is None for there, it in working.values()):
                _greet(actor, order, working)  # answered when Ray has started it anew
        else:
            if block is not None:
                done, info, seconds = told
                blocks.done(block, seconds)
                yield done, info
        _give(actors, order, blocks, working)


def _greet(actor: Any, order: Any, working: dict[Any, tuple[Any, Block | None]]) -> None:
    working[ask(actor.greet, order)] = actor, None


def _give(
    actors: list[Any],
    order: Any,
    blocks: Blocks,
    working: dict[Any, tuple[Any, Block | None]],
) -> None:
    """Return blocks to all actors that have answered, to those with the fewest first."""
    has = dict.fromkeys(actors, 0)
    for actor, block in working.values():
        has[actor] += _QUEUED if block is None else 1
    while min(has.values()) < _QUEUED and (block := blocks.next()) is not None:
        actor = min(has, key=has.__getitem__)
        working[actor.do.remote(order, block.start, block.files)] = actor, block
        has[actor] += 1
