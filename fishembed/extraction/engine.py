"""Engine: the contract between an extraction and the machines that read and encode."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from fishembed.cache import PartialFiles
from fishembed.extraction.encoder_loader import EncoderLoader
from fishembed.extraction.partial_file_writer import FeatureArrays
from fishembed.extraction.reading.read_block import File
from fishembed.extraction.stage_times import NO_SECONDS, Seconds
from fishembed.images import MAX_PIXELS


@dataclass(frozen=True)
class EncodingJob:
    """Files to read and encode, and how.

    Attributes
    ----------
    files
        Where the images' bytes lie; a file's number is its place in this list.
    batch_size
        Images that are encoded at once; measured when None.
    workers
        Readers; one for each core when None.
    max_pixels
        Width × height above which an image is skipped.
    trunk
        Whether the features before the projection are wanted too.
    partial_files
        Opens the partial files of the store, under the name of who writes: an engine whose
        workers see their place may write there itself. None where there is no store.
    """

    files: Sequence[File]
    batch_size: int | None = None
    workers: int | None = None
    max_pixels: int = MAX_PIXELS
    trunk: bool = False
    partial_files: Callable[[str], PartialFiles] | None = None


@dataclass(frozen=True)
class EncodedFiles:
    """Digests, reasons and features of some files that follow one another.

    Attributes
    ----------
    start
        Number of the first file.
    digests
        SHA-256 of each file's bytes, None where it could not be used.
    reasons
        Why a file could not be used, by its number.
    encoded
        Digests of the n images that were encoded: those that were neither known nor in another
        file of this job before.
    features
        float32 (n, …) by the dataset's name in a store; None where n is 0 or they are in a
        partial file.
    seconds
        Of work.
    messages
        Sentences for the user.
    partial_file
        Name of the partial file that the features were written to, "" where there is none.
    failed
        Digests of images that could not be encoded, with the reason: those that the encoder's
        device could not decode, and, where the engine has looked, whose features are not finite.
    scaled
        Numbers of the files whose brightness was scaled by their content.
    """

    start: int
    digests: Sequence[str | None]
    reasons: Mapping[int, str] = field(default_factory=dict)
    encoded: Sequence[str] = ()
    features: FeatureArrays | None = None
    seconds: Seconds = NO_SECONDS
    messages: Sequence[str] = ()
    partial_file: str = ""
    failed: Mapping[str, str] = field(default_factory=dict)
    scaled: Sequence[int] = ()


@dataclass(frozen=True)
class EngineInfo:
    """Device and numbers that an engine used, known once it is done.

    Attributes
    ----------
    device
        What encoded, "" where nothing had to be.
    workers, lanes, batch_size, writers
        See `fishembed.extraction.stage_times.StageTimes`.
    """

    device: str = ""
    workers: int = 1
    lanes: int = 1
    batch_size: int = 0
    writers: int = 1


class Engine(Protocol):
    """Reads files and encodes those whose bytes are new."""

    def prepared(self, encoder: EncoderLoader, *, expected: int) -> AbstractContextManager[None]:
        """Return the context in which `run` is called.

        Parameters
        ----------
        encoder
            What will encode.
        expected
            How many files will surely have to be read, so that what takes long to start may be
            started now; 0 where nobody knows.
        """
        ...

    def run(
        self, job: EncodingJob, encoder: EncoderLoader, known: Collection[str]
    ) -> Generator[EncodedFiles, None, None]:
        """Yield what is finished, in any order, each file once.

        Closing the iterator ends the work; an error that it raises ends the extraction,
        and what it yielded before is kept.

        Parameters
        ----------
        job
            The files.
        encoder
            Loaded when the first image must be encoded, and not before.
        known
            Digests that need no features; grows while this runs.
        """
        ...

    @property
    def info(self) -> EngineInfo:
        """Device, workers, lanes and batch size that the engine used."""
        ...
