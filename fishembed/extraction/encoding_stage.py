"""Encoding stage: batches of images go to the lanes of an encoder, its copies that run at once."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from queue import SimpleQueue
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from fishembed.encoders import (
    Encoder,
    EncoderSpec,
    good_batch_size,
    lane_stream,
    page_locked,
    parallel_encoders,
)
from fishembed.extraction.batch_size import (
    BatchSize,
    EncodedBatch,
    clock_of,
    encode_in_halves,
    is_out_of_memory,
)
from fishembed.extraction.encoder_loader import EncoderLoader, encode_batch
from fishembed.extraction.engine import EncodedFiles, EncodingJob, EngineInfo
from fishembed.extraction.reading.image_ring import ImageRing, Pixels, Segment
from fishembed.extraction.reading.read_block import (
    DECODING_ERRORS,
    ImageTransform,
    StoredImage,
    skip_reason,
)
from fishembed.extraction.reading.readers import ImageBlock, cores
from fishembed.extraction.stage_times import Seconds
from fishembed.images import DeviceDecoder

if TYPE_CHECKING:
    import torch

    Images = Pixels | torch.Tensor

T = TypeVar("T")

_SEEN_AT_ONCE = 1 << 16
"""Digests that are remembered until those who know what is encoded know them too."""

_FILES_AT_ONCE = 256
"""Files that need no encoding are reported in groups of this size."""


class Batch:
    """Files that are reported together, and where the images are that must be encoded.

    `rows_held` counts the rows of the ring that wait for it; it is looked at for every file.
    """

    def __init__(self, ring: ImageRing, start: int) -> None:
        self._ring = ring
        self._segments: list[Segment] = []
        self.rows_held = 0
        self.start = start
        self.digests: list[str | None] = []
        self.reasons: dict[int, str] = {}
        self.encoded: list[str] = []
        self.rows: list[int] = []
        self.lengths: list[int] = []
        self.seconds = Seconds()
        self.failed: dict[str, str] = {}
        self.scaled: list[int] = []

    def add(self, digest: str | None, image: StoredImage | None, first_row: int) -> None:
        """Add a file, and its image where that must be encoded."""
        self.digests.append(digest)
        if image is not None and digest is not None:
            self.encoded.append(digest)
            self.rows.append(first_row + image.row)
            self.lengths.append(image.length)

    def hold(self, segment: Segment) -> None:
        """Hold a segment of the ring until this batch is encoded."""
        self._ring.use(segment)
        self._segments.append(segment)
        self.rows_held += segment.rows

    def release(self) -> None:
        """Let the ring have its rows back."""
        for segment in self._segments:
            self._ring.release(segment)
        self._segments = []

    @property
    def pixels(self) -> Pixels:
        """The images whose pixels are in the ring, uint8 (n, crop, crop, 3)."""
        rows = [row for row, length in zip(self.rows, self.lengths, strict=True) if not length]
        return self._ring.images(rows)

    @property
    def files(self) -> list[tuple[str, Pixels]]:
        """Digests of the others, and their files' bytes, uint8 (length,)."""
        images = zip(self.encoded, self.rows, self.lengths, strict=True)
        return [(digest, self._ring.file(row, n)) for digest, row, n in images if n]

    def finished(self, messages: list[str], batch: EncodedBatch | None = None) -> EncodedFiles:
        """Return what came of the files, with their features."""
        seconds, features, encoded = self.seconds, None, self.encoded
        if batch is not None:
            seconds, features = seconds + Seconds(encode=batch.seconds), batch.features
            if batch.shrunk_to:
                size = f"{batch.shrunk_to} at once"
                messages.append(f"a batch did not fit into memory: going on with {size}")
            if self.failed:
                kept = [at for at, one in enumerate(encoded) if one not in self.failed]
                features = {name: array[kept] for name, array in batch.features.items()}
                encoded = [encoded[at] for at in kept]
        return EncodedFiles(
            self.start,
            self.digests,
            self.reasons,
            encoded,
            features,
            seconds,
            messages,
            failed=self.failed,
            scaled=self.scaled,
        )


class EncodingStage:
    """Encodes batches in the lanes of an encoder, which is loaded for the first of them.

    Several threads may share one.

    Parameters
    ----------
    encoder
        The encoder.
    job
        Says how large a batch is, and which features are wanted.
    """

    def __init__(self, encoder: EncoderLoader, job: EncodingJob) -> None:
        self._encoder = encoder
        self._job = job
        self._stack = ExitStack()
        self._free: SimpleQueue[Encoder] = SimpleQueue()
        self._pool: ThreadPoolExecutor | None = None
        self._transform = ImageTransform.of(encoder.spec, job.max_pixels)
        self._decoders: dict[str, DeviceDecoder] = {}
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

    @property
    def info(self) -> EngineInfo:
        """Device, workers, lanes and batch size at work."""
        workers = self._job.workers or cores()
        if self._pool is None:
            return EngineInfo(workers=workers)
        return EngineInfo(self._encoder.device, workers, self.lanes, self._sizes.now)

    def open(self, ring: ImageRing | None = None) -> BatchSize:
        """Load the encoder where that was not done yet; return what tells how large a batch is.

        The ring of the first call is page-locked for the encoder's device, where that gets pixels
        from it.
        """
        with self._lock:
            if self._pool is None:
                encoder = self._encoder.load()
                usual = good_batch_size(encoder.device)
                several = self._stack.enter_context(parallel_encoders(encoder))
                for lane in several:
                    self._free.put(lane)
                self.lanes = len(several)
                self._sizes = BatchSize(usual, self._job.batch_size)
                if ring is not None and self.spec.decoding != "device":
                    self._stack.enter_context(page_locked(ring.memory, encoder.device))
                self._pool = ThreadPoolExecutor(self.lanes, thread_name_prefix="encode")
                self._stack.callback(self._pool.shutdown, wait=True, cancel_futures=True)
            return self._sizes

    def submit_batches(
        self,
        blocks: Iterable[ImageBlock],
        ring: ImageRing,
        messages: list[str],
        known: Container[str],
    ) -> Iterator[Future[EncodedFiles]]:
        """Collect images from blocks and yield a promise for each batch of them.

        Images whose digest is `known`, or that came before, are not encoded.
        """
        batch, size, seen = Batch(ring, 0), 0, set[str]()
        for block in blocks:
            result, segment = block.result, block.segment
            images = {image.file: image for image in result.images}
            if len(seen) > _SEEN_AT_ONCE:
                seen = {digest for digest in seen if digest not in known}
            batch.hold(segment)
            ring.release(segment)
            batch.seconds += Seconds(result.read_seconds, result.decode_seconds)
            for at, digest in enumerate(result.digests):
                image = images.get(at)
                if image is not None and (digest in seen or digest in known):
                    image = None
                if at in result.reasons:
                    batch.reasons[block.start + at] = result.reasons[at]
                if at in result.scaled:
                    batch.scaled.append(block.start + at)
                batch.add(None if at in result.reasons else digest, image, segment.start)
                if image is not None and digest is not None:
                    seen.add(digest)
                    size = size or self.open(ring).next()
                if self._is_full(batch, size, ring):
                    after = Batch(ring, block.start + at + 1)
                    if at + 1 < len(result.digests):
                        after.hold(segment)
                    yield self._submit(batch, messages)
                    batch, size = after, 0
        if batch.digests:
            yield self._submit(batch, messages)

    def _is_full(self, batch: Batch, size: int, ring: ImageRing) -> bool:
        """Return whether a batch must be encoded now; batches never fill the ring."""
        if not batch.encoded:
            return len(batch.digests) >= _FILES_AT_ONCE
        return len(batch.encoded) >= size or batch.rows_held > len(ring) // (2 * self.lanes + 2)

    def _submit(self, batch: Batch, messages: list[str]) -> Future[EncodedFiles]:
        now = [messages.pop(0) for _ in range(len(messages))]
        if self._pool is not None and batch.encoded:
            return self._pool.submit(self._encode, batch, now)
        batch.release()
        done: Future[EncodedFiles] = Future()
        done.set_result(batch.finished(now))
        return done

    def _encode(self, batch: Batch, messages: list[str]) -> EncodedFiles:
        lane = self._free.get()
        clock = clock_of(lane.device)
        began = clock()
        try:
            with lane_stream(lane.device):
                encoded = encode_in_halves(
                    lambda pixels: encode_batch(lane, pixels, trunk=self._job.trunk),
                    self._images(batch, lane.device.split(" ")[0]),
                    self._sizes,
                    clock,
                )
        finally:
            self._free.put(lane)
            batch.release()
        return batch.finished(messages, replace(encoded, seconds=clock() - began))

    def _images(self, batch: Batch, device: str) -> Images:
        """Return a batch's images, those decoded whose files it has; in memory or on the device."""
        files = batch.files
        if not files:
            return batch.pixels
        import torch

        decoded = self._decoded(batch, files, device)
        if len(files) == len(batch.rows):
            return decoded if decoded.is_cuda else decoded.numpy()
        there = torch.tensor([bool(length) for length in batch.lengths], device=decoded.device)
        images = decoded.new_empty(len(batch.rows), *decoded.shape[1:])
        images[there] = decoded
        images[~there] = torch.from_numpy(batch.pixels).to(decoded.device, non_blocking=True)
        return images if images.is_cuda else images.numpy()

    def _decoded(self, batch: Batch, files: list[tuple[str, Pixels]], device: str) -> torch.Tensor:
        """Decode files on a device, or on the CPU where it refuses: one of them is broken."""
        import torch

        try:
            return self._decoder(device)([data for _, data in files])
        except RuntimeError as error:
            if is_out_of_memory(error) and len(files) > 1:
                middle = len(files) // 2
                halves = files[:middle], files[middle:]
                return torch.cat([self._decoded(batch, half, device) for half in halves])
        side = self._transform.geometry["crop"]
        pixels = np.zeros((len(files), side, side, 3), np.uint8)
        for at, (digest, data) in enumerate(files):
            try:
                pixels[at] = self._transform(data.tobytes())
            except DECODING_ERRORS as error:  # noqa: PERF203 - one file's fault is no other's
                batch.failed[digest] = skip_reason(error)
        return torch.from_numpy(pixels).to(device)

    def _decoder(self, device: str) -> DeviceDecoder:
        with self._lock:
            if device not in self._decoders:
                self._decoders[device] = DeviceDecoder(device, self._transform.geometry)
            return self._decoders[device]


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
