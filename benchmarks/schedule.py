"""Simulate the schedule of `--engine ray`: slow machines, failures, and what they cost.

Blocks are given out as they are asked for, two at hand for each worker, as
`fishembed.extraction.ray_engine` does; a worker that dies loses what it has done of a block and
begins with it again when it has been started anew. Nothing is encoded here; times are drawn::

    python benchmarks/schedule.py [--images 1e8] [--workers 64] [--rate 4000]
"""

from __future__ import annotations

import argparse
import heapq
from dataclasses import dataclass

import numpy as np

BLOCK = 512
QUEUED = 2
START = 60.0
"""Seconds until a worker that died has loaded its encoder again."""


@dataclass(frozen=True)
class Case:
    """What goes wrong.

    Attributes
    ----------
    name
        In words.
    spread
        Standard deviation of the logarithm of a block's time.
    slow, factor
        Share of workers that are slower, and how many times.
    hours
        Mean hours that a worker lives.
    """

    name: str
    spread: float = 0.0
    slow: float = 0.0
    factor: float = 1.0
    hours: float = np.inf


CASES = (
    Case("nothing"),
    Case("blocks differ by 30%", spread=0.3),
    Case("and 5% of the workers take 3 times as long", spread=0.3, slow=0.05, factor=3),
    Case("and each worker dies every 10 hours", spread=0.3, slow=0.05, factor=3, hours=10),
    Case("and each worker dies every hour", spread=0.3, slow=0.05, factor=3, hours=1),
)


def simulate(case: Case, blocks: int, workers: int, seconds: float, seed: int = 0) -> dict:
    """Give the hours until the last block is done, and what was lost on the way."""
    rng = np.random.default_rng(seed)
    pace = np.where(np.arange(workers) < round(case.slow * workers), case.factor, 1.0)
    deaths = rng.exponential(case.hours * 3600, workers) if np.isfinite(case.hours) else None
    left, died, end = blocks, 0, 0.0
    held = [0] * workers
    events: list[tuple[float, int]] = []

    def go_on(worker: int, at: float) -> None:
        """Take blocks until two are at hand, and begin with one of them."""
        nonlocal left
        taken = min(QUEUED - held[worker], left)
        left -= taken
        held[worker] += taken
        if held[worker]:
            took = seconds * pace[worker] * rng.lognormal(-(case.spread**2) / 2, case.spread)
            heapq.heappush(events, (at + took, worker))

    for worker in range(workers):
        go_on(worker, 0.0)
    while events:
        at, worker = heapq.heappop(events)
        if deaths is not None and deaths[worker] <= at:
            died += 1
            back = deaths[worker] + START
            deaths[worker] = back + rng.exponential(case.hours * 3600)
            go_on(worker, back)  # with the blocks that it had
            continue
        end = max(end, at)
        held[worker] -= 1
        go_on(worker, at)
    ideal = blocks * seconds / workers
    return {"hours": end / 3600, "share": ideal / end, "died": died}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=float, default=1e8)
    parser.add_argument("--workers", type=int, default=64)
    parser.add_argument("--rate", type=float, default=4000, help="images/s of a worker")
    given = parser.parse_args()
    blocks = int(-(-given.images // BLOCK))
    print(
        f"{given.images:,.0f} images in {blocks:,} blocks of {BLOCK}, {given.workers} workers of "
        f"{given.rate:,.0f} images/s"
    )
    print(f"{'what goes wrong':44s} {'hours':>7s} {'of the ideal':>13s} {'deaths':>7s}")
    for case in CASES:
        told = simulate(case, blocks, given.workers, BLOCK / given.rate)
        print(f"{case.name:44s} {told['hours']:7.2f} {told['share']:13.1%} {told['died']:7d}")


if __name__ == "__main__":
    main()
