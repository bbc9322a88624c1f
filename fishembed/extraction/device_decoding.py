"""Decoding on the encoder's device, beside the threads that decode on the CPU."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from queue import Empty, Full, Queue
from typing import Protocol

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]

_AT_ONCE = 64


class ManyAtOnce(Protocol):
    """What `fishembed.images.DeviceDecoder` is."""

    def suits(self, data: bytes) -> bool:
        """Tell whether a file may be given to it."""
        ...

    def __call__(self, files: Sequence[bytes]) -> list[Pixels]:
        """Decode them all, or raise RuntimeError."""
        ...


class DecodingHelper:
    """A thread that decodes on a device what others leave to it.

    Its queue is short: where the device has enough to do, a file is refused and whoever has
    read it decodes it on the CPU, so that both are always busy.

    Parameters
    ----------
    decoder
        Gives what decodes many files at once; asked when the first file is offered.
    alone
        Decodes one on the CPU, where the device could not.
    at_once
        Files that are decoded together, at most.
    """

    def __init__(
        self,
        decoder: Callable[[], ManyAtOnce],
        alone: Callable[[bytes], Pixels],
        at_once: int = _AT_ONCE,
    ) -> None:
        self._decoder = decoder
        self._alone = alone
        self._at_once = at_once
        self._queue: Queue[tuple[bytes, Future[Pixels]] | None] = Queue(2 * at_once)
        self._thread = threading.Thread(target=self._work, name="decode on device", daemon=True)

    def __enter__(self) -> DecodingHelper:  # noqa: PYI034 - Self needs Python 3.11
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._queue.put(None)
        self._thread.join()

    def offer(self, data: bytes) -> Future[Pixels] | None:
        """Give the promise of a file's pixels; None where it must be decoded by who offers it."""
        if self._queue.full() or not self._decoder().suits(data):
            return None
        promise: Future[Pixels] = Future()
        try:
            self._queue.put_nowait((data, promise))
        except Full:
            return None
        return promise

    def _work(self) -> None:
        ended = False
        while not ended:
            some = [self._queue.get()]
            with suppress(Empty):
                while len(some) < self._at_once:
                    some.append(self._queue.get_nowait())
            ended = None in some
            self._keep([one for one in some if one is not None])

    def _keep(self, some: list[tuple[bytes, Future[Pixels]]]) -> None:
        """Keep promises: all at once on the device, or one by one where that fails."""
        if not some:
            return
        try:
            pixels = self._decoder()([data for data, _ in some])
            kept = list(zip(some, pixels, strict=True))
        except Exception:  # one is broken, or the device gave up: the CPU tells which
            for data, promise in some:
                _settle(promise, self._alone, data)
        else:
            for (_, promise), one in kept:
                promise.set_result(one)


def _settle(promise: Future[Pixels], decode: Callable[[bytes], Pixels], data: bytes) -> None:
    try:
        promise.set_result(decode(data))
    except Exception as error:  # raised where the promise is asked
        promise.set_exception(error)
