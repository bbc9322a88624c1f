"""What runs in a Ray worker: an encoder, and the pipeline of one machine around it."""

from __future__ import annotations

import os
import sys
import threading
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt

from fishembed.cache import Parts
from fishembed.errors import InputError, StoreWriteError
from fishembed.extraction.engine import Crew, Finished, Outcome, Work
from fishembed.extraction.lazy import LazyEncoder
from fishembed.extraction.part_writer import joined
from fishembed.extraction.pictures import cores
from fishembed.extraction.pipeline import EncodingStage, run_through
from fishembed.extraction.ray_encoder import Said
from fishembed.extraction.stages import NOTHING, Seconds
from fishembed.extraction.vectors import only_finite
from fishembed.images import Blob


@dataclass(frozen=True)
class Order:
    """What the driver wants of its workers.

    Attributes
    ----------
    encoder
        Loaded by a worker, if it has not done so before.
    fingerprint
        That it must have.
    how
        The work, without its files.
    known
        Digests that need no vector.
    sign
        What the driver has left where the parts lie.
    """

    encoder: LazyEncoder
    fingerprint: str
    how: Work
    known: frozenset[str]
    sign: str


class RayWorker:
    """An actor: holds an encoder, works through blocks, several at a time.

    It is made before anybody knows what it shall do. Every call that needs the encoder brings
    its description along, since Ray may have started the worker anew.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._encoder: LazyEncoder | None = None
        self._stage: EncodingStage | None = None
        self._parts: Parts | None = None

    def say(self, encoder: LazyEncoder) -> Said:
        """Load the encoder and tell what it is."""
        own = self._own(encoder)
        loaded = own.load()
        return Said(loaded.spec, loaded.device, loaded.logit_scale, own.trunk_dim)

    def encode_images(
        self, encoder: LazyEncoder, batch: npt.NDArray[np.uint8]
    ) -> npt.NDArray[np.float32]:
        """Encode pictures for the driver, see `RemoteEncoder`."""
        return self._own(encoder).load().encode_images(batch)

    def encode_texts(
        self, encoder: LazyEncoder, texts: Sequence[str]
    ) -> npt.NDArray[np.float32] | None:
        """Encode texts for the driver, see `RemoteEncoder`."""
        return self._own(encoder).load().encode_texts(texts)

    def greet(self, order: Order) -> None:
        """Make ready, before the first block; once.

        Raises
        ------
        InputError
            When the encoder is another here.
        """
        own = self._own(order.encoder)
        if own.spec.fingerprint != order.fingerprint:
            raise InputError(
                f"{os.uname().nodename} encodes otherwise than another machine of this run "
                f"(fingerprints {own.spec.fingerprint} and {order.fingerprint}): install the same "
                "versions of torch, OpenCLIP and timm on all, and where they are not alike choose "
                "one --precision"
            )
        with self._lock:
            if self._stage is None:
                self._begin(own, order)

    def _begin(self, encoder: LazyEncoder, order: Order) -> None:
        how = order.how
        if torch := sys.modules.get("torch"):  # the encoder has loaded it, or none needs it
            torch.set_num_threads(how.workers or cores())
        if how.parts is not None:
            parts = how.parts(uuid.uuid4().hex)
            self._parts = parts if parts.sees(order.sign) else None
        stage = EncodingStage(encoder, how)
        stage.open()
        self._stage = stage

    def _own(self, encoder: LazyEncoder) -> LazyEncoder:
        """Give the encoder that is here; the one that was brought where there is none."""
        with self._lock:
            if self._encoder is None:
                encoder.load()
                self._encoder = encoder
            return self._encoder

    def do(
        self, order: Order, start: int, files: Sequence[Path | Blob]
    ) -> tuple[Finished, Crew, float]:
        """Read and encode a block, whose first file is the `start`-th of all.

        Returns
        -------
        What came of it; what worked; and the seconds it took.
        """
        self.greet(order)  # Ray may have started this worker anew without anybody's notice
        stage = cast("EncodingStage", self._stage)
        began = time.perf_counter()
        work = replace(order.how, files=tuple(files))
        done = self._written(together(list(run_through(stage, work, order.known)), start))
        return done, stage.crew(), time.perf_counter() - began

    def _written(self, done: Finished) -> Finished:
        """Write vectors as a part where its place is seen from here and can be written to."""
        if self._parts is None or done.vectors is None:
            return done
        good, vectors, lost = only_finite(done.digests, done.vectors)
        began, part = time.perf_counter(), ""
        try:
            if good:
                with self._lock:
                    part = self._parts.add(good, vectors).name
        except StoreWriteError:
            return done  # the driver can, or says why not
        spent = done.spent + Seconds(write=time.perf_counter() - began)
        return replace(
            done, digests=tuple(good), vectors=None, part=part, unusable=tuple(lost), spent=spent
        )


def together(some: Sequence[Finished], start: int) -> Finished:
    """Tell of a whole block at once, its files called by their numbers in the whole run."""
    outcomes = [
        Outcome(one.number + start, one.digest, one.reason)
        for finished in some
        for one in finished.outcomes
    ]
    bundles = [one.vectors for one in some if one.vectors is not None]
    return Finished(
        tuple(outcomes),
        tuple(digest for one in some for digest in one.digests),
        joined(bundles) if bundles else None,
        reduce(add, (one.spent for one in some), NOTHING),
        notes=tuple(note for one in some for note in one.notes),
    )
