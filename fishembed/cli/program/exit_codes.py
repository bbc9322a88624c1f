"""The exit codes of the program, one for each kind of end.

=====  ===========  ======================================================================
0      done         what was asked for is done
1      unexpected   a fault of fishembed: a log with versions and the traceback is named
2      usage        the command cannot be understood, or names what is not there
3      data         what was read cannot be used, or more was skipped than allowed
4      locked       another process has the store open
5      network      another machine does not answer, or weights are not to be had
6      disk         the disk is full, or a place cannot be read or written
7      missing      this machine lacks an optional package or a device
130    interrupted  Ctrl-C; 0 where that is the way to end: serve, predict --watch
=====  ===========  ======================================================================
"""

from __future__ import annotations

import errno
from dataclasses import dataclass

from fishembed import errors


@dataclass(frozen=True)
class ExitCode:
    """An exit code with its kind.

    Attributes
    ----------
    code
        Exit code of the program.
    kind
        One word for it, as in the JSON of an error.
    meaning
        Its description in the program's help.
    """

    code: int
    kind: str
    meaning: str


DONE = ExitCode(0, "done", "done")
UNEXPECTED = ExitCode(1, "unexpected", "a fault of fishembed itself, with a log to report")
USAGE = ExitCode(2, "usage", "the command is wrong, or names what is not there")
DATA = ExitCode(3, "data", "what was read cannot be used, or too much was skipped")
LOCKED = ExitCode(4, "locked", "the store is open in another process")
NETWORK = ExitCode(5, "network", "another machine does not answer")
DISK = ExitCode(6, "disk", "the disk is full, or a place not readable or writable")
MISSING = ExitCode(7, "missing", "an optional package or a device is missing here")
INTERRUPTED = ExitCode(130, "interrupted", "Ctrl-C")

EXIT_CODES = (DONE, UNEXPECTED, USAGE, DATA, LOCKED, NETWORK, DISK, MISSING, INTERRUPTED)

_KINDS: tuple[tuple[ExitCode, tuple[type[Exception], ...]], ...] = (
    (LOCKED, (errors.StoreLockedError,)),
    (NETWORK, (errors.RemoteError, errors.UnreachableWeightsError, ConnectionError, TimeoutError)),
    (DISK, (errors.WriteError,)),
    (MISSING, (errors.MissingExtraError, errors.DeviceError)),
    (USAGE, (FileNotFoundError, IsADirectoryError, NotADirectoryError)),
    (DATA, (errors.DataError, errors.ImageError, errors.StoreError)),
    (DATA, (errors.RunFormatError, errors.WeightsError)),
    (USAGE, (errors.FishembedError,)),
)
"""The first that fits counts: a store that is not there is named wrongly, and no bad data."""

_OF_THE_DISK = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EACCES, errno.EPERM, errno.EROFS}
    | {errno.EIO, errno.ENXIO}
)
"""Error numbers of a fault of the disk, not of the program."""


def exit_code_of(error: BaseException) -> ExitCode:
    """Return the exit code of an error.

    Examples
    --------
    >>> from fishembed.errors import InputError, StoreLockedError
    >>> exit_code_of(InputError("no")).code, exit_code_of(StoreLockedError("no")).kind
    (2, 'locked')
    """
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    for code, kinds in _KINDS:
        if isinstance(error, kinds):
            return code
    if isinstance(error, OSError):
        if error.errno == errno.ENAMETOOLONG:
            return USAGE
        if error.errno in _OF_THE_DISK:
            return DISK
    return UNEXPECTED
