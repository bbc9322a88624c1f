"""Draw an image of a species: choose fish and place, paint the scene, and render it as a camera."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from PIL import Image, ImageFilter

from fishembed.demo.backgrounds import add_weed, paint_background
from fishembed.demo.catalogue import PLACES, Kind, Mark, MedianFin, Place, Species
from fishembed.demo.fish import paint_fish
from fishembed.demo.geometry import Canvas, Pose
from fishembed.demo.pixels import (
    Array,
    around,
    between,
    blend,
    noise,
    pixel_grid,
    rgb,
    shifted,
    smoothstep,
    texture,
)

SIZE = (320, 240)
"""Width and height of the demo's images."""

MUD = "#7c7462"
"""The colour that pale, stressed and badly lit fish of every species drift towards."""


@dataclass(frozen=True)
class Scene:
    """Everything that is chosen before anything is painted; `seed` is that of the textures."""

    fish: Species
    pose: Pose
    place: Place
    seed: int


def choose_scene(species: Species, rng: np.random.Generator, *, kind: Kind | None = None) -> Scene:
    """Choose an individual and a place; `kind` fixes the kind of place."""
    places = [place for place in PLACES if kind in (None, place.kind)]
    weights = np.array([place.weight for place in places])
    place = places[int(rng.choice(len(places), p=weights / weights.sum()))]
    fish, pose = choose_individual(species, rng), choose_pose(species, place.kind, rng)
    return Scene(fish, pose, place, seed=int(rng.integers(2**32)))


def paint(scene: Scene, size: tuple[int, int] = SIZE) -> Image.Image:
    """Paint a scene as an RGB image of `size`; the same scene has the same pixels."""
    rng, shape, place = np.random.default_rng(scene.seed), (size[1], size[0]), scene.place
    place = replace(place, lamp_along=between(rng, -0.5, 0.5))
    fish = paint_fish(scene.fish, scene.pose, place, shape)
    image = paint_background(place, shape, scene.pose.y, rng)
    {"water": _sink, "deck": _lay_down, "paper": _print}[place.kind](image, fish, place, rng)
    return _camera_image(image, place.kind, rng)


def _add(image: Array, fish: Canvas, colour: Array) -> None:
    """Put a fish, whose colour is already multiplied by its cover, over an image."""
    below = image[:, fish.window[0], fish.window[1]]
    below *= 1.0 - fish.cover
    below += colour


def _sink(image: Array, fish: Canvas, place: Place, rng: np.random.Generator) -> None:
    """Put a fish into water: the web of light falls on it; weed, haze and specks veil it."""
    shift, sun = between(rng, 0.0, 30.0), 0.6 * place.sun * between(rng, 0.0, 1.0)
    web = noise(fish.x * 0.2 + shift, fish.y * 0.16 + shift, "web")
    _add(image, fish, fish.colour * (1.0 + web * smoothstep(-4.0, 14.0, fish.y) * sun))
    if place.blades and rng.random() < 0.45:
        add_weed(image, rgb(place.weed) * 0.8, int(rng.integers(1, 4)), 0.49, rng)
    specks = smoothstep(0.9985, 1.0, texture(image.shape[1:], rng, "grain"))
    specks = specks + smoothstep(0.98, 1.05, texture(image.shape[1:], rng, "blob"))
    haze = place.murk * between(rng, 0.5, 1.4) + specks * between(rng, 0.1, 0.3)
    mist = blend(rgb(place.middle), rgb(place.pale), between(rng, 0.1, 0.4))
    image += (mist - image) * np.minimum(haze, 1.0)


def _lay_down(image: Array, fish: Canvas, place: Place, _: np.random.Generator) -> None:
    """Lay a fish on a deck, with a shadow that is sharp close to it and soft further away."""
    cover = np.zeros(image.shape[1:], dtype=np.uint8)
    cover[fish.window] = fish.cover * 255.0
    for far, radius in ((0.010, 0.008), (0.026, 0.03)):
        down = round(far * len(cover) * (0.5 + place.lamp[0]))
        across = round(far * len(cover) * place.lamp_along * 1.6)
        soft = Image.fromarray(cover).filter(ImageFilter.BoxBlur(radius * len(cover)))
        moved = soft.transform(soft.size, Image.Transform.AFFINE, (1, 0, -across, 0, 1, -down))
        image *= 1.0 - np.asarray(moved, dtype=np.float32) * (0.42 / 255.0)
    _add(image, fish, fish.colour)


def _print(image: Array, fish: Canvas, place: Place, rng: np.random.Generator) -> None:
    """Print a fish on paper: watercolour multiplies what is below, ink draws edges and hatches."""
    cover, below = fish.cover, image[:, fish.window[0], fish.window[1]]
    colour = fish.colour / np.maximum(cover, 1e-3)
    grain = texture(cover.shape, rng, "cloud")
    below *= 1.0 - cover * (1.0 - np.clip(colour * 0.94 + 0.08 + 0.10 * grain, 0.0, 1.0))
    contour = np.minimum(2.0 * np.abs(np.gradient(cover)).max(axis=0), 1.0)
    x, y = pixel_grid(cover.shape)
    hatch = np.sin((y + x * 0.6) * (2.0 * math.pi * len(cover) / (0.0095 * image.shape[1])))
    dark = smoothstep(0.55, 0.12, colour.mean(axis=0)) * cover
    ink = np.maximum(contour * 0.8, smoothstep(-0.3, 0.5, hatch) * dark * 0.34)
    below += (rgb(place.dark) - below) * np.minimum(ink * (0.75 + 0.5 * grain), 0.92)


def draw_fish(
    species: Species,
    rng: np.random.Generator,
    *,
    kind: Kind | None = None,
    size: tuple[int, int] = SIZE,
) -> Image.Image:
    """Draw one RGB image of a fish: the individual, place and camera are chosen by `rng`.

    `kind` fixes the kind of place: "water", "deck" or "paper".

    Examples
    --------
    >>> import numpy as np
    >>> from fishembed.demo import SPECIES, draw_fish
    >>> draw_fish(SPECIES[0], np.random.default_rng(7), kind="water").size
    (320, 240)
    """
    return paint(choose_scene(species, rng, kind=kind), size)


def caption(scene: Scene) -> str:
    """Describe a scene: "a goby, yellow-brown, with ..., swimming to the left in open water"."""
    fish, place, side = scene.fish, scene.place, "left" if scene.pose.faces_left else "right"
    name = f"{'an' if fish.name[0] in 'AEIOU' else 'a'} {fish.name.lower()}"
    does = {"water": "swimming to", "deck": "lying with its head to", "paper": "drawn facing"}
    colours, shape = fish.palette["caption"], fish.caption
    return f"{name}, {colours}, with {shape}, {does[place.kind]} the {side} {place.caption}"


def _camera_image(scene: Array, kind: Kind, rng: np.random.Generator) -> Image.Image:
    """Turn float32 (3, rows, columns), 0 to 1, into an image as a camera would.

    Values above 0.75 are compressed towards white instead of clipped at it.
    """
    unsharp = {"water": 0.6, "deck": 0.3, "paper": 0.25}[kind]
    blur = float(rng.exponential(unsharp)) if rng.random() < 0.75 else 0.0
    exposure, contrast = min(max(around(rng, 1.02, 0.12), 0.7), 1.3), around(rng, 1.06, 0.08)
    y, x = (np.linspace(-1.0, 1.0, size, dtype=np.float32) ** 2 for size in scene.shape[1:])
    corners = ((x + y[:, None]) * 0.5) ** 1.3
    gain = (1.0 - between(rng, 0.0, 0.3) * corners) * (exposure * contrast)
    warmth, planes = around(rng, 0.0, 0.03), []
    for plane, white in zip(scene, (1.0 + warmth, 1.0, 1.0 - warmth), strict=True):
        exposed = plane * (gain * white) + 0.5 * (1.0 - contrast)
        above = np.maximum(exposed - 0.75, 0.0)
        exposed = np.clip(exposed, 0.0, 0.75) + above / (1.0 + above * 4.0)
        planes.append(Image.fromarray((exposed * 255.0).astype(np.uint8)))
    image = Image.merge("RGB", planes)
    if blur > 0.2:
        image = image.filter(ImageFilter.BoxBlur(blur * 1.4))
    strength = between(rng, 0.5, 2.0 if kind == "paper" else 5.0) * 3.46
    grain = (texture(scene.shape[1:], rng, "grain") - 0.5) * strength
    noisy = np.asarray(image, dtype=np.int16) + np.rint(grain).astype(np.int16)[:, :, None]
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))


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
    """Multiply measures by random factors around 1 with `spreads`."""
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
    grow, seen = around(rng, 1.0, 0.07), [place for place in mark.places if rng.random() > 0.06]
    places = [(x + around(rng, 0.0, 0.8), v + around(rng, 0.0, 0.04), r * grow) for x, v, r in seen]
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
