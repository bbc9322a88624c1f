"""An encoder that a Ray worker holds, so that the driver needs neither its weights nor a GPU."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fishembed.encoders import EncoderSpec
from fishembed.errors import FishembedError
from fishembed.extraction.encoder_loader import EncoderLoader

TRIES = 4
"""Times that something is asked of workers before their deaths end the run."""
RESTART_SECONDS = 120.0
"""How long a worker that died may take until it answers again: it loads its libraries anew."""


@dataclass(frozen=True)
class EncoderFacts:
    """Description of a worker's encoder, see `fishembed.encoders.Encoder`."""

    spec: EncoderSpec
    device: str
    logit_scale: float | None
    trunk_dim: int


@dataclass(frozen=True)
class RemoteEncoder:
    """The encoder of a worker, through the protocol of `fishembed.encoders.Encoder`.

    Attributes
    ----------
    ray
        The module.
    actor
        Handle of a `RayWorker`.
    away
        The encoder as it is sent to a worker; one that was started anew loads it again.
    facts
        What the worker reported of it.
    """

    ray: Any
    actor: Any
    away: EncoderLoader
    facts: EncoderFacts

    @property
    def spec(self) -> EncoderSpec:
        """Description of the encoder, with its fingerprint."""
        return self.facts.spec

    @property
    def device(self) -> str:
        """Where it runs, as a person would say it."""
        return self.facts.device

    @property
    def logit_scale(self) -> float | None:
        """Factor that turns cosines into logits; None without a text tower."""
        return self.facts.logit_scale

    @property
    def trunk_dim(self) -> int:
        """Length of the embedding before the projection; 0 where nothing is projected."""
        return self.facts.trunk_dim

    def encode_images(self, batch: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Encode uint8 (n, crop, crop, 3) to float32 (n, dim), not normalised."""
        features: npt.NDArray[np.float32] = self._call("encode_images", batch)
        return features

    def encode_texts(self, texts: Sequence[str]) -> npt.NDArray[np.float32] | None:
        """Encode n texts to float32 (n, dim); None without a text tower."""
        features: npt.NDArray[np.float32] | None = self._call("encode_texts", list(texts))
        return features

    def _call(self, method: str, what: object) -> Any:
        return call_and_wait(self.ray, getattr(self.actor, method), self.away, what)


def call_and_wait(ray: Any, method: Any, *what: Any) -> Any:
    """Return what a method of a worker says, see `ask`.

    Raises
    ------
    FishembedError
        When it dies each time.
    """
    began = time.monotonic()
    while True:
        try:
            return result_of(ray, call(method, *what))
        except worker_loss_errors(ray) as error:  # noqa: PERF203 - it is tried again
            if not is_restarting(ray, error, since=began):
                raise workers_died_error(error) from error


def call(method: Any, *what: Any) -> Any:
    """Call a method of a worker, again where it dies; return the promise of what it says."""
    return method.options(max_task_retries=TRIES - 1).remote(*what)


def result_of(ray: Any, promise: Any) -> Any:
    """Return the result of a call, or raise what it raised."""
    try:
        return ray.get(promise)
    except ray.exceptions.RayTaskError as error:
        cause = error.cause
        raise cause if isinstance(cause, FishembedError) else error from None


def worker_loss_errors(ray: Any) -> tuple[type[Exception], ...]:
    """Name the errors that say that a worker, its machine or what it gave was lost."""
    names = ("RayActorError", "ObjectLostError", "OutOfMemoryError", "NodeDiedError")
    return tuple(getattr(ray.exceptions, name) for name in names)


def is_restarting(ray: Any, error: Exception, *, since: float) -> bool:
    """Return whether a worker is only being started anew, after a short wait if so.

    Parameters
    ----------
    error
        What a call of it raised.
    since
        `time.monotonic()` of the first such call; after `RESTART_SECONDS` it counts as dead.
    """
    restarting = (
        isinstance(error, ray.exceptions.ActorUnavailableError)
        and time.monotonic() - since < RESTART_SECONDS
    )
    if restarting:
        time.sleep(0.2)
    return restarting


def workers_died_error(error: Exception) -> FishembedError:
    """Return what is raised where a worker dies again and again."""
    why = " ".join(str(error).split())[:300]
    return FishembedError(f"a Ray worker died each of {TRIES} times that it was started: {why}")
