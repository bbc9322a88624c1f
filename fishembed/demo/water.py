"""Water: colour that fades with depth, shafts of light, sand, stones, weed and drifting specks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from fishembed.demo.colour import mixed, rgb
from fishembed.demo.fields import (
    TILE,
    Field,
    Picture,
    between,
    caustic_table,
    look_up,
    noise,
    ribbon,
    smoothstep,
    stretched,
)
from fishembed.demo.light import Light
from fishembed.demo.settings import Water


@dataclass(frozen=True)
class Blade:
    """One leaf of weed; lengths are shares of the picture's height."""

    x: float
    foot: float
    height: float
    lean: float
    sway: float
    width: float
    shade: float


@cache
def speck_table() -> Field:
    """Return drifting specks of several sizes, float32 (TILE, TILE), tileable, 0 to 1."""
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(15)
    specks = np.zeros((TILE, TILE))
    for count, blur in ((700, 0.7), (160, 1.5), (26, 4.0)):
        dots = np.zeros((TILE, TILE))
        dots[rng.integers(0, TILE, count), rng.integers(0, TILE, count)] = rng.uniform(
            0.3, 1, count
        )
        soft = gaussian_filter(dots, blur, mode="wrap")
        specks += soft / soft.max() * (0.8 if blur < 3.0 else 0.4)
    return np.asarray(np.clip(specks, 0.0, 1.0), dtype=np.float32)


def water_light(water: Water, rng: np.random.Generator) -> Light:
    """Return the light below the surface: from above, tinted by the water."""
    tint = 0.62 + 0.38 * rgb(water.surface) / float(rgb(water.surface).max())
    bounce = 0.35 + 0.4 * (rgb(water.floor) if water.floor else rgb(water.middle))
    return Light(
        along=between(rng, -0.45, 0.45),
        up=0.72,
        front=0.62,
        ambient=between(rng, 0.42, 0.6),
        tint=(float(tint[0]), float(tint[1]), float(tint[2])),
        bounce=(float(bounce[0]), float(bounce[1]), float(bounce[2])),
        gloss=0.35,
    )


def _column(shape: tuple[int, int]) -> tuple[Field, Field]:
    """Return x (1, columns) and y (rows, 1) in shares of the picture's height."""
    height, width = shape
    x = (np.arange(width, dtype=np.float32)[None, :] + 0.5) / np.float32(height)
    y = (np.arange(height, dtype=np.float32)[:, None] + 0.5) / np.float32(height)
    return x, y


def _gradient(water: Water, y: Field, bend: float) -> Picture:
    """Blend surface, middle and deep colours from top to bottom."""
    t = np.clip(y, 0.0, 1.0) ** np.float32(bend)
    upper = smoothstep(0.0, 0.55, t)[None]
    lower = smoothstep(0.4, 1.05, t)[None]
    surface, middle, deep = (
        rgb(colour)[:, None, None] for colour in (water.surface, water.middle, water.deep)
    )
    colour = surface + (middle - surface) * upper
    return np.asarray(colour + (deep - colour) * lower, dtype=np.float32)


def _shafts(shape: tuple[int, int], sun: float, rng: np.random.Generator) -> Field:
    """Return light that falls in from a point above the picture, in slanting shafts."""
    x, y = _column(shape)
    aspect = shape[1] / shape[0]
    lamp = between(rng, -0.2, aspect + 0.2)
    angle = (x - lamp) / (y + between(rng, 0.25, 0.6))
    row = int(rng.integers(0, TILE))
    rays = ribbon(angle * 2.6 + 60.0, row) * 0.6 + ribbon(angle * 6.5 + 60.0, row + 91) * 0.4
    fade = np.clip(1.0 - y * between(rng, 0.85, 1.2), 0.0, 1.0) ** 1.4
    glow = np.exp(-((x - lamp) ** 2) / 0.5) * np.exp(-((y * 1.6) ** 2))
    strength = sun * between(rng, -0.25, 1.0)
    bright = smoothstep(0.4, 1.0, rays) * (fade * np.float32(0.27 * max(strength, 0.0)))
    return np.asarray(bright + glow * np.float32(0.36 * sun))


def _rocks(picture: Picture, water: Water, horizon: float, rng: np.random.Generator) -> None:
    """Stand two rows of rocks in the haze behind the fish."""
    x, y = _column(picture.shape[1:])
    middle, deep = rgb(water.middle)[:, None, None], rgb(water.deep)[:, None, None]
    for far, rise in ((0.62, 0.30), (0.28, 0.22)):
        row = int(rng.integers(0, TILE))
        edge = ribbon(x * 1.1 + 9.0, row, "cloud") * rise + ribbon(x * 0.45, row + 33) * rise
        top = horizon - edge + 0.10
        cover = np.clip((y - top) * np.float32(picture.shape[1] * 0.35), 0.0, 1.0)
        tone = (deep + (middle - deep) * far) * (0.92 + 0.16 * noise(x * 9.0 + row, y * 6.0 + row))
        picture += (tone - picture) * (cover * 0.85)


def _ground(water: Water, u: Field, w: Field) -> Field:
    """Return the tone of sand, rippled or strewn with stones, at places on the bottom."""
    grain = noise(u * 14.0, w * 14.0)
    broad = noise(u * 1.3, w * 1.3)
    ripple = np.sin(w * 21.0 + 7.0 * broad)
    tone = 0.82 + 0.16 * broad + (0.1 * ripple + 0.16 * (grain - 0.5)) * (1.0 - 0.5 * water.stones)
    if water.stones:
        stone = noise(u * 5.5, w * 5.5)
        lit = noise(u * 5.5 - 0.12, w * 5.5 - 0.12)
        cover = smoothstep(0.52, 0.66, stone) * np.float32(water.stones)
        tone = tone * (1.0 - 0.28 * cover) + cover * ((lit - stone) * 0.9 + 0.14 * grain)
    return np.asarray(tone)


def _floor(picture: Picture, water: Water, horizon: float, rng: np.random.Generator) -> None:
    """Lay the bottom in perspective below the horizon, with the web of light on it."""
    height, width = picture.shape[1], picture.shape[2]
    top = min(max(int((horizon - 0.02) * height), 0), height - 2)
    x, y = _column((height, width))
    above = y[top:] - np.float32(horizon)
    depth = np.clip(above / np.float32(1.02 - horizon), 0.0, 1.0)
    far = 1.0 / (0.16 + depth)
    u = (x - 0.67) * far + between(rng, 20.0, 40.0)
    w = np.broadcast_to(far * np.float32(2.2) + between(rng, 20.0, 40.0), u.shape)
    web = look_up(caustic_table(), u * 115.0, w * 115.0) * smoothstep(0.0, 0.35, depth)
    tone = _ground(water, u, w) + web * np.float32(0.55 * water.sun)
    near = (1.0 - np.exp(-depth * 3.4)) * np.float32(1.0 - 0.8 * water.murk)
    cover = smoothstep(-0.02, 0.06, above) * near
    ground = rgb(water.floor)[:, None, None] * (0.55 + 0.45 * rgb(water.surface)[:, None, None])
    below = picture[:, top:]
    below += (ground * tone - below) * cover


def weed(aspect: float, count: int, horizon: float, rng: np.random.Generator) -> list[Blade]:
    """Plant leaves in tufts across a picture of the given width by height."""
    tufts = [between(rng, 0.0, aspect) for _ in range(max(1, count // 4))]
    blades = []
    for _ in range(count):
        tuft = tufts[int(rng.integers(len(tufts)))]
        blades.append(
            Blade(
                x=tuft + between(rng, -0.09, 0.09),
                foot=between(rng, horizon + 0.05, 1.04),
                height=between(rng, 0.25, 0.72),
                lean=between(rng, -0.22, 0.22),
                sway=between(rng, 0.01, 0.04),
                width=between(rng, 0.009, 0.022),
                shade=between(rng, 0.65, 1.15),
            )
        )
    return sorted(blades, key=lambda blade: blade.foot)


def paint_blade(picture: Picture, blade: Blade, colour: str, fade: float, haze: str) -> None:
    """Paint one swaying leaf with a lighter midrib; `fade` mixes it with the haze."""
    height, width = picture.shape[1:]
    first = int(np.clip((blade.foot - blade.height) * height, 0, height - 1))
    last = int(np.clip(blade.foot * height, first + 1, height))
    reach = abs(blade.lean) + blade.sway + blade.width + 0.01
    left = int(np.clip((blade.x - reach) * height, 0, width - 1))
    right = int(np.clip((blade.x + reach) * height + 1, left + 1, width))
    x, y = _column((height, width))
    x, y = x[:, left:right], y[first:last]
    up = (blade.foot - y) / np.float32(blade.height)
    axis = blade.x + blade.lean * up * up + blade.sway * np.sin(up * 7.0 + blade.x * 40.0)
    wide = blade.width * np.minimum(1.15 * np.sqrt(np.clip(1.0 - up, 0.0, 1.0)), 1.0)
    off = (x - axis) / np.maximum(wide, 0.002)
    cover = np.clip((wide - np.abs(x - axis)) * np.float32(height) + 0.5, 0.0, 1.0)
    tone = blade.shade * (0.62 + 0.42 * up) * (1.0 - 0.22 * off + 0.16 * np.exp(-(off**2) * 30.0))
    leaf = rgb(colour)[:, None, None] * tone
    leaf = leaf + (rgb(haze)[:, None, None] - leaf) * np.float32(fade)
    below = picture[:, first:last, left:right]
    below += (leaf - below) * cover


def paint_water(shape: tuple[int, int], water: Water, rng: np.random.Generator) -> Picture:
    """Paint what lies behind the fish."""
    _, y = _column(shape)
    picture = np.repeat(_gradient(water, y, between(rng, 0.75, 1.25)), shape[1], axis=2)
    cloud = stretched(shape, (1.6, 2.1), rng, "blob")
    picture *= 0.90 + 0.20 * cloud
    picture += rgb(water.surface)[:, None, None] * _shafts(shape, water.sun, rng)
    horizon = between(rng, 0.62, 0.86)
    if water.rocks:
        _rocks(picture, water, horizon, rng)
    if water.floor:
        _floor(picture, water, horizon, rng)
    if water.blades:
        count = int(water.blades * between(rng, 0.6, 1.3))
        for blade in weed(shape[1] / shape[0], count, horizon, rng):
            paint_blade(picture, blade, water.weed, between(rng, 0.2, 0.6), water.middle)
    return picture


def veil(picture: Picture, water: Water, rng: np.random.Generator) -> None:
    """Lay over the fish what lies between it and the camera: haze, specks and near weed."""
    shape = (picture.shape[1], picture.shape[2])
    haze = np.float32(water.murk * between(rng, 0.5, 1.4))
    if water.blades and rng.random() < 0.45:
        for blade in weed(shape[1] / shape[0], int(rng.integers(1, 4)), 0.95, rng):
            paint_blade(picture, blade, water.weed, 0.15, water.deep)
    top, left = (int(rng.integers(0, TILE)) for _ in range(2))
    rows = np.arange(top, top + shape[0]) % TILE
    columns = np.arange(left, left + shape[1]) % TILE
    strength = np.float32(between(rng, 0.05, 0.25) + 0.3 * water.murk)
    cover = speck_table()[rows[:, None], columns[None, :]] * strength + haze
    np.minimum(cover, 1.0, out=cover)
    mist = rgb(mixed(water.middle, water.surface, between(rng, 0.1, 0.4)))
    for plane, paint in zip(picture, mist, strict=True):
        np.add(plane, (paint - plane) * cover, out=plane)


def dapple(colour: Picture, x: Field, v: Field, sun: float, rng: np.random.Generator) -> Picture:
    """Throw the web of light onto the upper side of a fish; `v` is 1 at the back."""
    shift = between(rng, 0.0, TILE)
    web = look_up(caustic_table(), x * 3.2 + shift, v * 2.6 + shift)
    strength = web * smoothstep(-4.0, 14.0, v) * np.float32(0.6 * sun)
    return np.asarray(colour * (1.0 + strength), dtype=np.float32)
