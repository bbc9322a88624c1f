"""What reads and encodes: the contract between an extraction and the machines it runs on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from fishembed.cache import Parts
from fishembed.extraction.lazy import LazyEncoder
from fishembed.extraction.stages import NOTHING, Seconds
from fishembed.extraction.vectors import Bundle
from fishembed.images import MAX_PIXELS, Blob


@dataclass(frozen=True)
class Work:
    """Files to read, and how.

    Attributes
    ----------
    files
        Where the pictures' bytes lie; a picture is called by its place in this list.
    batch_size
        Pictures that are encoded at once; measured when None.
    workers
        Threads that decode; one for each core when None.
    max_pixels
        Width × height above which a picture is skipped.
    trunk
        Whether the vectors before the projection are wanted too.
    parts
        Opens the parts of the store, under the name of who writes: an engine whose workers see
        their place may write there by itself. None where there is no store.
    """

    files: Sequence[Path | Blob]
    batch_size: int | None = None
    workers: int | None = None
    max_pixels: int = MAX_PIXELS
    trunk: bool = False
    parts: Callable[[str], Parts] | None = None


@dataclass(frozen=True)
class Outcome:
    """What came of one file.

    Attributes
    ----------
    number
        Its place in `Work.files`.
    digest
        SHA-256 of its bytes, None where it could not be read.
    reason
        Why it cannot be used, "" where it can.
    """

    number: int
    digest: str | None
    reason: str = ""


@dataclass(frozen=True)
class Finished:
    """Some files that are done, and the vectors that came of them.

    Attributes
    ----------
    outcomes
        One for each file. Those whose digest was known, or that another file of this
        work had, have no vector here.
    digests
        Of the n pictures that were encoded.
    vectors
        float32 (n, …) by the dataset's name in a store; None where n is 0 or they are in a part.
    spent
        Seconds of work.
    notes
        Sentences for the user.
    part
        Name of the part that the vectors were written to, "" where the engine wrote none.
    unusable
        Digests of pictures whose vectors are not finite, where the engine has looked.
    """

    outcomes: tuple[Outcome, ...]
    digests: tuple[str, ...] = ()
    vectors: Bundle | None = None
    spent: Seconds = NOTHING
    notes: tuple[str, ...] = ()
    part: str = ""
    unusable: tuple[str, ...] = ()


@dataclass(frozen=True)
class Crew:
    """What an engine worked with, known once it is done.

    Attributes
    ----------
    device
        What encoded, "" where nothing had to be.
    workers, lanes, batch_size, writers
        See `fishembed.extraction.stages.StageTimes`.
    """

    device: str = ""
    workers: int = 1
    lanes: int = 1
    batch_size: int = 0
    writers: int = 1


class Engine(Protocol):
    """Reads files and encodes those whose bytes are new."""

    def prepared(self, encoder: LazyEncoder, *, soon: bool) -> AbstractContextManager[None]:
        """Give the context in which `run` is called.

        Parameters
        ----------
        encoder
            What will encode.
        soon
            Whether there is surely something to encode, so that what takes long to start may
            be started now.
        """
        ...

    def run(
        self, work: Work, encoder: LazyEncoder, known: Collection[str]
    ) -> Generator[Finished, None, None]:
        """Yield what is finished, in any order, each file once.

        Closing the iterator ends the work; an error that it raises ends the extraction,
        and what it yielded before is kept.

        Parameters
        ----------
        work
            The files.
        encoder
            Loaded when the first picture must be encoded, and not before.
        known
            Digests that need no vector; grows while this runs.
        """
        ...

    @property
    def crew(self) -> Crew:
        """What it worked with."""
        ...
