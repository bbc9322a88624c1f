"""The pipeline of one machine: read, decode, collect, encode, each while the others work.

    files ─▶ decoding threads ─▶ window ─▶ batches ─▶ lanes of the encoder ─▶ finished

A window bounds the pictures that wait, and a short queue the batches. On a CPU every core
is a lane of its own: two batches in two threads take less time than two threads on one
batch, and threads that never wait for one another share their cores with decoding at little
loss.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Collection, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, closing, nullcontext
from dataclasses import replace
from queue import SimpleQueue
from types import TracebackType
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from fishembed.encoders import Encoder, EncoderSpec, good_batch_size, lanes
from fishembed.extraction.batches import BatchSize, Encoded, clock_of, encode_in_halves
from fishembed.extraction.device_decoding import DecodingHelper
from fishembed.extraction.engine import Crew, Finished, Outcome, Work
from fishembed.extraction.lazy import LazyEncoder, encode_with
from fishembed.extraction.pictures import Preparation, ReadPicture, cores, read_pictures
from fishembed.extraction.stages import Seconds
from fishembed.images import DeviceDecoder

T = TypeVar("T")

_WINDOW_BYTES = 128 << 20
_TOLD_AT_ONCE = 256
"""Files that need no encoding are told of in groups of this size."""


class LocalEngine:
    """Threads of this process, see `fishembed.extraction.engine.Engine`."""

    def __init__(self) -> None:
        self.crew = Crew()

    def prepared(
        self,
        encoder: LazyEncoder,  # noqa: ARG002 - the protocol's signature
        *,
        soon: bool,  # noqa: ARG002
    ) -> AbstractContextManager[None]:
        """Give no context: threads need none."""
        return nullcontext()

    def run(
        self, work: Work, encoder: LazyEncoder, known: Collection[str]
    ) -> Generator[Finished, None, None]:
        """Yield what is finished, in the order of the files."""
        if not work.files:
            return
        with (
            EncodingStage(encoder, work) as stage,
            closing(run_through(stage, work, known)) as done,
        ):
            for finished in done:
                self.crew = stage.crew()
                yield finished


def run_through(
    stage: EncodingStage, work: Work, known: Collection[str]
) -> Generator[Finished, None, None]:
    """Read and decode files in threads of their own and encode them in a stage that stays open.

    Yields what is finished, in the order of the files. Several may share one stage.
    """
    pixels, mode = stage.spec.preprocessing, stage.spec.decoding
    how = Preparation(pixels.geometry(), mode, work.max_pixels)
    with ExitStack() as stack:
        if mode == "device":
            helper = DecodingHelper(stage.decoder, how.decode)
            how = replace(how, helper=stack.enter_context(helper))
        pictures = read_pictures(
            work.files,
            known,
            how,
            workers=work.workers,
            window=min(1024, max(16, _WINDOW_BYTES // (3 * pixels.crop * pixels.crop))),
        )
        stack.enter_context(closing(pictures))
        yield from in_order(stage.submissions(pictures), lambda: 2 * stage.lanes)


class Batch:
    """Files that are told of together, and the pixels of those that must be encoded."""

    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []
        self.digests: list[str] = []
        self.pixels: list[npt.NDArray[np.uint8]] = []
        self.spent = Seconds()

    def add(self, number: int, picture: ReadPicture, seen: set[str]) -> None:
        """Take a file; its pixels only where no file before had the same bytes."""
        digest = picture.digest if not picture.reason else None
        self.outcomes.append(Outcome(number, digest, picture.reason))
        self.spent += picture.spent
        if digest is not None and picture.pixels is not None and digest not in seen:
            seen.add(digest)
            self.digests.append(digest)
            self.pixels.append(picture.pixels)

    def finished(self, encoded: Encoded | None = None) -> Finished:
        """Give what is told of it, with its vectors."""
        if encoded is None:
            return Finished(tuple(self.outcomes), spent=self.spent)
        fewer = f"a batch did not fit into memory: going on with {encoded.shrunk_to} at once"
        notes = (fewer,) if encoded.shrunk_to else ()
        spent = self.spent + Seconds(encode=encoded.seconds)
        outcomes, digests = tuple(self.outcomes), tuple(self.digests)
        return Finished(outcomes, digests, encoded.vectors, spent, notes)


class EncodingStage:
    """Batches into the lanes of an encoder, which is loaded when the first must be encoded.

    Several threads may share one.

    Parameters
    ----------
    encoder
        The encoder.
    work
        Says how large a batch is, and which vectors are wanted.
    """

    def __init__(self, encoder: LazyEncoder, work: Work) -> None:
        self._encoder = encoder
        self._work = work
        self._stack = ExitStack()
        self._free: SimpleQueue[Encoder] = SimpleQueue()
        self._pool: ThreadPoolExecutor | None = None
        self._decoder: DeviceDecoder | None = None
        self._lock = threading.Lock()
        self._sizes = BatchSize(1)
        self.lanes = 1

    def __enter__(self) -> EncodingStage:  # noqa: PYI034 - Self needs Python 3.11
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    @property
    def spec(self) -> EncoderSpec:
        """What the encoder is."""
        return self._encoder.spec

    def decoder(self) -> DeviceDecoder:
        """Give what decodes on the encoder's device; the encoder is loaded for it."""
        self.open()
        with self._lock:
            if self._decoder is None:
                device, pixels = self._encoder.device.split(" ")[0], self.spec.preprocessing
                self._decoder = DeviceDecoder(device, pixels.geometry(), self._work.max_pixels)
            return self._decoder

    def crew(self) -> Crew:
        """Give what is at work."""
        workers = self._work.workers or cores()
        if self._pool is None:
            return Crew(workers=workers)
        return Crew(self._encoder.device, workers, self.lanes, self._sizes.now)

    def submissions(self, pictures: Iterable[ReadPicture]) -> Iterator[Future[Finished]]:
        """Collect pictures and yield a promise for each batch of them."""
        batch, size, seen = Batch(), 0, set[str]()
        for number, picture in enumerate(pictures):
            batch.add(number, picture, seen)
            if batch.digests and not size:
                size = self.open().next()
            enough = len(batch.digests) >= size if size else len(batch.outcomes) >= _TOLD_AT_ONCE
            if enough:
                yield self._submit(batch)
                batch, size = Batch(), 0
        if batch.outcomes:
            yield self._submit(batch)

    def open(self) -> BatchSize:
        """Load the encoder where that was not done yet; give what tells how large a batch is."""
        with self._lock:
            if self._pool is None:
                encoder = self._encoder.load()
                usual = good_batch_size(encoder.device)
                several = self._stack.enter_context(lanes(encoder))
                for lane in several:
                    self._free.put(lane)
                self.lanes = len(several)
                self._sizes = BatchSize(usual, self._work.batch_size)
                self._pool = ThreadPoolExecutor(self.lanes, thread_name_prefix="encode")
                self._stack.callback(self._pool.shutdown, wait=True, cancel_futures=True)
            return self._sizes

    def _submit(self, batch: Batch) -> Future[Finished]:
        if self._pool is not None and batch.digests:
            return self._pool.submit(self._encode, batch)
        done: Future[Finished] = Future()
        done.set_result(batch.finished())
        return done

    def _encode(self, batch: Batch) -> Finished:
        lane = self._free.get()
        try:
            encoded = encode_in_halves(
                lambda pixels: encode_with(lane, pixels, trunk=self._work.trunk),
                np.stack(batch.pixels),
                self._sizes,
                clock_of(lane.device),
            )
        finally:
            self._free.put(lane)
        return batch.finished(encoded)


def in_order(promises: Iterator[Future[T]], depth: Callable[[], int]) -> Iterator[T]:
    """Yield results in order, with up to `depth()` promises open.

    When one fails, those after it that were begun are still waited for and yielded, since
    their work is done; then the first failure is raised.
    """
    begun: deque[Future[T]] = deque()
    failure: BaseException | None = None
    for promise in promises:
        begun.append(promise)
        while failure is None and begun and (len(begun) > depth() or begun[0].done()):
            failure = begun[0].exception()
            if failure is None:
                yield begun.popleft().result()
        if failure is not None:
            break
    for promise in begun:
        if failure is not None and promise.cancel():
            continue
        error = promise.exception()
        if error is None:
            yield promise.result()
        failure = failure or error
    if failure is not None:
        raise failure
