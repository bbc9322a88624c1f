"""A watch over what the program reaches for: other machines, files, code.

Python's audit hook sees sockets, opened files and started programs, and stops the sockets. What
libraries in C open, as HDF5 does, only the kernel sees: inotify, over one folder.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_ASKS = frozenset({"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"})
_STARTS = frozenset({"os.system", "os.exec", "os.posix_spawn", "os.startfile", "subprocess.Popen"})
_HARMLESS = frozenset({"fc-list", "lscpu", "/sbin/ldconfig", "uname"})
"""Programs that matplotlib, joblib, ctypes and platform start to look at the machine."""

_LOOKS = frozenset({"open", "os.listdir", "os.scandir"})
_IN_ACCESS, _IN_OPEN = 1, 0x20
_EVENT_HEAD = 16

_active: list[Watch] = []


class Watch:
    """What was reached for while it was on.

    Parameters
    ----------
    allowed
        Folders in which files are opened, besides those of Python and of the system's libraries.
    forbidden
        Files in none of `allowed`, whatever folder of the system they lie in.

    Attributes
    ----------
    seen
        One line for each thing that was reached for and is not allowed.
    """

    def __init__(self, allowed: Sequence[Path], forbidden: Sequence[str] = ()) -> None:
        here = Path(__file__).parents[1]
        roots = [*allowed, here, *map(Path, {sys.prefix, sys.base_prefix, *sys.path})]
        system = ("/usr", "/lib", "/lib64", "/proc", "/sys", "/etc", "/dev/null", "/dev/urandom")
        self._roots = tuple(os.path.realpath(root) for root in roots if str(root)) + system
        self._forbidden = forbidden
        self.seen: list[str] = []

    def hear(self, event: str, args: tuple[object, ...]) -> None:
        """Write down an event that is not allowed, and stop it where it would leave."""
        if event in _ASKS:
            self.seen.append(f"{event} {args[1:] if event == 'socket.connect' else args}")
            raise ConnectionRefusedError("the test is watching")
        if event in _STARTS or event == "pickle.find_class":
            if args[0] not in _HARMLESS:
                self.seen.append(f"{event} {args}")
        elif event in _LOOKS and args and not isinstance(args[0], int):
            self._look(event, os.path.realpath(os.fsdecode(args[0] or ".")))  # type: ignore[arg-type]

    def _look(self, event: str, path: str) -> None:
        inside = any(path == root or path.startswith(f"{root}/") for root in self._roots)
        if not inside or path in self._forbidden:
            self.seen.append(f"{event} {path}")


def _hook(event: str, args: tuple[object, ...]) -> None:
    for watch in _active:
        watch.hear(event, args)


@contextmanager
def watched(watch: Watch, secret: Path) -> Iterator[Watch]:
    """Turn a watch on, over one folder also in the kernel."""
    if not _hook.__dict__.setdefault("added", False):
        sys.addaudithook(_hook)  # for good: there is no taking it off
        _hook.__dict__["added"] = True
    opened = _Inotify(secret)
    _active.append(watch)
    try:
        yield watch
    finally:
        _active.remove(watch)
        watch.seen += [f"opened by a library: {name}" for name in opened.names()]


class _Inotify:
    """The files of a folder that any program opens or reads; none where the system is not Linux."""

    def __init__(self, folder: Path) -> None:
        self._fd = -1
        if sys.platform != "linux":
            return
        libc = ctypes.CDLL(None, use_errno=True)
        self._fd = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        assert libc.inotify_add_watch(self._fd, os.fsencode(folder), _IN_ACCESS | _IN_OPEN) >= 0

    def names(self) -> list[str]:
        """Return which, each once, and look no more."""
        if self._fd < 0:
            return []
        found = set()
        try:
            while raw := os.read(self._fd, 1 << 16):
                while raw:
                    end = _EVENT_HEAD + int.from_bytes(raw[12:16], sys.byteorder)
                    found.add(os.fsdecode(raw[_EVENT_HEAD:end].rstrip(b"\0")) or "the folder")
                    raw = raw[end:]
        except BlockingIOError:
            pass
        finally:
            os.close(self._fd)
        return sorted(found)
