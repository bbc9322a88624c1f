"""Have what is new of a source read and encoded, and keep what comes of it."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass

from fishembed._base.progress import Progress
from fishembed.extraction.engine import Engine, Work
from fishembed.extraction.lazy import LazyEncoder
from fishembed.extraction.plan import Plan
from fishembed.extraction.stages import Seconds, StageTimes
from fishembed.extraction.vectors import NOT_FINITE, KnownVectors


@dataclass(frozen=True)
class Read:
    """What came of it.

    Attributes
    ----------
    digests
        Of each planned row, None where it could not be used.
    skipped
        (path, reason) of those.
    stages
        How busy each stage was.
    """

    digests: list[str | None]
    skipped: tuple[tuple[str, str], ...]
    stages: StageTimes


def read_and_encode(
    plan: Plan,
    work: Work,
    vectors: KnownVectors,
    encoder: LazyEncoder,
    *,
    engine: Engine,
    reporter: Progress,
) -> Read:
    """Read every picture that must be read, and encode those whose bytes are new.

    Whatever ends this, what was encoded by then is saved as a part.

    Parameters
    ----------
    plan
        Which pictures must be read.
    work
        Their files in the plan's order, and how they are read.
    vectors
        Those there are; gets the new ones.
    encoder, engine
        What encodes, and what it runs on.
    reporter
        Hears how far it is.
    """
    digests: list[str | None] = [row.digest for row in plan.rows]
    reasons: dict[int, str] = {}
    unread = plan.unread
    began, done, spent = time.perf_counter(), 0, Seconds()
    try:
        with closing(engine.run(work, encoder, vectors)) as finished:
            for some in finished:
                for outcome in some.outcomes:
                    row = unread[outcome.number]
                    digests[row] = outcome.digest
                    if outcome.reason:
                        reasons[row] = outcome.reason
                vectors.unusable.update(some.unusable)
                if some.part:
                    vectors.add_part(some.part, some.digests)
                elif some.vectors is not None:
                    vectors.add(some.digests, some.vectors)
                for note in some.notes:
                    reporter.message(note)
                done += len(some.outcomes)
                spent += some.spent
                reporter.update(done, len(unread))
    finally:
        vectors.save()
    for i, digest in enumerate(digests):
        if digest in vectors.unusable:
            digests[i], reasons[i] = None, NOT_FINITE
    skipped = tuple((plan.rows[i].item.path, reasons[i]) for i in sorted(reasons))
    spent += Seconds(write=vectors.write_seconds)
    stages = StageTimes(spent, time.perf_counter() - began, **vars(engine.crew))
    return Read(digests, skipped, stages)
