"""Pipeline of one machine: read, decode, collect and encode, all at the same time.

    files ─▶ readers ─▶ ring of images ─▶ batches ─▶ parallel encoders ─▶ encoded files

The ring bounds the images that wait, and a short queue the batches. On a CPU every core encodes a
batch of its own: two batches in two threads are faster than two threads on one batch, and threads
that never wait for one another share their cores with reading at little loss.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Collection, Container, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from queue import SimpleQueue
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from fishembed._base.arrays import Pixels
from fishembed.encoders import (
    Encoder,
    EncoderSpec,
    good_batch_size,
    lane_stream,
    page_locked,
    parallel_encoders,
)
from fishembed.extraction.batches import (
    Batch,
    BatchSize,
    clock_of,
    encode_batch,
    encode_in_halves,
    is_out_of_memory,
)
from fishembed.extraction.encoder_loader import EncoderLoader
from fishembed.extraction.engine import EncodedFiles, EncodingJob, EngineInfo, Seconds
from fishembed.extraction.read_block import (
    DECODING_ERRORS,
    File,
    ImageTransform,
    skip_reason,
)
from fishembed.extraction.reader_process import ProcessReader, ReaderServer, SharedMemory
from fishembed.extraction.readers import (
    BlockReader,
    FileReaders,
    ImageBlock,
    ImageRing,
    ThreadReader,
    cores,
    use_processes,
)
from fishembed.images import DeviceDecoder, quiet_decoding

if TYPE_CHECKING:
    import torch

    Images = Pixels | torch.Tensor

T = TypeVar("T")

_SEEN_AT_ONCE = 1 << 16
"""Seen digests that are remembered before those in `known` are removed."""

_FILES_AT_ONCE = 256
"""Size of the groups in which files that need no encoding are reported."""

_RING_BYTES = 128 << 20
_LARGE_RING_BYTES = 512 << 20
"""Size of the ring where many readers fill it for a GPU."""

_MANY_READERS = 8


class LocalEngine:
    """Readers and an encoder on this machine, see `fishembed.extraction.engine.Engine`.

    `processes` decides whether processes read instead of threads; by default where that is faster.
    """

    def __init__(self, processes: bool | None = None) -> None:
        self.info = EngineInfo()
        self._processes = processes
        self._server: ReaderServer | None = None

    @contextmanager
    def prepared(self, encoder: EncoderLoader, *, expected: int) -> Iterator[None]:
        """Start reader processes, where they are used, while the encoder is loaded."""
        with ExitStack() as stack:
            if self._reads_in_processes(expected) and not encoder.is_loaded:
                self._server = stack.enter_context(closing(ReaderServer("torch")))
            try:
                yield
            finally:
                self._server = None

    def run(
        self, job: EncodingJob, encoder: EncoderLoader, known: Collection[str]
    ) -> Generator[EncodedFiles, None, None]:
        """Yield the finished files, in order."""
        if not job.files:
            return
        with ExitStack() as stack:
            stage = stack.enter_context(closing(EncodingStage(encoder, job)))
            server = self._server
            if server is None and self._reads_in_processes(len(job.files)):
                server = stack.enter_context(closing(ReaderServer(_imports(stage, job.files))))
            finished = stack.enter_context(closing(encode_files(stage, job, known, server)))
            for files in finished:
                self.info = stage.info
                yield files

    def _reads_in_processes(self, files: int) -> bool:
        return use_processes(files) if self._processes is None else self._processes


def encode_files(
    stage: EncodingStage,
    job: EncodingJob,
    known: Collection[str],
    server: ReaderServer | None = None,
) -> Generator[EncodedFiles, None, None]:
    """Yield the finished files, in order; several calls may share a stage.

    Threads read where `server` is None.
    """
    workers = job.workers or cores()
    rows, crop = _ring_rows(stage, job, workers), stage.spec.preprocessing.crop
    transform = ImageTransform.of(stage.spec, job.max_pixels)
    with ExitStack() as stack:
        reader: BlockReader
        if server is None:
            ring = ImageRing(np.empty((rows, crop, crop, 3), np.uint8))
            reader = ThreadReader(ring, known, transform)
        else:
            memory = stack.enter_context(closing(SharedMemory(rows, crop, workers, known)))
            ring = memory.ring
            reader = stack.enter_context(closing(ProcessReader(server, memory, transform)))
        stack.enter_context(quiet_decoding())  # also for what is decoded while blocks are encoded
        blocks = stack.enter_context(closing(FileReaders(reader, ring, workers).read(job.files)))
        promises = stage.submit_batches(blocks, ring, reader.messages, known)
        yield from in_order(promises, lambda: 2 * stage.lanes)


def _imports(stage: EncodingStage, files: Sequence[File]) -> str:
    """Return the slow module that readers import beforehand: torch, where it resizes, or numpy."""
    if stage.spec.decoding == "device":
        some = files[: min(len(files), 1000)]
        jpegs = sum(str(file).lower().endswith((".jpg", ".jpeg")) for file in some)
        return "numpy" if 2 * jpegs > len(some) else "torch"
    return "numpy" if stage.spec.decoding == "exact" else "torch"


def _ring_rows(stage: EncodingStage, job: EncodingJob, workers: int) -> int:
    """Return the number of images that may be in memory at once."""
    crop = stage.spec.preprocessing.crop
    window = _LARGE_RING_BYTES if workers > _MANY_READERS else _RING_BYTES
    rows = min(4096, max(64, window // (3 * crop * crop)))
    return max(rows, (2 * workers + 2) * (job.batch_size or 1))


class EncodingStage:
    """Encodes batches by parallel encoders, which are loaded for the first batch.

    Several threads may share a stage.
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

    def close(self) -> None:
        """End the encoding threads, and unlock the ring's pages."""
        self._stack.close()

    @property
    def spec(self) -> EncoderSpec:
        """Specification of the encoder."""
        return self._encoder.spec

    @property
    def info(self) -> EngineInfo:
        """Device, workers, lanes and batch size in use."""
        workers = self._job.workers or cores()
        if self._pool is None:
            return EngineInfo(workers=workers)
        return EngineInfo(self._encoder.device, workers, self.lanes, self._sizes.now)

    def open(self, ring: ImageRing | None = None) -> BatchSize:
        """Load the encoder where it is not loaded yet; return the size of its batches.

        The ring of the first call is page-locked for the encoder's device, where that reads pixels
        from it.
        """
        with self._lock:
            if self._pool is None:
                encoder = self._encoder.load()
                usual = good_batch_size(encoder.device)
                several = self._stack.enter_context(parallel_encoders(encoder))
                for one in several:
                    self._free.put(one)
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

        Images whose digest is `known` or that of an earlier image are not encoded.
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
                batch.add(block, at, image)
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
        encoder = self._free.get()
        clock = clock_of(encoder.device)
        began = clock()
        try:
            with lane_stream(encoder.device):
                encoded = encode_in_halves(
                    lambda pixels: encode_batch(encoder, pixels, trunk=self._job.trunk),
                    self._images(batch, encoder.device.split(" ")[0]),
                    self._sizes,
                    clock,
                )
        finally:
            self._free.put(encoder)
            batch.release()
        return batch.finished(messages, replace(encoded, seconds=clock() - began))

    def _images(self, batch: Batch, device: str) -> Images:
        """Return a batch's images, decoding its undecoded files; in memory or on the device."""
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
        """Decode files on a device, or on the CPU where that fails because one file is broken."""
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
    """Yield results in order, with up to `depth()` open promises.

    After a failure, the results of promises that were already begun are still yielded, as their
    work is done; then the first failure is raised.
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
