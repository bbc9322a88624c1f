"""The pipeline of one machine: read, decode, collect, encode, each while the others work.

    files ─▶ readers ─▶ ring of images ─▶ batches ─▶ lanes of the encoder ─▶ encoded files

The ring bounds the images that wait, and a short queue the batches. On a CPU every core
is a lane of its own: two batches in two threads take less time than two threads on one
batch, and threads that never wait for one another share their cores with reading at little
loss.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager

from fishembed.extraction.encoder_loader import EncoderLoader
from fishembed.extraction.encoding_stage import EncodingStage, in_order
from fishembed.extraction.engine import EncodedFiles, EncodingJob, EngineInfo
from fishembed.extraction.reading.read_block import File, ImageTransform
from fishembed.extraction.reading.reader_process import ProcessReader, ReaderServer, SharedMemory
from fishembed.extraction.reading.readers import (
    BlockReader,
    FileReaders,
    ThreadReader,
    cores,
    new_ring,
    use_processes,
)

_RING_BYTES = 128 << 20
_LARGE_RING_BYTES = 512 << 20
"""Where many readers fill it for a GPU."""

_MANY_READERS = 8


class LocalEngine:
    """Readers and an encoder on this machine, see `fishembed.extraction.engine.Engine`.

    Parameters
    ----------
    processes
        Whether processes of their own read; where they pay when left out.
    """

    def __init__(self, processes: bool | None = None) -> None:
        self.info = EngineInfo()
        self._processes = processes
        self._server: ReaderServer | None = None

    @contextmanager
    def prepared(self, encoder: EncoderLoader, *, expected: int) -> Iterator[None]:
        """Start the processes that read while the encoder is loaded, where they pay."""
        with ExitStack() as stack:
            if self._reads_in_processes(expected) and not encoder.is_loaded:
                self._server = stack.enter_context(ReaderServer("torch"))
            try:
                yield
            finally:
                self._server = None

    def run(
        self, job: EncodingJob, encoder: EncoderLoader, known: Collection[str]
    ) -> Generator[EncodedFiles, None, None]:
        """Yield what is finished, in the order of the files."""
        if not job.files:
            return
        with ExitStack() as stack:
            stage = stack.enter_context(EncodingStage(encoder, job))
            server = self._server
            if server is None and self._reads_in_processes(len(job.files)):
                server = stack.enter_context(ReaderServer(_imports(stage, job.files)))
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
    """Read files and encode them in a stage that stays open; several may share one.

    Yields what is finished, in the order of the files. Without a server, threads read.
    """
    workers = job.workers or cores()
    rows, crop = _ring_rows(stage, job, workers), stage.spec.preprocessing.crop
    transform = ImageTransform.of(stage.spec, job.max_pixels)
    with ExitStack() as stack:
        reader: BlockReader
        if server is None:
            ring = new_ring(rows, crop)
            reader = ThreadReader(ring, known, transform)
        else:
            memory = stack.enter_context(closing(SharedMemory(rows, crop, workers, known)))
            ring = memory.ring
            reader = stack.enter_context(closing(ProcessReader(server, memory, transform)))
        files = stack.enter_context(FileReaders(reader, ring, workers))
        blocks = stack.enter_context(closing(files.read(job.files)))
        promises = stage.submit_batches(blocks, ring, reader.messages, known)
        yield from in_order(promises, lambda: 2 * stage.lanes)


def _imports(stage: EncodingStage, files: Sequence[File]) -> str:
    """Return what readers need that takes long to import: torch resizes what they decode."""
    if stage.spec.decoding == "device":
        some = files[: min(len(files), 1000)]
        jpegs = sum(str(file).lower().endswith((".jpg", ".jpeg")) for file in some)
        return "numpy" if 2 * jpegs > len(some) else "torch"
    return "numpy" if stage.spec.decoding == "exact" else "torch"


def _ring_rows(stage: EncodingStage, job: EncodingJob, workers: int) -> int:
    """Return how many images may be in memory at once."""
    crop = stage.spec.preprocessing.crop
    window = _LARGE_RING_BYTES if workers > _MANY_READERS else _RING_BYTES
    rows = min(4096, max(64, window // (3 * crop * crop)))
    return max(rows, (2 * workers + 2) * (job.batch_size or 1))
