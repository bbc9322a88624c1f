"""Run the program: every end becomes a sentence, an exit code and, where asked for, JSON."""

from __future__ import annotations

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
from fishembed.cli.exit_codes import (
    DATA,
    DONE,
    INTERRUPTED,
    UNEXPECTED,
    USAGE,
    ExitCode,
    exit_code_of,
)
from fishembed.cli.output import end_output, error_document, error_line, output, start_output
from fishembed.cli.typing_errors import typing_hint
from fishembed.errors import FishembedError

PACKAGES = ("fishembed", "torch", "open_clip_torch", "timm", "numpy", "h5py", "scikit-learn")


def run_program(app: typer.Typer, arguments: Sequence[str] | None = None) -> int:
    """Run the program, print errors as one sentence and return the exit code.

    Parameters
    ----------
    app
        The program.
    arguments
        What follows its name; the arguments of this process when None.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    start_output(words)
    try:
        return _run(app, words)
    finally:
        end_output()


def _run(app: typer.Typer, words: list[str]) -> int:  # noqa: PLR0911 - one line for each end
    try:
        left = app(args=words, standalone_mode=False)
    except SystemExit as error:  # completion leaves like this
        return error.code if isinstance(error.code, int) else DONE.code
    except BrokenPipeError:
        # The reader of a pipe has seen enough; say nothing at interpreter exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE.code
    except KeyboardInterrupt:
        return _interrupted()
    except Exception as error:  # unexpected errors end in a sentence too
        if type(error).__name__ == "Abort":  # an older typer's word for Ctrl-C
            return _interrupted()
        return _failed(error, words)
    if left == INTERRUPTED.code:
        return _interrupted()
    return left if isinstance(left, int) else DONE.code


def _interrupted() -> int:
    text = output().interrupted
    return _end(INTERRUPTED, "KeyboardInterrupt", f"interrupted{f': {text}' if text else ''}")


def _failed(error: Exception, words: list[str]) -> int:
    """Print what went wrong and return the exit code."""
    if hasattr(error, "format_message"):  # the parser's errors, whichever click they come from
        return _misspelt(error, words)
    code, name = exit_code_of(error), type(error).__name__
    if code is UNEXPECTED:
        return _unexpected(error)
    text = str(error)
    if isinstance(error, OSError) and not isinstance(error, FishembedError):
        place = "" if error.filename is None else f"{str(error.filename)!r}: "
        text = f"{place}{error.strerror or error}"
    return _end(code, name, scrub(text), _hint(code, words))


def _misspelt(error: Exception, words: list[str]) -> int:
    """Print an error of the parser, and how the verb is called."""
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":
        sys.stderr.write(f"{context.get_help() if context else error}\n")
        return USAGE.code
    text = " ".join(error.format_message().split())  # type: ignore[attr-defined]
    text = f"{text[:1].lower()}{text[1:]}"
    ended = _end(USAGE, type(error).__name__, text, _hint(USAGE, words))
    if context is not None:
        usage = " ".join(context.get_usage().removeprefix("Usage:").split())
        error_line(f"usage: {usage}; '{context.command_path} --help' explains it")
    return ended


def _hint(code: ExitCode, words: list[str]) -> str:
    """Return what may have been typed wrongly; "" where that is not what is wrong."""
    if code not in (USAGE, DATA):
        return ""
    try:
        return typing_hint(output().verb, output().given, words)
    except (OSError, FishembedError):  # a folder that cannot be looked into
        return ""


def _end(code: ExitCode, name: str, text: str, hint: str = "") -> int:
    text = f"{text}; {hint}" if hint else text
    error_line(text if code is INTERRUPTED else f"error: {text}")
    error_document(code.kind, code.code, name, text)
    return code.code


def _unexpected(error: Exception) -> int:
    name, text = type(error).__name__, scrub(str(error))
    error_line(f"unexpected {name}: {text}")
    try:
        error_line(f"the details are in {_write_log(error)}: please report them")
    except OSError:  # no place for a log
        error_line(f"please report it, with this:\n{_details(error)}")
    error_document(UNEXPECTED.kind, UNEXPECTED.code, name, text)
    return UNEXPECTED.code


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
