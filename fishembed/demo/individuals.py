"""No two fish alike: the variation within a species and the pose of one fish."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from fishembed.demo.geometry import Pose
from fishembed.demo.pixels import around, between, blend, rgb, shifted
from fishembed.demo.places import Kind
from fishembed.demo.species import Mark, MedianFin, Species

MUD = "#7c7462"
"""The colour that pale, stressed and badly lit fish of every species drift towards."""


def choose_individual(species: Species, rng: np.random.Generator) -> Species:
    """Return one fish of a species: deeper or slimmer, fuller in the belly, more or less marked."""
    deep, full, hump = around(rng, 1.0, 0.075), around(rng, 0.0, 0.07), around(rng, 0.0, 0.05)
    middle = np.array([0.2, 0.3, 0.5, 0.8, 1.0, 1.0, 0.9, 0.7, 0.4, 0.2, 0.1])
    raised = min(max(around(rng, 0.9, 0.17), 0.45), 1.15)
    varied = replace(
        species,
        back=tuple((np.array(species.back) * deep * (1.0 + hump * middle)).tolist()),
        belly=tuple((np.array(species.belly) * deep * (1.0 + full * middle)).tolist()),
        tail=_scaled(species.tail, rng, length=0.09, spread=0.13, fork=0.1),
        fins=tuple(_median_fin(fin, raised, rng) for fin in species.fins),
        pectoral=_scaled(species.pectoral, rng, angle=0.4, length=0.09, spread=0.2),
        pelvics=tuple(_scaled(f, rng, angle=0.3, length=0.09, spread=0.2) for f in species.pelvics),
        marks=tuple(_mark(mark, rng) for mark in species.marks),
        palette=_palette(species, rng),
        offset=between(rng, 0.0, 100.0),
    )
    individual: Species = _scaled(varied, rng, eye_x=0.05, eye=0.09, mouth=0.1, gill=0.035)
    return individual


def _scaled(record: Any, rng: np.random.Generator, **spreads: float) -> Any:
    """Multiply measures by random factors around 1 with the given spreads."""
    changed = {name: getattr(record, name) * around(rng, 1.0, s) for name, s in spreads.items()}
    return replace(record, **changed)


def _median_fin(fin: MedianFin, raised: float, rng: np.random.Generator) -> MedianFin:
    """Raise or fold a median fin."""
    heights = np.array(fin.heights) * (raised * around(rng, 1.0, 0.08))
    sweep = fin.sweep + 0.9 * (1.0 - raised) + around(rng, 0.0, 0.06)
    return replace(fin, heights=tuple(heights.tolist()), sweep=sweep)


def _mark(mark: Mark, rng: np.random.Generator) -> Mark:
    """Make a marking stronger or fainter; single spots now and then are missing."""
    strength = mark.strength * min(max(around(rng, 0.9, 0.28), 0.15), 1.15)
    grow, kept = around(rng, 1.0, 0.07), [place for place in mark.places if rng.random() > 0.06]
    places = [(x + around(rng, 0.0, 0.8), v + around(rng, 0.0, 0.04), r * grow) for x, v, r in kept]
    return replace(mark, places=tuple(places), strength=min(strength, 1.0))


def _palette(species: Species, rng: np.random.Generator) -> dict[str, Any]:
    """Choose one of a species' palettes and vary it: paler, darker, duller, warmer."""
    weights = np.array([palette["weight"] for palette in species.palettes])
    chosen = species.palettes[int(rng.choice(len(weights), p=weights / weights.sum()))]
    hue, saturation = around(rng, 0.0, 0.014), min(max(around(rng, 1.0, 0.18), 0.5), 1.4)
    brightness, dull = around(rng, 1.0, 0.09), abs(around(rng, 0.0, 0.12))
    varied = {"caption": chosen["caption"], "iris": rgb(chosen["iris"])}
    for part in ("back", "flank", "belly", "fins"):
        own = brightness * around(rng, 1.0, 0.04)
        turned = shifted(chosen[part], hue=hue, saturation=saturation, brightness=own)
        varied[part] = blend(turned, rgb(MUD), dull)
    return varied


def choose_pose(species: Species, kind: Kind, rng: np.random.Generator) -> Pose:
    """Place a fish: swimming in water, laid down anyhow on a deck, level on paper."""
    tilt, swing = {"water": (7.0, 1.5), "deck": (12.0, 0.9), "paper": (2.2, 0.5)}[kind]
    return Pose(
        x=0.5 + around(rng, 0.0, 0.045),
        y=0.5 + around(rng, 0.0, 0.055),
        length=min(species.size * min(max(around(rng, 1.1, 0.16), 0.7), 1.45), 0.82),
        angle=around(rng, 0.0, tilt),
        faces_left=bool(rng.random() < 0.55),
        bend=species.bendy * swing * between(rng, 0.15, 1.0),
        phase=between(rng, 0.0, 2.0 * math.pi),
        wave=115.0 / (1.0 + 0.09 * max(species.bendy - 1.0, 0.0)),
    )
