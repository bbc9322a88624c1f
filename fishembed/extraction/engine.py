"""Engine: protocol between an extraction and the machines that read and encode."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from fishembed.cache import PartialFiles
from fishembed.extraction.encoder_loader import EncoderLoader
from fishembed.extraction.read_block import File
from fishembed.images import MAX_PIXELS

FeatureArrays = Mapping[str, npt.NDArray[Any]]
"""(n, …) by name: float32 image features, perhaps the trunk's, and uint8 perceptual hashes."""


def joined(arrays: Sequence[FeatureArrays]) -> FeatureArrays:
    """Return the features of some batches, at least one, as those of one batch."""
    return {name: np.concatenate([one[name] for one in arrays]) for name in arrays[0]}


@dataclass(frozen=True)
class Seconds:
    """Seconds of work by stage, summed over threads.

    Attributes
    ----------
    read
        Reading files and hashing them.
    decode
        Decoding and resizing, time of a core.
    encode
        The forward pass: time of a core on a CPU, of the device otherwise.
    write
        Writing finished features to disk.
    """

    read: float = 0.0
    decode: float = 0.0
    encode: float = 0.0
    write: float = 0.0

    def __add__(self, other: Seconds) -> Seconds:
        mine, more = asdict(self), asdict(other)
        return Seconds(**{stage: mine[stage] + more[stage] for stage in mine})


@dataclass(frozen=True)
class StageTimes:
    """Busy times of each stage of an extraction.

    Attributes
    ----------
    seconds
        Seconds of work, by stage.
    wall
        Seconds from the first file to the last embedding.
    workers
        Threads that decoded.
    lanes
        Batches that could be encoded at once.
    device
        Device that encoded, such as `cuda (NVIDIA H100)`.
    batch_size
        Final number of images encoded at once.
    writers
        Threads that wrote partial files.
    """

    seconds: Seconds
    wall: float
    workers: int
    lanes: int
    device: str
    batch_size: int
    writers: int = 1

    @property
    def busy(self) -> dict[str, float]:
        """Average number of busy threads, by stage."""
        wall = max(self.wall, 1e-9)
        return {stage: seconds / wall for stage, seconds in asdict(self.seconds).items()}

    @property
    def shares_cores(self) -> bool:
        """Whether decoding and encoding share the same cores."""
        return not self.device.startswith(("cuda", "mps"))

    @property
    def bottleneck(self) -> str:
        """The slowest stage: read, decode, encode or write."""
        threads = {"read": self.workers, "decode": self.workers, "encode": self.lanes}
        threads["write"] = self.writers
        if self.shares_cores:
            threads["encode"] = threads["decode"] = max(self.workers, self.lanes)
        busy = self.busy
        return max(threads, key=lambda stage: busy[stage] / threads[stage])

    def __str__(self) -> str:
        """Return one line: `decode-bound: 14.0 of 16 cores decoding, cuda 31% busy`."""
        busy, parts = self.busy, []
        if self.bottleneck == "read":
            parts.append(f"{busy['read']:.1f} of {self.workers} threads waiting for files")
        parts.append(f"{busy['decode']:.1f} of {self.workers} cores decoding")
        if self.shares_cores:
            parts.append(f"{busy['encode']:.1f} encoding")
        else:
            parts.append(f"{self.device.split(' ')[0]} {busy['encode'] / self.lanes:.0%} busy")
        if self.bottleneck == "write":
            parts.append(f"{busy['write'] / self.writers:.0%} of the time writing")
        return f"{self.bottleneck}-bound: {', '.join(parts)}"

    def to_json(self) -> dict[str, object]:
        """Return the fields for JSON, seconds rounded to milliseconds."""
        return {
            "bottleneck": self.bottleneck,
            "wall": round(self.wall, 3),
            **{stage: round(spent, 3) for stage, spent in asdict(self.seconds).items()},
            "workers": self.workers,
            "lanes": self.lanes,
            "batch_size": self.batch_size,
            "writers": self.writers,
            "device": self.device,
        }


@dataclass(frozen=True)
class EncodingJob:
    """Files to read and encode, with options.

    Attributes
    ----------
    files
        Paths or bytes of the images; a file's number is its index here.
    batch_size, workers, max_pixels
        See `fishembed.extract`.
    trunk
        Whether to return the features before the projection too.
    partial_files
        Opens the partial files of the store under a writer's name, so that workers that reach
        their folder may write there themselves. None where there is no store.
    """

    files: Sequence[File]
    batch_size: int | None = None
    workers: int | None = None
    max_pixels: int = MAX_PIXELS
    trunk: bool = False
    partial_files: Callable[[str], PartialFiles] | None = None


@dataclass(frozen=True)
class EncodedFiles:
    """Digests, reasons and features of consecutive files.

    Attributes
    ----------
    start
        Number of the first file.
    digests
        SHA-256 of each file's bytes, None where it could not be used.
    reasons
        Why a file could not be used, by its number.
    encoded
        Digests of the n images that were encoded: those neither known nor in an earlier file of
        this job.
    features
        float32 (n, …) by the dataset's name in a store; None where n is 0 or they are in a
        partial file.
    seconds
        Seconds of work.
    messages
        Sentences for the user.
    partial_file
        Name of the partial file that the features were written to, "" where there is none.
    failed
        Digests of images that could not be encoded, with the reason: the encoder's device could
        not decode them, or, where the engine checks that, their features are not finite.
    scaled
        Numbers of the files whose brightness was scaled by their content.
    """

    start: int
    digests: Sequence[str | None]
    reasons: Mapping[int, str] = field(default_factory=dict)
    encoded: Sequence[str] = ()
    features: FeatureArrays | None = None
    seconds: Seconds = field(default_factory=Seconds)
    messages: Sequence[str] = ()
    partial_file: str = ""
    failed: Mapping[str, str] = field(default_factory=dict)
    scaled: Sequence[int] = ()


@dataclass(frozen=True)
class EngineInfo:
    """Device, "" where nothing was encoded, and sizes that an engine used, see `StageTimes`."""

    device: str = ""
    workers: int = 1
    lanes: int = 1
    batch_size: int = 0
    writers: int = 1


class Engine(Protocol):
    """Reads files and encodes those whose bytes are new."""

    def prepared(self, encoder: EncoderLoader, *, expected: int) -> AbstractContextManager[None]:
        """Return the context in which `run` is called.

        `expected` is the least number of files to read, so that slow workers may be started now; 0
        where it is not known.
        """
        ...

    def run(
        self, job: EncodingJob, encoder: EncoderLoader, known: Collection[str]
    ) -> Generator[EncodedFiles, None, None]:
        """Yield the finished files, in any order, each file once.

        Closing the iterator ends the work; an error that it raises ends the extraction, and what
        was yielded before is stored. The encoder is loaded when the first image must be encoded,
        not before. Digests in `known`, which grows meanwhile, need no features.
        """
        ...

    @property
    def info(self) -> EngineInfo:
        """Device, workers, lanes and batch size that the engine used."""
        ...
