"""Run the program: turn every error into a sentence, an exit code and, if asked, JSON."""

from __future__ import annotations

import os
import platform
import shlex
import sys
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import typer

from fishembed._base.paths import Place, cache_dir, is_remote, reports_dir, scrub, to_path
from fishembed.cli.program.exit_codes import (
    DATA,
    DONE,
    INTERRUPTED,
    UNEXPECTED,
    USAGE,
    ExitCode,
    exit_code_of,
)
from fishembed.cli.program.output import (
    end_output,
    error_document,
    error_line,
    output,
    start_output,
)
from fishembed.errors import FishembedError

PACKAGES = ("fishembed", "torch", "open_clip_torch", "timm", "numpy", "h5py", "scikit-learn")


def run_program(app: typer.Typer, arguments: Sequence[str] | None = None) -> int:
    """Run the program, print errors as one sentence and return the exit code.

    Parameters
    ----------
    app
        The program.
    arguments
        The words after its name; the arguments of this process when None.
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
    except SystemExit as error:  # raised by shell completion
        return error.code if isinstance(error.code, int) else DONE.code
    except BrokenPipeError:
        # The reader of a pipe closed it; print nothing at interpreter exit either.
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
    """Return a sentence on what may have been typed wrongly; "" for other errors."""
    if code not in (USAGE, DATA):
        return ""
    try:
        return typing_hint(output().verb, output().given, words)
    except (OSError, FishembedError):  # a folder that cannot be read
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


def typing_hint(verb: str, given: Mapping[str, Any], words: Sequence[str]) -> str:
    """Return a sentence on what may have been typed wrongly; "" where nothing is seen.

    Parameters
    ----------
    verb
        The verb that failed.
    given
        The values of its parameters.
    words
        The command line behind the program's name.
    """
    return _split_name(words) or _swapped(verb, given)


def _split_name(words: Sequence[str]) -> str:
    """Return a hint where words are one file's name that the shell split at its blanks; else ""."""
    plain = [word for word in words if not is_remote(to_path(word))]
    for start in range(len(plain)):
        for end in range(start + 2, min(len(plain), start + 8) + 1):
            parts = plain[start:end]
            name = " ".join(parts)
            if any(part.startswith("--") for part in parts):
                break
            if _is_there(name) and not all(map(_is_there, parts)):
                return f"there is {name!r}: put a name with blanks in quotes, as '{name}'"
    return ""


def _swapped(verb: str, given: Mapping[str, Any]) -> str:
    """Return a hint where arguments are swapped; else ""."""

    def swapped(*order: object) -> str:
        return (
            f"are the arguments swapped? Try: {shlex.join(['fishembed', verb, *map(str, order)])}"
        )

    if verb == "predict" and given.get("images"):
        run, images = given["run"], given["images"]
        at = next((i for i, one in enumerate(images) if _is_run(one)), None)
        if at is not None and not _is_run(run):
            others = [one for i, one in enumerate(images) if i != at]
            return swapped(images[at], run, *others)
    if verb in ("fix", "search", "shard"):
        second = {"fix": "fixes", "search": "text", "shard": "target"}[verb]
        first, then = given["store"], given.get(second)
        then = then[0] if isinstance(then, list) and then else then
        if then and _is_store(then) and not _is_store(first):
            return swapped(then, first)
    if verb == "import" and given.get("target") is not None:
        first, then = map(Path, (given["features"], given["target"]))
        if then.exists() and not first.exists():
            return swapped(then, first)
    if verb == "export" and len(given.get("places") or ()) == 2:
        first, then = given["places"]
        if _is_store(then) and not _is_store(first):
            return swapped(then, first)
    if verb == "extract" and len(given.get("source") or ()) > 1:
        last = str(given["source"][-1])
        if last.endswith((".h5", ".hdf5")):
            words = shlex.join(["fishembed", "extract", *given["source"][:-1], "--store", last])
            return f"is {last!r} the store? Try: {words}"
    return ""


def _is_there(name: str) -> bool:
    if "://" in name or len(name) > 1000:
        return False
    return Path(name).exists() or _is_run(name) or _is_store(name)


def _is_run(named: object) -> bool:
    return any(
        (place / "run.json").is_file() for place in (Path(str(named)), reports_dir() / str(named))
    )


def _is_store(named: object) -> bool:
    from fishembed.cache import find_store, is_store

    path = Path(str(named))
    if path.is_file():
        return is_store(path)
    folder = cache_dir()
    return not is_remote(folder) and folder.is_dir() and find_store(str(named), folder) is not None
