"""Ray worker: an encoder and the pipeline of one machine."""

from __future__ import annotations

import os
import sys
import threading
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import numpy.typing as npt

from fishembed.cache import PartialFiles
from fishembed.encoders import EncoderSpec
from fishembed.errors import InputError, StoreWriteError
from fishembed.extraction.encoder_loader import EncoderLoader
from fishembed.extraction.engine import EncodedFiles, EncodingJob, EngineInfo, Seconds, joined
from fishembed.extraction.known_features import NOT_FINITE, only_finite
from fishembed.extraction.local_engine import EncodingStage, encode_files
from fishembed.extraction.read_block import File
from fishembed.extraction.readers import cores


@dataclass(frozen=True)
class EncoderFacts:
    """Description of a worker's encoder, see `fishembed.encoders.Encoder`."""

    spec: EncoderSpec
    device: str
    logit_scale: float | None
    trunk_dim: int


@dataclass(frozen=True)
class WorkerTask:
    """Task that the driver sends to its workers.

    Attributes
    ----------
    encoder
        Loader of the encoder.
    fingerprint
        Fingerprint that the encoder must have.
    how
        The job, without its files.
    known
        Digests that need no embedding.
    sign
        Marker that the driver has written beside the partial files: a worker that reads it there
        reaches the same folder.
    """

    encoder: EncoderLoader
    fingerprint: str
    how: EncodingJob
    known: frozenset[str]
    sign: str


class RayWorker:
    """Ray actor with an encoder that processes blocks, several at a time.

    It is created before its task is known. Every call that needs the encoder contains its loader,
    since Ray may have restarted the worker.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._encoder: EncoderLoader | None = None
        self._stage: EncodingStage | None = None
        self._partial_files: PartialFiles | None = None

    def describe_encoder(self, encoder: EncoderLoader) -> EncoderFacts:
        """Load the encoder and return its description."""
        own = self._own(encoder)
        loaded = own.load()
        return EncoderFacts(loaded.spec, loaded.device, loaded.logit_scale, own.trunk_dim)

    def encode_images(
        self, encoder: EncoderLoader, batch: npt.NDArray[np.uint8]
    ) -> npt.NDArray[np.float32]:
        """Encode images for the driver, see `RemoteEncoder`."""
        return self._own(encoder).load().encode_images(batch)

    def encode_texts(
        self, encoder: EncoderLoader, texts: Sequence[str]
    ) -> npt.NDArray[np.float32] | None:
        """Encode texts for the driver, see `RemoteEncoder`."""
        return self._own(encoder).load().encode_texts(texts)

    def prepare(self, task: WorkerTask) -> None:
        """Load the encoder and open the partial files, once, before the first block.

        Raises
        ------
        InputError
            When the encoder here differs from that of the task.
        """
        own = self._own(task.encoder)
        if own.spec.fingerprint != task.fingerprint:
            raise InputError(
                f"{os.uname().nodename} encodes otherwise than another machine of this run "
                f"(fingerprints {own.spec.fingerprint} and {task.fingerprint}): install the same "
                "versions of torch, OpenCLIP and timm on all, and where they are not alike choose "
                "one --precision"
            )
        with self._lock:
            if self._stage is None:
                self._begin(own, task)

    def _begin(self, encoder: EncoderLoader, task: WorkerTask) -> None:
        how = task.how
        if torch := sys.modules.get("torch"):  # the encoder has loaded it, or none needs it
            torch.set_num_threads(how.workers or cores())
        if how.partial_files is not None:
            parts = how.partial_files(uuid.uuid4().hex)
            self._partial_files = parts if parts.has_marker(task.sign) else None
        stage = EncodingStage(encoder, how)
        stage.open()
        self._stage = stage

    def _own(self, encoder: EncoderLoader) -> EncoderLoader:
        """Return this worker's encoder; the first call sets and loads it."""
        with self._lock:
            if self._encoder is None:
                encoder.load()
                self._encoder = encoder
            return self._encoder

    def encode_block(
        self, task: WorkerTask, start: int, files: Sequence[File]
    ) -> tuple[EncodedFiles, EngineInfo, float]:
        """Read and encode a block; return its files, the engine's facts, and seconds.

        Its first file is the `start`-th of the run.
        """
        self.prepare(task)  # Ray may have restarted this worker without notice
        stage = cast("EncodingStage", self._stage)
        began = time.perf_counter()
        work = replace(task.how, files=tuple(files))
        done = self._saved(joined_files(list(encode_files(stage, work, task.known)), start))
        return done, stage.info, time.perf_counter() - began

    def _saved(self, done: EncodedFiles) -> EncodedFiles:
        """Write features to a partial file where its folder is reached from here and writable."""
        if self._partial_files is None or done.features is None:
            return done
        finite, features, lost = only_finite(done.encoded, done.features)
        began, name = time.perf_counter(), ""
        try:
            if finite:
                with self._lock:
                    name = self._partial_files.write(finite, features).name
        except StoreWriteError:
            return done  # the driver can write, or reports why not
        seconds = done.seconds + Seconds(write=time.perf_counter() - began)
        return replace(
            done,
            encoded=finite,
            features=None,
            partial_file=name,
            failed={**done.failed, **dict.fromkeys(lost, NOT_FINITE)},
            seconds=seconds,
        )


def joined_files(some: Sequence[EncodedFiles], start: int) -> EncodedFiles:
    """Return the results of a block as one, its files numbered from `start`."""
    arrays = [one.features for one in some if one.features is not None]
    return EncodedFiles(
        start,
        [digest for one in some for digest in one.digests],
        {start + at: reason for one in some for at, reason in one.reasons.items()},
        [digest for one in some for digest in one.encoded],
        joined(arrays) if arrays else None,
        sum((one.seconds for one in some), Seconds()),
        [message for one in some for message in one.messages],
        failed={digest: reason for one in some for digest, reason in one.failed.items()},
        scaled=[start + at for one in some for at in one.scaled],
    )
