"""From a species to a picture: choose a scene, then paint it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from fishembed.demo.camera import Camera, choose_camera, expose
from fishembed.demo.deck import cast_shadow, deck_light, drops, paint_deck
from fishembed.demo.fields import Picture, between
from fishembed.demo.fish import paint_fish
from fishembed.demo.individual import dress, pose, vary
from fishembed.demo.paper import PAPER_LIGHT, lay_on_paper, paint_paper, wash_below
from fishembed.demo.settings import KINDS, SETTINGS, Deck, Kind, Paper, Setting, Water
from fishembed.demo.stage import Layer, Pose
from fishembed.demo.traits import Individual, Species
from fishembed.demo.water import dapple, paint_water, veil, water_light

SIZE = (320, 240)
"""Width and height of the demo's pictures."""


@dataclass(frozen=True)
class Scene:
    """Everything that is chosen before anything is painted.

    Attributes
    ----------
    species
        The kind of fish.
    fish, pose
        The individual, and how it lies.
    setting
        Where it is.
    camera
        How it is photographed.
    seed
        Seed of the textures.
    """

    species: Species
    fish: Individual
    pose: Pose
    setting: Setting
    camera: Camera
    seed: int


def choose_scene(species: Species, rng: np.random.Generator, *, kind: Kind | None = None) -> Scene:
    """Choose an individual, a place and a camera; `kind` fixes the kind of place."""
    kinds = list(KINDS)
    kind = kind or kinds[int(rng.choice(len(kinds), p=list(KINDS.values())))]
    settings = [setting for setting in SETTINGS if setting.kind == kind]
    return Scene(
        species=species,
        fish=Individual(vary(species, rng), dress(species, rng), offset=between(rng, 0, 100)),
        pose=pose(species, kind, rng),
        setting=settings[int(rng.integers(len(settings)))],
        camera=choose_camera(kind, rng),
        seed=int(rng.integers(2**32)),
    )


def _lay_over(picture: Picture, layer: Layer, colour: Picture) -> None:
    """Put a layer, which is already multiplied by its cover, over a picture."""
    rows, columns = layer.stage.window
    below = picture[:, rows, columns]
    below *= 1.0 - layer.cover
    below += colour


def _in_water(
    scene: Scene, water: Water, shape: tuple[int, int], rng: np.random.Generator
) -> Picture:
    picture = paint_water(shape, water, rng)
    light = water_light(water, rng)
    layer = paint_fish(scene.fish, scene.pose, light, shape)
    sun = water.sun * between(rng, 0.0, 1.0)
    _lay_over(picture, layer, dapple(layer.colour, layer.stage.x, layer.stage.y, sun, rng))
    veil(picture, water, rng)
    return picture


def _on_deck(scene: Scene, deck: Deck, shape: tuple[int, int], rng: np.random.Generator) -> Picture:
    picture = paint_deck(shape, deck, rng)
    light = deck_light(rng)
    layer = paint_fish(scene.fish, scene.pose, light, shape)
    cover = np.zeros(shape, dtype=np.float32)
    cover[layer.stage.window] = layer.cover
    cast_shadow(picture, cover, light)
    _lay_over(picture, layer, layer.colour)
    drops(picture, deck.wet, rng)
    return picture


def _on_paper(
    scene: Scene, paper: Paper, shape: tuple[int, int], rng: np.random.Generator
) -> Picture:
    picture = paint_paper(shape, paper, rng)
    wash_below(picture, paper, scene.pose.y, rng)
    layer = paint_fish(scene.fish, scene.pose, PAPER_LIGHT, shape)
    lay_on_paper(picture, layer, paper, rng)
    return picture


def paint(scene: Scene, size: tuple[int, int] = SIZE) -> Image.Image:
    """Paint a scene.

    Parameters
    ----------
    scene
        What to paint; the same scene gives the same pixels.
    size
        Width and height in pixels.

    Returns
    -------
    PIL.Image.Image
        RGB, of `size`.
    """
    rng = np.random.default_rng(scene.seed)
    shape = (size[1], size[0])
    if isinstance(scene.setting, Water):
        picture = _in_water(scene, scene.setting, shape, rng)
    elif isinstance(scene.setting, Deck):
        picture = _on_deck(scene, scene.setting, shape, rng)
    else:
        picture = _on_paper(scene, scene.setting, shape, rng)
    return expose(picture, scene.camera, rng)


def draw_fish(
    species: Species,
    rng: np.random.Generator,
    *,
    kind: Kind | None = None,
    size: tuple[int, int] = SIZE,
) -> Image.Image:
    """Draw one picture of a fish.

    Parameters
    ----------
    species
        One of `SPECIES`, or one of your own.
    rng
        Source of all choices: the individual, its pose, the place, the camera.
    kind
        "water", "deck" or "paper"; None chooses.
    size
        Width and height in pixels, 320 x 240 by default.

    Returns
    -------
    PIL.Image.Image
        RGB, of `size`.
    """
    return paint(choose_scene(species, rng, kind=kind), size)
