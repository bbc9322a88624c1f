"""Encode what a store lacks: new images, and the names of their classes."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

from fishembed._base.progress import Progress
from fishembed._base.text import counted
from fishembed.cache import TextFeatures
from fishembed.encoders import PROMPT_SETS, PromptSet, encode_prompts, load_prompts, spoken_name
from fishembed.extraction.encoder_loader import EncoderLoader
from fishembed.extraction.engine import EncodingJob, Engine, Seconds, StageTimes
from fishembed.extraction.known_features import KnownByAll, KnownFeatures
from fishembed.extraction.plan import Plan


@dataclass(frozen=True)
class ReadSamples:
    """Result of reading samples: digests, skipped ones, times of the stages.

    Attributes
    ----------
    digests
        Of each sample, None where it could not be used.
    skipped
        (path, reason) of each sample that could not be used.
    stages
        Busy time of each stage.
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
    known: KnownFeatures | KnownByAll,
    encoder: EncoderLoader,
    *,
    engine: Engine,
    reporter: Progress,
) -> ReadSamples:
    """Read every file that must be read, and encode those whose bytes are new.

    However this ends, encoded images are saved in a partial file; the message of a
    KeyboardInterrupt contains their number.

    Parameters
    ----------
    plan, job
        Plan of the extraction; its unread files, in the same order, and options of reading.
    known
        Known features, to which the new ones are added.
    encoder, engine
        Encoder, and engine that runs it.
    reporter
        Receives messages and progress.
    """
    digests, unread = list(plan.digests), plan.unread.tolist()
    reasons: dict[int, str] = {}
    scaled: list[int] = []
    done, seconds = 0, Seconds()
    began, loaded = time.perf_counter(), encoder.load_seconds
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
        raise KeyboardInterrupt(_interrupted_sentence(done, len(unread))) from error
    finally:
        known.save()
    failed = known.failed
    for i, digest in enumerate(digests):
        if digest in failed:
            digests[i], reasons[i] = None, failed[digest]
    skipped = tuple((plan.samples[i].path, reasons[i]) for i in sorted(reasons))
    seconds += Seconds(write=known.write_seconds)
    wall = time.perf_counter() - began - (encoder.load_seconds - loaded)
    stages = StageTimes(seconds, wall, **vars(engine.info))
    paths = tuple(plan.samples[i].path for i in sorted(scaled))
    return ReadSamples(digests, skipped, stages, paths)


def _interrupted_sentence(done: int, of: int) -> str:
    if not done:
        return "no image was encoded yet; the same command starts again"
    return f"{done:,} of {counted(of, 'image')} are done and kept; the same command goes on there"


def load_prompt_sets(names: Sequence[str], before: Mapping[str, TextFeatures]) -> list[PromptSet]:
    """Return the requested prompt sets, and those that the store already has."""
    wanted = {key: PromptSet(key, text.templates) for key, text in before.items()}
    for name in names:
        # OpenCLIP's own templates are only loaded where the store lacks them.
        if name not in PROMPT_SETS or name not in wanted:
            prompts = load_prompts(name)
            wanted[prompts.key] = prompts
    return list(wanted.values())


def class_text_features(
    encoder: EncoderLoader,
    classes: Sequence[str],
    aliases: Mapping[str, str],
    prompts: Sequence[PromptSet],
    before: Mapping[str, TextFeatures],
) -> dict[str, TextFeatures]:
    """Return the text features of every prompt set, reusing those of the store.

    `aliases` maps classes to better names, `before` prompt sets to text features of the store.
    """
    if not classes or not encoder.has_text:
        return {}
    names = tuple(aliases.get(name, spoken_name(name)) for name in classes)
    fingerprint = encoder.text_fingerprint
    texts = {}
    for one in prompts:
        known = before.get(one.key)
        if known is not None and known.identity == (names, one.templates, fingerprint):
            texts[one.key] = known
            continue
        loaded = encoder.load()
        features = encode_prompts(loaded, names, one)
        scale = loaded.logit_scale or 1.0
        texts[one.key] = TextFeatures(features, names, one.templates, scale, fingerprint)
    return texts
