"""No two fish alike: the variation within a species and the pose of one fish."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fishembed.demo.colour import mixed, shifted
from fishembed.demo.fields import around, between
from fishembed.demo.settings import Kind
from fishembed.demo.stage import Pose
from fishembed.demo.traits import (
    Eyespots,
    Fan,
    Head,
    Mark,
    MedianFin,
    PairedFin,
    Palette,
    Profile,
    Species,
)

MUD = "#7c7462"
"""The colour that pale, stressed and badly lit fish of every species drift towards."""


def _profile(profile: Profile, rng: np.random.Generator) -> Profile:
    """Make a body deeper or slimmer, fuller in the belly, and uneven by a few percent."""
    deep, full = around(rng, 1.0, 0.075), around(rng, 1.0, 0.07)
    hump = around(rng, 0.0, 0.05)
    middle = np.array([0.2, 0.3, 0.5, 0.8, 1.0, 1.0, 0.9, 0.7, 0.4, 0.2, 0.1])
    back = [h * deep * (1.0 + hump * m) for h, m in zip(profile.back, middle, strict=True)]
    belly = [
        h * deep * (1.0 + (full - 1.0) * m) for h, m in zip(profile.belly, middle, strict=True)
    ]
    return replace(profile, back=tuple(back), belly=tuple(belly))


def _fan(fan: Fan, rng: np.random.Generator, spread: float) -> Fan:
    """Make a fin longer or shorter and open it more or less."""
    return replace(
        fan,
        length=fan.length * around(rng, 1.0, 0.09),
        spread=fan.spread * spread * around(rng, 1.0, 0.08),
        fork=fan.fork * around(rng, 1.0, 0.1),
    )


def _median(fin: MedianFin, rng: np.random.Generator, raised: float) -> MedianFin:
    """Raise or fold a median fin and move its base a little."""
    shift = around(rng, 0.0, 0.9)
    tall = raised * around(rng, 1.0, 0.08)
    return replace(
        fin,
        start=fin.start + shift,
        end=min(fin.end + shift, 100.0),
        heights=tuple(height * tall for height in fin.heights),
        sweep=fin.sweep + 0.9 * (1.0 - raised) + around(rng, 0.0, 0.06),
    )


def _paired(fin: PairedFin, rng: np.random.Generator) -> PairedFin:
    """Turn a paired fin and open or close it."""
    return replace(
        fin, angle=fin.angle + around(rng, 0.0, 11.0), fan=_fan(fin.fan, rng, around(rng, 1.0, 0.2))
    )


def _head(head: Head, rng: np.random.Generator) -> Head:
    """Vary eye, mouth and gill cover; small fish have large eyes."""
    return replace(
        head,
        eye_x=head.eye_x * around(rng, 1.0, 0.05),
        eye=head.eye * around(rng, 1.0, 0.09),
        mouth=head.mouth * around(rng, 1.0, 0.1),
        gill=head.gill * around(rng, 1.0, 0.035),
    )


def _mark(mark: Mark, rng: np.random.Generator) -> Mark:
    """Make a marking stronger or fainter; single spots now and then are missing."""
    strength = mark.strength * float(np.clip(around(rng, 0.9, 0.28), 0.15, 1.15))
    if isinstance(mark, Eyespots):
        kept = tuple(place for place in mark.places if rng.random() > 0.06)
        places = tuple((x + around(rng, 0, 0.8), v + around(rng, 0, 0.04), r) for x, v, r in kept)
        return replace(mark, places=places, strength=min(strength, 1.0))
    return replace(mark, strength=min(strength, 1.0))


def vary(species: Species, rng: np.random.Generator) -> Species:
    """Return one individual of a species."""
    raised = float(np.clip(around(rng, 0.9, 0.17), 0.45, 1.15))
    return replace(
        species,
        profile=_profile(species.profile, rng),
        head=_head(species.head, rng),
        tail=_fan(species.tail, rng, around(rng, 0.95, 0.12)),
        fins=tuple(_median(fin, rng, raised) for fin in species.fins),
        pectoral=_paired(species.pectoral, rng),
        pelvic=None if species.pelvic is None else _paired(species.pelvic, rng),
        marks=tuple(_mark(mark, rng) for mark in species.marks),
    )


def dress(species: Species, rng: np.random.Generator) -> Palette:
    """Choose one of a species' palettes and vary it: paler, darker, duller, warmer."""
    weights = np.array([palette.weight for palette in species.palettes])
    chosen = species.palettes[int(rng.choice(len(weights), p=weights / weights.sum()))]
    hue, saturation = around(rng, 0.0, 0.014), float(np.clip(around(rng, 1.0, 0.18), 0.5, 1.4))
    brightness, dull = around(rng, 1.0, 0.09), abs(around(rng, 0.0, 0.12))

    def one(colour: str) -> str:
        own = around(rng, 1.0, 0.04)
        turned = shifted(colour, hue=hue, saturation=saturation, brightness=brightness * own)
        return mixed(turned, MUD, dull)

    return Palette(
        back=one(chosen.back),
        flank=one(chosen.flank),
        belly=one(chosen.belly),
        fins=one(chosen.fins),
        iris=chosen.iris,
    )


def pose(species: Species, kind: Kind, rng: np.random.Generator) -> Pose:
    """Place a fish: swimming in water, laid down anyhow on a deck, level on paper."""
    tilt = {"water": 11.0, "deck": 24.0, "paper": 3.5}[kind]
    length = species.size * float(np.clip(around(rng, 1.1, 0.16), 0.7, 1.45))
    swing = {"water": 1.5, "deck": 0.9, "paper": 0.5}[kind]
    return Pose(
        x=0.5 + around(rng, 0.0, 0.045),
        y=0.5 + around(rng, 0.0, 0.055),
        length=min(length, 0.82),
        angle=around(rng, 0.0, tilt / 1.6),
        faces_left=bool(rng.random() < 0.55),
        squeeze=1.0 - abs(around(rng, 0.0, 0.09 if kind == "water" else 0.03)),
        bend=species.bendy * swing * between(rng, 0.15, 1.0),
        phase=between(rng, 0.0, 2.0 * np.pi),
        wave=115.0 / (1.0 + 0.09 * max(species.bendy - 1.0, 0.0)),
    )
