"""Hand-coloured plates: paper, ink lines, hatching and a transparent wash of colour."""

from __future__ import annotations

import numpy as np

from fishembed.demo.colour import rgb
from fishembed.demo.fields import (
    TILE,
    Field,
    Picture,
    between,
    look_up,
    noise_table,
    smoothstep,
    stretched,
)
from fishembed.demo.light import Light
from fishembed.demo.settings import Paper
from fishembed.demo.stage import Layer

PAPER_LIGHT = Light(
    along=-0.2,
    up=0.6,
    front=0.8,
    ambient=0.66,
    tint=(1.0, 1.0, 0.98),
    bounce=(0.9, 0.88, 0.82),
    gloss=0.25,
)
"""The even light of a draughtsman's window."""


def paint_paper(shape: tuple[int, int], paper: Paper, rng: np.random.Generator) -> Picture:
    """Paint an old sheet: fibres, stains, brown specks, darker margins, a plate line."""
    height, width = shape
    sheet = rgb(paper.sheet)[:, None, None]
    fibre = stretched(shape, (30.0, 30.0), rng, "blob") - 0.5
    stain = stretched(shape, (4.0, 5.0), rng, "cloud")
    picture = sheet * (0.92 + 0.03 * fibre + 0.09 * stain)
    x = np.abs(np.linspace(-1, 1, width, dtype=np.float32))[None, :]
    y = np.abs(np.linspace(-1, 1, height, dtype=np.float32))[:, None]
    margin = np.maximum(x, y) + 0.12 * (stain - 0.5)
    brown = rgb("#8a6236")[:, None, None]
    picture += (brown - picture) * (smoothstep(0.72, 1.08, margin) * between(rng, 0.1, 0.34))
    foxing = smoothstep(0.95, 1.0, stretched(shape, (24.0, 32.0), rng, "blob"))
    foxing = foxing * smoothstep(0.55, 0.85, stain)
    picture += (brown - picture) * (foxing * between(rng, 0.1, 0.45))
    if rng.random() < 0.5:
        line = between(rng, 0.86, 0.94)
        edge = np.maximum((x - line) * width * 0.5, (y - line * 0.98) * height * 0.5)
        rule = smoothstep(1.4, 0.5, np.abs(edge))
        picture += (rgb(paper.ink)[:, None, None] - picture) * (rule * 0.45)
    return np.asarray(picture, dtype=np.float32)


def wash_below(picture: Picture, paper: Paper, centre: float, rng: np.random.Generator) -> None:
    """Brush a pale ground under the fish; `centre` is its height as a share of the picture."""
    if not paper.wash:
        return
    shape = (picture.shape[1], picture.shape[2])
    y = np.linspace(0, 1, shape[0], dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, shape[1], dtype=np.float32)[None, :]
    stroke = stretched(shape, (7.0, 2.0), rng, "cloud")
    band = np.exp(-(((y - centre - 0.2) / 0.14) ** 2) - (x / 0.75) ** 4)
    cover = smoothstep(0.42, 0.62, band * 0.75 + stroke * 0.35)
    picture *= 1.0 - (1.0 - rgb(paper.wash)[:, None, None]) * (cover * between(rng, 0.2, 0.55))


def _contour(cover: Field) -> Field:
    """Return a line, two pixels wide, along the edge of what is covered."""
    line = np.zeros_like(cover)
    down = np.abs(cover[2:] - cover[:-2])
    across = np.abs(cover[:, 2:] - cover[:, :-2])
    line[1:-1] = down
    line[:, 1:-1] = np.maximum(line[:, 1:-1], across)
    return np.clip(line, 0.0, 1.0)


def lay_on_paper(picture: Picture, layer: Layer, paper: Paper, rng: np.random.Generator) -> None:
    """Turn a painted fish into ink and watercolour, and print it on the paper.

    Watercolour is transparent: it multiplies what is below. Ink follows the edges and fills
    dark parts with hatching.
    """
    rows, columns = layer.stage.window
    below = picture[:, rows, columns]
    cover = layer.cover
    colour = layer.colour / np.maximum(cover, 1e-3)
    top, left = (int(rng.integers(0, TILE)) for _ in range(2))
    down = np.arange(rows.stop - rows.start, dtype=np.float32)[:, None]
    across = np.arange(columns.stop - columns.start, dtype=np.float32)[None, :]
    grain = look_up(noise_table("cloud"), across + left, down + top)
    pigment = np.clip(colour * 0.94 + 0.13 + 0.10 * (grain - 0.5), 0.0, 1.0)
    below *= 1.0 - cover * (1.0 - pigment)
    brightness = colour.mean(axis=0)
    depth = np.float32(2.0 * np.pi / (0.0095 * picture.shape[1]))
    hatch = 0.5 + 0.5 * np.sin((down + across * 0.6) * depth)
    dark = smoothstep(0.55, 0.12, brightness) * cover
    ink = np.maximum(_contour(cover) * 0.8, smoothstep(0.35, 0.75, hatch) * dark * 0.34)
    ink = ink * (0.75 + 0.5 * grain)
    below += (rgb(paper.ink)[:, None, None] - below) * np.clip(ink, 0.0, 0.92)
