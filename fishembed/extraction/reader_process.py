"""Reader processes: a server with imported modules, from which readers are forked.

    this process ──start──▶ server (imports modules for decoding, once)
         │                     │ fork
         │──── files ────▶  reader 1 … n ──── pixels ────▶ shared ring
         ◀── digests, reasons ──┘

A reader ends when its socket is closed, and so does the server, so that neither outlives this
process, however that ends. A reader that dies is replaced and its files are read again; a file on
which readers died twice, or that was not read in time, is skipped with a reason.
"""

from __future__ import annotations

import math
import mmap
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Collection, Container, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue

import numpy as np
import numpy.typing as npt

from fishembed.extraction.read_block import BlockResult, File, ImageTransform, read_block
from fishembed.extraction.readers import ImageRing, Segment
from fishembed.images import ImageBytes, quiet_decoding
from fishembed.images.decoding.decode_limits import decode_memory

HANGS_AFTER = 120.0
"""Seconds at the same file after which a reader counts as hung."""

_TRIES = 2
"""Deaths of readers at the same file after which that file is skipped."""

_POLL_SECONDS = 1.0
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
"""A process with threads cannot be forked safely."""

Digests = npt.NDArray[np.bytes_]
_DIGEST = np.dtype("S32")
_PLACE = np.dtype(np.int64)


class SharedMemory:
    """Memory shared with the readers: known digests, current file of each reader, image ring."""

    def __init__(self, rows: int, crop: int, readers: int, known: Collection[str] = ()) -> None:
        self.layout = _Layout(len(known), readers, (rows, crop, crop, 3))
        self.fd = os.memfd_create("fishembed images")
        os.ftruncate(self.fd, self.layout.size)
        digests, self.places, memory = self.layout.map(self.fd)
        digests[:] = np.sort(np.array([bytes.fromhex(one) for one in known], _DIGEST))
        self.ring = ImageRing(memory)

    def close(self) -> None:
        """Close the file; the memory is freed with the last array that uses it."""
        os.close(self.fd)


@dataclass(frozen=True)
class _Layout:
    """Layout of shared memory: known digests, places of the readers, ring."""

    known: int
    readers: int
    ring: tuple[int, int, int, int]

    @property
    def size(self) -> int:
        return self._start_of_ring + math.prod(self.ring)

    @property
    def _start_of_ring(self) -> int:
        return _DIGEST.itemsize * self.known + _PLACE.itemsize * self.readers

    def map(self, fd: int) -> tuple[Digests, npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
        """Return arrays on a file: the digests, the places and the ring's memory."""
        shared = mmap.mmap(fd, 0)
        digests = np.frombuffer(shared, _DIGEST, self.known)
        places = np.frombuffer(shared, _PLACE, self.readers, _DIGEST.itemsize * self.known)
        ring = np.frombuffer(shared, np.uint8, offset=self._start_of_ring)
        return digests, places, ring.reshape(self.ring)


class DigestTable(Container[str]):
    """Set of SHA-256 digests, in a sorted array that processes can share."""

    def __init__(self, digests: Digests) -> None:
        self._digests = digests

    def __contains__(self, digest: object) -> bool:
        if not len(self._digests):
            return False
        one = np.array(bytes.fromhex(str(digest)), _DIGEST)
        at = min(int(np.searchsorted(self._digests, one)), len(self._digests) - 1)
        return bool(self._digests[at] == one)


class ReaderServer:
    """A process that forks readers after importing the module `imports`, which is slow."""

    def __init__(self, imports: str) -> None:
        self._lock = threading.Lock()
        self._socket, theirs = socket.socketpair()
        code = f"from {__name__} import serve; serve({theirs.fileno()}, {imports!r})"
        with theirs:
            self.process = subprocess.Popen(  # noqa: S603 - this interpreter, this module
                [sys.executable, "-c", code],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # only this process handles Ctrl-C
                env=os.environ
                | _ONE_THREAD
                | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            )

    def close(self) -> None:
        """End the server and its readers."""
        self._socket.close()
        self.process.wait()

    def fork(self, number: int, memory: int) -> tuple[int, Connection] | None:
        """Return the process id and connection of a new reader; None where the server died.

        `number` is the reader's index in shared memory, `memory` the file descriptor of that.
        """
        ours, theirs = socket.socketpair()
        pid = 0
        with self._lock, theirs, suppress(OSError):
            socket.send_fds(self._socket, [number.to_bytes(4, "big")], [theirs.fileno(), memory])
            pid = int.from_bytes(self._socket.recv(4), "big")
        connection = Connection(ours.detach())
        if pid:
            return pid, connection
        connection.close()
        return None


class ProcessReader:
    """Reads blocks in processes that a server forks; see `fishembed.extraction.readers`."""

    def __init__(
        self,
        server: ReaderServer,
        memory: SharedMemory,
        transform: ImageTransform,
        *,
        hangs_after: float = HANGS_AFTER,
    ) -> None:
        self.messages: list[str] = []
        self._server, self._memory = server, memory
        self._task = transform, memory.layout
        self._hangs_after = hangs_after
        self._free: SimpleQueue[int] = SimpleQueue()
        for number in range(memory.layout.readers):
            self._free.put(number)
        self._readers: dict[int, _Reader] = {}
        self._fell_back = False

    def close(self) -> None:
        """End the processes of the readers."""
        for reader in self._readers.values():
            reader.connection.close()
        self._readers.clear()

    def __call__(self, files: Sequence[File], segment: Segment) -> BlockResult:
        """Read files into the rows of a segment."""
        number = self._free.get()
        try:
            names = [os.fspath(file) if isinstance(file, Path) else file for file in files]
            return self._read(number, names, segment)
        finally:
            self._free.put(number)

    def _read(self, number: int, files: list[str | ImageBytes], segment: Segment) -> BlockResult:
        """Read files in a reader process; skip those that crash it, and read the others again."""
        left = list(range(len(files)))
        skipped: dict[int, str] = {}
        deaths: dict[int, int] = {}
        while True:
            reader = self._readers.get(number) or self._start(number)
            if reader is None:
                return self._read_here(files, segment)
            ended = reader.read([files[at] for at in left], segment, self._hangs_after)
            if isinstance(ended, BlockResult):
                return _with_skipped(ended, left, skipped, len(files))
            del self._readers[number]
            reader.connection.close()
            at = left[min(int(self._memory.places[number]), len(left) - 1)]
            deaths[at] = deaths.get(at, 0) + 1
            if ended or deaths[at] >= _TRIES:
                skipped[at] = ended or "the decoder crashed on it"
                left.remove(at)
            self.messages.append(f"a process that reads images {ended or 'died'}; it was replaced")

    def _start(self, number: int) -> _Reader | None:
        """Return a reader forked by the server; None where the server died."""
        forked = self._server.fork(number, self._memory.fd)
        if forked is None:
            return None
        reader = _Reader(*forked, self._memory.places[number:])
        with suppress(OSError):  # raised again by the next read
            reader.connection.send(self._task)
        self._readers[number] = reader
        return reader

    def _read_here(self, files: list[str | ImageBytes], segment: Segment) -> BlockResult:
        """Read a block in the calling thread, where no process can be started."""
        if not self._fell_back:
            self._fell_back = True
            self.messages.append("processes that read images cannot be started: threads read")
        digests, _, ring = self._memory.layout.map(self._memory.fd)
        out = ring[segment.start : segment.start + segment.rows]
        return read_block(files, DigestTable(digests), self._task[0], out)


class _Reader:
    """Handle of a reader process."""

    def __init__(self, pid: int, connection: Connection, place: npt.NDArray[np.int64]) -> None:
        self.pid, self.connection, self._place = pid, connection, place

    def read(
        self, files: list[str | ImageBytes], segment: Segment, hangs_after: float
    ) -> BlockResult | str:
        """Return the result of the files; "" where the reader died, a reason where it hung."""
        try:
            self._place[0] = 0
            self.connection.send((files, segment.start, segment.rows))
            place, since = 0, time.monotonic()
            while not self.connection.poll(min(_POLL_SECONDS, hangs_after / 4)):
                if place != self._place[0]:
                    place, since = int(self._place[0]), time.monotonic()
                elif time.monotonic() - since > hangs_after:
                    os.kill(self.pid, signal.SIGKILL)
                    return f"took longer than {hangs_after:g} seconds to read"
            result: BlockResult = self.connection.recv()
        except (EOFError, OSError):
            return ""
        return result


def _with_skipped(
    result: BlockResult, left: list[int], skipped: dict[int, str], n: int
) -> BlockResult:
    """Return the result of a block, from that of its files that were not skipped."""
    if not skipped:
        return result
    digests: list[str | None] = [None] * n
    for at, digest in zip(left, result.digests, strict=True):
        digests[at] = digest
    return BlockResult(
        digests,
        [replace(image, file=left[image.file]) for image in result.images],
        {left[at]: reason for at, reason in result.reasons.items()} | skipped,
        result.rows_wanted,
        result.read_seconds,
        result.decode_seconds,
        [left[at] for at in result.scaled],
    )


def serve(fd: int, warm: str) -> None:
    """Fork a reader for each request on a socket, until that is closed; runs in the server."""
    control = socket.socket(fileno=fd)
    __import__(warm)
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)
    readers: list[int] = []
    with suppress(OSError):
        while True:
            request, fds, _, _ = socket.recv_fds(control, 4, 2)
            if not request:
                break
            pid = os.fork()
            if not pid:
                control.close()
                _serve_files(fds[0], fds[1], int.from_bytes(request, "big"))
            readers.append(pid)
            for one in fds:
                os.close(one)
            control.send(pid.to_bytes(4, "big"))
    for pid in readers:
        with suppress(OSError):
            os.kill(pid, signal.SIGKILL)
        with suppress(OSError):
            os.waitpid(pid, 0)
    os._exit(0)


def _serve_files(fd: int, memory: int, number: int) -> None:
    """Read the blocks requested on a socket, until that is closed; runs in a reader."""
    with suppress(EOFError, OSError), quiet_decoding():
        connection = Connection(fd)
        transform, layout = connection.recv()
        digests, places, ring = layout.map(memory)
        decode_memory.share(layout.readers, memory)
        known, place = DigestTable(digests), places[number : number + 1]
        while True:
            files, row, rows = connection.recv()
            out = ring[row : row + rows]
            connection.send(read_block(files, known, transform, out, current=place))
    os._exit(0)
