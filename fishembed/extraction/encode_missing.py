"""Encode what is missing: run an engine over the files, and keep what comes of it."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass

from fishembed._base.progress import Progress
from fishembed._base.text import counted
from fishembed.extraction.encoder_loader import EncoderLoader
from fishembed.extraction.engine import EncodingJob, Engine
from fishembed.extraction.known_features import KnownFeatures
from fishembed.extraction.plan import Plan
from fishembed.extraction.stage_times import Seconds, StageTimes


@dataclass(frozen=True)
class ReadSamples:
    """Samples that were read: digests, those skipped, times.

    Attributes
    ----------
    digests
        Of each sample, None where it could not be used.
    skipped
        (path, reason) of those.
    stages
        How busy each stage was.
    scaled
        Paths of images decoded now whose brightness was scaled by their content.
    """

    digests: list[str | None]
    skipped: tuple[tuple[str, str], ...]
    stages: StageTimes
    scaled: tuple[str, ...] = ()


def encode_missing(
    plan: Plan,
    job: EncodingJob,
    known: KnownFeatures,
    encoder: EncoderLoader,
    *,
    engine: Engine,
    reporter: Progress,
) -> ReadSamples:
    """Read every file that must be read, and encode those whose bytes are new.

    Whatever ends this, what was encoded by then is saved in a partial file; what ends it by
    Ctrl-C says how much that is.

    Parameters
    ----------
    plan
        Which files must be read.
    job
        These files, in the plan's order, and how they are read.
    known
        Features there are; gets the new ones.
    encoder, engine
        What encodes, and what it runs on.
    reporter
        Receives how far it is.
    """
    digests, reasons = list(plan.digests), dict[int, str]()
    scaled: list[int] = []
    unread = plan.unread.tolist()
    began, done, seconds = time.perf_counter(), 0, Seconds()
    loaded = encoder.load_seconds
    try:
        with closing(engine.run(job, encoder, known)) as finished:
            for files in finished:
                for number, digest in enumerate(files.digests, files.start):
                    digests[unread[number]] = digest
                reasons.update({unread[at]: why for at, why in files.reasons.items()})
                scaled += [unread[at] for at in files.scaled]
                known.add_encoded(files)
                for message in files.messages:
                    reporter.message(message)
                done += len(files.digests)
                seconds += files.seconds
                reporter.update(done, len(unread))
    except KeyboardInterrupt as error:
        raise KeyboardInterrupt(_kept_sentence(done, len(unread))) from error
    finally:
        known.save()
    if known.failed:
        for i, digest in enumerate(digests):
            if digest in known.failed:
                digests[i], reasons[i] = None, known.failed[digest]
    skipped = tuple((plan.samples[i].path, reasons[i]) for i in sorted(reasons))
    seconds += Seconds(write=known.write_seconds)
    wall = time.perf_counter() - began - (encoder.load_seconds - loaded)
    stages = StageTimes(seconds, wall, **vars(engine.info))
    paths = tuple(plan.samples[i].path for i in sorted(scaled))
    return ReadSamples(digests, skipped, stages, paths)


def _kept_sentence(done: int, of: int) -> str:
    if not done:
        return "no image was encoded yet; the same command starts again"
    return f"{done:,} of {counted(of, 'image')} are done and kept; the same command goes on there"
