"""Turn errors into a sentence and an exit code.

=====  ==============================================================
0      done
1      an unexpected error: a log with versions and the traceback
2      an error with a sentence that says what to do
130    Ctrl-C
=====  ==============================================================
"""

from __future__ import annotations

import errno
import os
import platform
import sys
import tempfile
import traceback
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

import typer

from fishembed._base.paths import Place, scrub
from fishembed._base.printable import printable
from fishembed.errors import FishembedError

PACKAGES = ("fishembed", "torch", "open_clip_torch", "timm", "numpy", "h5py", "scikit-learn")
_INTERRUPTED = 130
_OF_THE_DISK = frozenset(
    {
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EFBIG,
        errno.EACCES,
        errno.EPERM,
        errno.EROFS,
        errno.ENOENT,
        errno.ENOTDIR,
        errno.EISDIR,
        errno.ENAMETOOLONG,
        errno.EIO,
    }
)
"""What is wrong with a place, and not with the program."""


def run_program(  # noqa: PLR0911 - one line for each kind of end
    app: typer.Typer, arguments: Sequence[str] | None = None
) -> int:
    """Run the program, print errors as one sentence and return the exit code."""
    try:
        app(args=arguments)
    except SystemExit as left:
        if left.code == _INTERRUPTED:
            _print_error("interrupted")
        return left.code if isinstance(left.code, int) else 0
    except FishembedError as error:
        _print_error(f"error: {scrub(str(error))}")
        return 2
    except KeyboardInterrupt:
        _print_error("interrupted")
        return _INTERRUPTED
    except BrokenPipeError:
        # The reader of a pipe has seen enough; say nothing at interpreter exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        if error.errno not in _OF_THE_DISK:
            return _print_unexpected(error)
        place = "" if error.filename is None else f"{str(error.filename)!r}: "
        _print_error(f"error: {scrub(place)}{error.strerror or error}")
        return 2
    except Exception as error:  # unexpected errors end in a sentence too
        return _print_unexpected(error)
    return 0


def _print_unexpected(error: BaseException) -> int:
    _print_error(f"unexpected {type(error).__name__}: {scrub(str(error))}")
    try:
        _print_error(f"the details are in {_write_log(error)}: please report them")
    except OSError:  # no place for a log
        _print_error(f"please report it, with this:\n{_details(error)}")
    return 1


def _print_error(text: str) -> None:
    text = "\n".join(map(printable, text.split("\n")))
    sys.stderr.write(text.encode("utf-8", "replace").decode("utf-8") + "\n")


def _details(error: BaseException) -> str:
    command = [str(Place(one)) for one in sys.argv]
    versions = "\n".join(f"{name} {_version(name)}" for name in PACKAGES)
    text = (
        f"python {platform.python_version()} on {platform.platform()}\n{versions}\n"
        f"command: {command}\n\n{''.join(traceback.format_exception(error))}"
    )
    return scrub(text)


def _write_log(error: BaseException) -> Path:
    handle, name = tempfile.mkstemp(prefix="fishembed-", suffix=".log")
    with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(_details(error))
    return Path(name)


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
