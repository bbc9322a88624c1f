"""From a species to an image: choose a fish and a place, paint the fish into it, take the photo."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageFilter

from fishembed.demo.backgrounds import add_weed, paint_background
from fishembed.demo.fish import paint_fish
from fishembed.demo.geometry import Canvas, Pose
from fishembed.demo.individuals import choose_individual, choose_pose
from fishembed.demo.pixels import (
    Array,
    around,
    between,
    blend,
    noise,
    pixel_grid,
    rgb,
    smoothstep,
    texture,
)
from fishembed.demo.places import PLACES, Kind, Place
from fishembed.demo.species import Species

SIZE = (320, 240)
"""Width and height of the demo's images."""


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
    """Paint a scene as an RGB image of `size`; the same scene gives the same pixels."""
    rng, shape, place = np.random.default_rng(scene.seed), (size[1], size[0]), scene.place
    place = replace(place, lamp_along=between(rng, -0.5, 0.5))
    fish = paint_fish(scene.fish, scene.pose, place, shape)
    image = paint_background(place, shape, scene.pose.y, rng)
    {"water": _sink, "deck": _lay_down, "paper": _print}[place.kind](image, fish, place, rng)
    return take_photo(image, place.kind, rng)


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


def take_photo(scene: Array, kind: Kind, rng: np.random.Generator) -> Image.Image:
    """Turn float32 (3, rows, columns), 0 to 1, into an image as a camera would.

    What is brighter than 0.75 is bent so that it nears white instead of being cut off at it.
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
