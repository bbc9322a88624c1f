"""Backgrounds behind a fish: water with a bottom and weed, a deck, an old sheet of paper."""

from __future__ import annotations

import math

import numpy as np

from fishembed.demo.catalogue import Place
from fishembed.demo.pixels import Array, between, blend, clouds, noise, pixel_grid, rgb, smoothstep


def paint_background(
    place: Place, shape: tuple[int, int], level: float, rng: np.random.Generator
) -> Array:
    """Paint a place, float32 (3, rows, columns); on paper, a wash lies below the height `level`."""
    if place.kind == "paper":
        return _paper(shape, place, level, rng)
    if place.kind == "deck":
        return _deck(shape, place, rng)
    image, horizon = _open_water(shape, place, rng), between(rng, 0.12, 0.36)
    if place.floor:
        _add_floor(image, place, horizon, rng)
    if place.blades:
        leaf = blend(rgb(place.weed), rgb(place.middle), between(rng, 0.25, 0.55))
        add_weed(image, leaf, int(place.blades * between(rng, 0.6, 1.3)), horizon + 0.05, rng)
    return image


def _open_water(shape: tuple[int, int], place: Place, rng: np.random.Generator) -> Array:
    """Return water that darkens with depth, with light falling in from above the image."""
    x, y = pixel_grid(shape)
    y = y + 0.5
    t = y ** between(rng, 0.75, 1.25)
    colour = blend(rgb(place.pale), rgb(place.middle), smoothstep(0.0, 0.55, t))
    colour = blend(colour, rgb(place.dark), smoothstep(0.4, 1.05, t))
    colour = colour * (0.90 + 0.20 * clouds(shape, (1.6, 2.1), rng, "blob"))
    lamp = between(rng, -0.9, 0.9)
    angle = (x - lamp) / (y + between(rng, 0.25, 0.6))
    waves = [np.sin(angle * 1.6**n * 8.0 + between(rng, 0.0, 6.3)) * 0.8**n for n in range(6)]
    rays = 0.5 + 0.15 * np.asarray(sum(waves))
    fade = np.maximum(1.0 - y * between(rng, 0.85, 1.2), 0.0) ** 1.4
    shafts = smoothstep(0.45, 0.9, rays) * (fade * (0.27 * max(between(rng, -0.25, 1.0), 0.0)))
    glow = np.exp(-2.0 * (x - lamp) ** 2) * np.exp(-2.6 * y**2) * 0.36
    return np.asarray(colour + rgb(place.pale) * ((shafts + glow) * place.sun))


def _add_floor(image: Array, place: Place, horizon: float, rng: np.random.Generator) -> None:
    """Lay sand or stones in perspective below the horizon, with the web of light on them."""
    below = image[:, int((horizon + 0.48) * image.shape[1]) :]
    x, y = pixel_grid(image.shape[1:])
    depth = (y[-below.shape[1] :] - horizon) / (0.52 - horizon)
    far = 1.0 / (0.16 + np.maximum(depth, 0.0))
    u = x * far + between(rng, 20.0, 40.0)
    w = far * 2.2 + between(rng, 20.0, 40.0) + np.zeros_like(u)
    grain, broad = noise(u * 14.0, w * 14.0), noise(u * 1.3, w * 1.3)
    ripple = 0.1 * np.sin(w * 21.0 + 7.0 * broad) + 0.16 * (grain - 0.5)
    stone, lit = noise(u * 5.5, w * 5.5), noise(u * 5.5 - 0.12, w * 5.5 - 0.12)
    stony = (lit - stone) * 0.9 + 0.14 * grain - 0.24
    tone = 0.82 + 0.16 * broad + ripple * (1.0 - 0.5 * place.stones)
    tone = tone + stony * smoothstep(0.52, 0.66, stone) * place.stones
    web = noise(u * 7.2, w * 7.2, "web") * smoothstep(0.0, 0.35, depth)
    ground = rgb(place.floor) * (0.55 + 0.45 * rgb(place.pale))
    cover = smoothstep(-0.08, 0.24, depth) * (1.0 - np.exp(-np.maximum(depth, 0.0) * 3.4))
    colour = ground * (tone + web * (0.55 * place.sun))
    below += (colour - below) * (cover * (1.0 - 0.8 * place.murk))


def add_weed(image: Array, leaf: Array, count: int, low: float, rng: np.random.Generator) -> None:
    """Plant swaying leaves in tufts; their feet stand below `low`, the nearest in front."""
    aspect, tufts = image.shape[2] / image.shape[1], max(1, count // 4)
    middles = rng.uniform(-aspect / 2, aspect / 2, tufts).tolist()
    across, down = pixel_grid(image.shape[1:])
    for number, foot in enumerate(sorted(rng.uniform(low, 0.54, count).tolist())):
        x, tall = middles[number % tufts] + between(rng, -0.09, 0.09), between(rng, 0.25, 0.72)
        lean, sway = between(rng, -0.22, 0.22), between(rng, 0.01, 0.04)
        rows = slice(*np.searchsorted(down[:, 0], (foot - tall, foot)))
        columns = slice(*np.searchsorted(across[0], (x - abs(lean) - 0.07, x + abs(lean) + 0.07)))
        up = (foot - down[rows]) / tall
        off = across[:, columns] - x - lean * up * up - sway * np.sin(up * 7.0 + x * 40.0)
        half = between(rng, 0.009, 0.022) * np.minimum(1.15 * np.sqrt(1.0 - up), 1.0)
        share = off / np.maximum(half, 0.002)
        tone = (1.0 - 0.22 * share + 0.16 * np.exp(-(share**2) * 30.0)) * (0.62 + 0.42 * up)
        below = image[:, rows, columns]
        cover = np.clip((half - np.abs(off)) * image.shape[1] + 0.5, 0.0, 1.0)
        below += (leaf * tone * between(rng, 0.65, 1.15) - below) * cover


def _deck(shape: tuple[int, int], place: Place, rng: np.random.Generator) -> Array:
    """Paint what a fish lies on: the material, the light on it, and the water left on it."""
    turn = between(rng, -0.22, 0.22) + (math.pi / 2.0 if rng.random() < 0.2 else 0.0)
    u, w = pixel_grid(shape, turn)
    tone = np.clip(_MATERIALS[place.material](u + 20.0, w + 20.0, rng), 0.0, 1.25)
    wet = clouds(shape, (2.6, 3.4), rng, "cloud")
    gain = 1.0 + between(rng, -0.22, 0.22) * u + between(rng, -0.25, 0.1) * w
    gain = gain * (1.0 - 0.24 * place.wet * smoothstep(0.42, 0.72, wet))
    glare = 0.13 * place.wet * (1.0 - float(rgb(place.pale).mean())) * smoothstep(0.7, 1.0, wet)
    return np.asarray(blend(rgb(place.dark), rgb(place.pale), tone) * gain + glare)


def _planks(u: Array, w: Array, rng: np.random.Generator) -> Array:
    """Return the tone of planks: grain, and seams with a lit lower lip."""
    wide = between(rng, 0.17, 0.32)
    board = np.floor(w / wide)
    inside, shift = w / wide - board, board * 5.3
    rings = 0.5 + 0.5 * np.sin(w * 60.0 + 22.0 * noise(u * 0.7 + shift, w * 1.6) + shift)
    stagger = noise(shift, np.floor(w * 220.0), "grain")
    fibre = noise(u * 1.6 + shift + stagger, w * 46.0)
    coarse = noise(u * 0.5 + shift + 0.3 * stagger, w * 13.0)
    gap = np.minimum(inside, 1.0 - inside) * wide
    lip = smoothstep(0.022, 0.008, inside * wide) * smoothstep(0.004, 0.008, gap)
    tone = 0.3 * noise(shift, shift, "grain") + 0.22 * rings * coarse + 0.28 * (fibre - 0.5)
    return tone + 0.3 * coarse + 0.14 * lip - 0.75 * smoothstep(0.007, 0.001, gap)


def _steel(u: Array, w: Array, rng: np.random.Generator) -> Array:
    """Return the tone of a tread plate: brushed metal with raised lozenges."""
    pitch, tone = between(rng, 0.085, 0.12), 0.35 + 0.22 * noise(u * 1.1, w * 70.0)
    for shift, strength in ((0.0, 0.84), (0.006, -0.7)):
        a, b = (u + shift) / pitch, (w + shift) / pitch
        upright = np.mod(np.floor(a) + np.floor(b), 2.0) * 2.0 - 1.0
        p, q = np.mod(a, 1.0) - 0.5, (np.mod(b, 1.0) - 0.5) * upright
        off = ((p + q) / 0.6) ** 2 + ((p - q) / 0.17) ** 2
        tone = tone + strength * smoothstep(1.1, 0.8, off)
    return tone + 0.18 * noise(u * 2.2 + 7.0, w * 2.2)


def _board(u: Array, w: Array, rng: np.random.Generator) -> Array:
    """Return the tone of a white board with a millimetre scale along one edge."""
    step, below = between(rng, 0.028, 0.04), w - 20.0 - between(rng, -0.36, 0.40)
    tick = np.abs(np.mod(u / step, 1.0) - 0.5) * step
    long = np.where(np.mod(np.floor(u / step), 5.0) == 0.0, 0.07, 0.038)
    ticks = smoothstep(0.004, 0.0015, tick) * (below > 0.0) * (below < long)
    lines = np.maximum(ticks, smoothstep(0.004, 0.0015, np.abs(below)))
    tone = 0.72 + 0.2 * noise(u * 0.8, w * 0.8) - 0.85 * lines
    return np.asarray(tone)


def _crate(u: Array, w: Array, rng: np.random.Generator) -> Array:
    """Return the tone of a plastic crate: ribs, slots and worn patches."""
    pitch = between(rng, 0.12, 0.2)
    a, b = np.mod(w / pitch, 1.0), np.mod(u / (pitch * 2.3), 1.0)
    slot = smoothstep(0.30, 0.24, np.abs(a - 0.5)) * smoothstep(0.42, 0.38, np.abs(b - 0.5))
    worn = noise(u * 3.0, w * 3.0) * noise(u * 14.0, w * 14.0)
    return 0.66 + 0.2 * worn + slot * (0.25 * smoothstep(0.66, 0.74, a) - 0.4)


_MATERIALS = {"planks": _planks, "steel": _steel, "board": _board, "crate": _crate}


def _paper(shape: tuple[int, int], place: Place, level: float, rng: np.random.Generator) -> Array:
    """Paint an old sheet: fibres, stains, brown margins and specks, a frame, a wash of colour."""
    x, y = pixel_grid(shape)
    stain = clouds(shape, (4.0, 5.0), rng, "cloud")
    fibre = clouds(shape, (24.0, 32.0), rng, "blob")
    image = rgb(place.pale) * (0.90 + 0.03 * fibre + 0.09 * stain)
    wide, tall = np.abs(x) * (2.0 * shape[0] / shape[1]), np.abs(y) * 2.0
    margin = smoothstep(0.72, 1.08, np.maximum(wide, tall) + 0.12 * (stain - 0.5))
    specks = smoothstep(0.95, 1.0, fibre) * smoothstep(0.55, 0.85, stain)
    brown = margin * between(rng, 0.1, 0.34) + specks * between(rng, 0.1, 0.45)
    image = blend(image, rgb("#8a6236"), brown)
    if rng.random() < 0.5:
        line = between(rng, 0.86, 0.94)
        edge = np.maximum((wide - line) * shape[1], (tall - line * 0.98) * shape[0]) / 2.0
        image = blend(image, rgb(place.dark), smoothstep(1.4, 0.5, np.abs(edge)) * 0.45)
    if place.wash:
        band = np.exp(-(((y + 0.3 - level) / 0.14) ** 2) - (wide / 0.75) ** 4)
        stroke = clouds(shape, (7.0, 2.0), rng, "cloud")
        cover = smoothstep(0.42, 0.62, band * 0.75 + stroke * 0.35) * between(rng, 0.2, 0.55)
        image = image * blend(rgb("#ffffff"), rgb(place.wash), cover)
    return image
