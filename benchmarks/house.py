"""How large the house is, and through how many files its three flows run.

    python benchmarks/house.py [--files]

Lines, modules and the largest module of each room, functions above forty lines (docstrings not
counted), then the files whose functions are called on the way from 24 JPEGs to their rows, from
the store to a run, and from the run to its page; `--files` names them, in the order of their first
call.
"""

from __future__ import annotations

import argparse
import ast
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import numpy as np
from PIL import Image

PACKAGE = Path(__file__).parents[1] / "fishembed"


def print_sizes() -> None:
    """Print a line for each room and one for all of them."""
    sizes: dict[str, list[tuple[int, Path]]] = {}
    for file in sorted(PACKAGE.rglob("*.py")):
        inside = file.relative_to(PACKAGE)
        room = inside.parts[0] if len(inside.parts) > 1 else "(top)"
        sizes.setdefault(room, []).append((len(file.read_text().splitlines()), inside))
    print(f"{'room':<14}{'lines':>7}{'modules':>9}{'most in a folder':>18}  largest module")
    everything = [size for room in sizes.values() for size in room]
    for room, files in sorted(sizes.items(), key=lambda pair: -sum(n for n, _ in pair[1])):
        _print_size(room, files)
    _print_size("all", everything)


def _print_size(name: str, files: list[tuple[int, Path]]) -> None:
    folders = [file.parent for _, file in files if file.name != "__init__.py"]
    most = max((folders.count(folder) for folder in folders), default=0)
    lines, largest = max(files)
    total = sum(n for n, _ in files)
    print(f"{name:<14}{total:>7}{len(files):>9}{most:>18}  {largest} ({lines})")


def print_long_functions(limit: int = 40) -> None:
    """Print the functions with more lines than `limit`, their docstrings left out."""
    found = []
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                first = node.body[0]
                described = ast.get_docstring(node) is not None
                docstring = (first.end_lineno or 0) - first.lineno + 1 if described else 0
                lines = (node.end_lineno or 0) - node.lineno + 1 - docstring
                if lines > limit:
                    found.append((lines, f"{file.relative_to(PACKAGE)} {node.name}"))
    print(f"\n{len(found)} functions above {limit} lines:")
    for lines, name in sorted(found, reverse=True):
        print(f"  {lines:>4}  {name}")


def files_called(flow: Callable[[], object]) -> list[str]:
    """Return the files of the package whose functions `flow` calls, by their first call."""
    files: dict[str, None] = {}

    def note(frame: FrameType, event: str, _: object) -> None:
        # Bodies of modules and classes run when something is imported, and are no step of a flow.
        if event == "call" and frame.f_code.co_flags & 1:
            file = frame.f_code.co_filename
            if file.startswith(f"{PACKAGE}/") and file.endswith(".py"):
                files.setdefault(file[len(f"{PACKAGE}/") :])

    threading.setprofile(note)
    sys.setprofile(note)
    try:
        flow()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)  # type: ignore[arg-type]
    return list(files)


def print_flows(folder: Path, *, names: bool) -> None:
    """Print through how many files each flow runs, and with `names` through which."""
    from fishembed import extract, run_fit, write_report

    rng = np.random.default_rng(0)
    for i in range(24):
        place = folder / "photos" / f"species {i % 3}" / f"{i:02d}.jpg"
        place.parent.mkdir(parents=True, exist_ok=True)
        base = np.full((200, 300, 3), 60 * (i % 3 + 1))
        noise = rng.integers(0, 60, (200, 300, 3))
        Image.fromarray((base + noise).astype(np.uint8)).save(place)
    store, run = folder / "photos.h5", folder / "walk"
    flows: dict[str, Callable[[], object]] = {
        "image -> row": lambda: extract(folder / "photos", store=store, encoder="embedded"),
        "store -> run": lambda: run_fit(store, head="logistic", run="walk", reports=folder),
        "run -> page": lambda: write_report(run),
    }
    print(f"\n{'files passed':<14}{'all':>5}{'without _base and errors':>27}")
    for name, flow in flows.items():
        files = files_called(flow)
        own = [file for file in files if not file.startswith(("_base/", "errors"))]
        print(f"{name:<14}{len(files):>5}{len(own):>27}")
        if names:
            print(*(f"    {file}" for file in files), sep="\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--files", action="store_true", help="name the files of each flow")
    names = parser.parse_args().files
    print_sizes()
    print_long_functions()
    with tempfile.TemporaryDirectory() as folder:
        print_flows(Path(folder), names=names)


if __name__ == "__main__":
    main()
