"""Simulate the schedule of `--engine ray`: slow machines, failures, and what they cost.

Blocks are cut and given out by the code that `--engine ray` uses, three at hand for each worker;
those of a worker that dies go to others, while it is started anew. Here a worker does one after
the other. Nothing is encoded; times are drawn::

    python benchmarks/schedule.py [--images 1e8] [--workers 64] [--rate 4000]
"""

from __future__ import annotations

import argparse
import heapq
from collections import deque
from dataclasses import dataclass

import numpy as np

from fishembed.extraction.ray.ray_engine import Block, BlockQueue

QUEUED = 3
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


class Schedule:
    """Workers that take blocks, die and come back, on a clock of its own."""

    def __init__(self, case: Case, images: int, workers: int, rate: float, seed: int) -> None:
        self.case, self.rate = case, rate
        self.blocks = BlockQueue(range(images), workers, tries=1 << 30)
        self.rng = np.random.default_rng(seed)
        self.pace = np.where(np.arange(workers) < round(case.slow * workers), case.factor, 1.0)
        self.held: list[deque[Block]] = [deque() for _ in range(workers)]
        self.lives = [0] * workers
        self.up = [True] * workers
        self.events: list[tuple[float, int, str, int, float]] = []
        self.given = self.died = 0
        for worker in range(workers):
            self.plan_death(0.0, worker)

    def run(self) -> float:
        """Give the second when the last block is done."""
        self.give(0.0)
        at = 0.0
        while not self.blocks.finished:
            at, worker, what, life, took = heapq.heappop(self.events)
            if what == "back":
                self.up[worker] = True
                self.plan_death(at, worker)
            elif life == self.lives[worker]:
                self.die(at, worker) if what == "dies" else self.finish(at, worker, took)
            self.give(at)
        return at

    def give(self, at: float) -> None:
        """Give blocks to workers that are up, to those with the fewest first."""
        has = {w: len(self.held[w]) for w, up in enumerate(self.up) if up}
        while has and min(has.values()) < QUEUED and (block := self.blocks.next()) is not None:
            worker = min(has, key=has.__getitem__)
            self.held[worker].append(block)
            has[worker] += 1
            self.given += 1
            if has[worker] == 1:
                self.begin(at, worker)

    def begin(self, at: float, worker: int) -> None:
        """Draw how long the first block at hand takes."""
        spread = self.case.spread
        luck = self.pace[worker] * self.rng.lognormal(-(spread**2) / 2, spread)
        took = len(self.held[worker][0].files) / self.rate * luck
        heapq.heappush(self.events, (at + took, worker, "done", self.lives[worker], took))

    def finish(self, at: float, worker: int, took: float) -> None:
        """Be done with a block, and go on with the next."""
        self.blocks.done(self.held[worker].popleft(), took)
        if self.held[worker]:
            self.begin(at, worker)

    def die(self, at: float, worker: int) -> None:
        """Lose what is at hand, and come back a while later."""
        self.died += 1
        self.lives[worker] += 1
        self.up[worker] = False
        while self.held[worker]:
            self.blocks.again(self.held[worker].popleft(), RuntimeError("died"))
        heapq.heappush(self.events, (at + START, worker, "back", 0, 0.0))

    def plan_death(self, at: float, worker: int) -> None:
        """Draw how long a worker lives."""
        if np.isfinite(self.case.hours):
            end = at + self.rng.exponential(self.case.hours * 3600)
            heapq.heappush(self.events, (end, worker, "dies", self.lives[worker], 0.0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=float, default=1e8)
    parser.add_argument("--workers", type=int, default=64)
    parser.add_argument("--rate", type=float, default=4000, help="images/s of a worker")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    images = int(given.images)
    print(f"{images:,} images, {given.workers} workers of {given.rate:,.0f} images/s")
    print(
        f"{'what goes wrong':44s} {'hours':>7s} {'of the ideal':>13s} {'blocks':>8s} {'deaths':>7s}"
    )
    for case in CASES:
        schedule = Schedule(case, images, given.workers, given.rate, given.seed)
        hours = schedule.run() / 3600
        share = images / given.rate / given.workers / 3600 / hours
        print(f"{case.name:44s} {hours:7.2f} {share:13.1%} {schedule.given:8,d} {schedule.died:7d}")


if __name__ == "__main__":
    main()
