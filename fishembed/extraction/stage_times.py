"""Times of the stages of an extraction, and the stage that held it up."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Seconds:
    """Seconds of work by stage, summed over threads.

    Attributes
    ----------
    read
        Reading files and hashing them.
    decode
        Decoding and resizing, of a core.
    encode
        The forward pass: of a core on a CPU, of the device elsewhere.
    write
        Making finished features safe on disk.
    """

    read: float = 0.0
    decode: float = 0.0
    encode: float = 0.0
    write: float = 0.0

    def __add__(self, other: Seconds) -> Seconds:
        mine, more = asdict(self), asdict(other)
        return Seconds(**{stage: mine[stage] + more[stage] for stage in mine})


NO_SECONDS = Seconds()


@dataclass(frozen=True)
class StageTimes:
    """Busy times of each stage of an extraction.

    Attributes
    ----------
    seconds
        Of work, by stage.
    wall
        Seconds from the first file to the last embedding.
    workers
        Threads that decoded.
    lanes
        Batches that could be encoded at once.
    device
        What encoded, such as `cuda (NVIDIA H100)`.
    batch_size
        Images that were encoded at once, in the end.
    writers
        Threads that wrote parts.
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
        """How many threads each stage kept busy, by stage."""
        wall = max(self.wall, 1e-9)
        return {stage: seconds / wall for stage, seconds in asdict(self.seconds).items()}

    @property
    def shares_cores(self) -> bool:
        """Whether decoding and encoding take turns on the same cores."""
        return not self.device.startswith(("cuda", "mps"))

    @property
    def bottleneck(self) -> str:
        """The stage that held the others up: read, decode, encode or write."""
        threads = {"read": self.workers, "decode": self.workers, "encode": self.lanes}
        threads["write"] = self.writers
        if self.shares_cores:
            threads["encode"] = threads["decode"] = max(self.workers, self.lanes)
        busy = self.busy
        return max(threads, key=lambda stage: busy[stage] / threads[stage])

    def __str__(self) -> str:
        """Return one line: `decode-bound: 14.0 of 16 cores decoding, cuda 31% busy`."""
        busy, words = self.busy, []
        if self.bottleneck == "read":
            words.append(f"{busy['read']:.1f} of {self.workers} threads waiting for files")
        words.append(f"{busy['decode']:.1f} of {self.workers} cores decoding")
        if self.shares_cores:
            words.append(f"{busy['encode']:.1f} encoding")
        else:
            words.append(f"{self.device.split(' ')[0]} {busy['encode'] / self.lanes:.0%} busy")
        if self.bottleneck == "write":
            words.append(f"{busy['write'] / self.writers:.0%} of the time writing")
        return f"{self.bottleneck}-bound: {', '.join(words)}"

    def to_json(self) -> dict[str, object]:
        """Return a document for programs, seconds rounded to milliseconds."""
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
