"""Where a catch is laid out: planks, a steel deck, a measuring board, a crate."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageFilter

from fishembed.demo.colour import rgb
from fishembed.demo.fields import (
    Field,
    Picture,
    between,
    look_up,
    noise,
    noise_table,
    smoothstep,
    stretched,
)
from fishembed.demo.light import Light
from fishembed.demo.settings import Deck


def deck_light(rng: np.random.Generator) -> Light:
    """Return daylight on a deck: from above and in front, with wet highlights."""
    warm = between(rng, -0.05, 0.06)
    return Light(
        along=between(rng, -0.5, 0.5),
        up=between(rng, 0.35, 0.7),
        front=0.78,
        ambient=between(rng, 0.4, 0.58),
        tint=(1.0 + warm, 1.0, 1.0 - warm),
        bounce=(0.55, 0.54, 0.52),
        gloss=between(rng, 0.6, 1.1),
    )


def _board_coordinates(shape: tuple[int, int], angle: float) -> tuple[Field, Field]:
    """Return coordinates along and across the boards, in shares of the picture's height."""
    height, width = shape
    x = (np.arange(width, dtype=np.float32)[None, :] - width / 2) / np.float32(height)
    y = (np.arange(height, dtype=np.float32)[:, None] - height / 2) / np.float32(height)
    cosine, sine = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    return x * cosine + y * sine + 20.0, y * cosine - x * sine + 20.0


def _planks(u: Field, w: Field, rng: np.random.Generator) -> Field:
    """Return the tone of planks: grain, seams with a lit lower lip, nails."""
    wide = between(rng, 0.17, 0.32)
    across = w / np.float32(wide)
    board = np.floor(across)
    inside = across - board
    table = noise_table("grain")
    index = board.astype(np.int32)
    tone = table[index & 511, (index * 7) & 511] * 0.30
    shift = board * 5.3
    bow = noise(u * 0.7 + shift, w * 1.6)
    rings = np.sin((w * 60.0 + bow * 22.0) + shift) * 0.5 + 0.5
    stagger = look_up(table, np.zeros_like(w), w * 220.0)
    fibre = noise(u * 1.6 + shift + stagger, w * 46.0)
    coarse = noise(u * 0.5 + shift + 0.3 * stagger, w * 13.0)
    tone = tone + 0.22 * rings * coarse + 0.28 * (fibre - 0.5) + 0.3 * coarse
    gap = np.minimum(inside, 1.0 - inside) * np.float32(wide)
    tone = tone - 0.75 * smoothstep(0.007, 0.001, gap)
    tone = tone + 0.14 * smoothstep(0.022, 0.008, inside * wide) * smoothstep(0.004, 0.008, gap)
    along = np.mod(u + 0.07 * board, 0.62) - 0.31
    nail = np.hypot(along, (np.abs(inside - 0.5) - 0.32) * wide)
    return np.asarray(tone - 0.45 * smoothstep(0.010, 0.006, nail))


def _steel(u: Field, w: Field, rng: np.random.Generator) -> Field:
    """Return the tone of a tread plate: brushed metal with raised lozenges."""
    pitch = between(rng, 0.085, 0.12)
    brushed = 0.35 + 0.22 * noise(u * 1.1, w * 70.0) + 0.18 * noise(u * 2.2 + 7.0, w * 2.2)

    def lozenges(shift: float) -> Field:
        a, b = (u + shift) / np.float32(pitch), (w + shift) / np.float32(pitch)
        column, row = np.floor(a), np.floor(b)
        p, q = a - column - 0.5, b - row - 0.5
        upright = np.mod(column + row, 2.0) * 2.0 - 1.0
        s, t = (p + upright * q) * 0.7071, (p - upright * q) * 0.7071
        return smoothstep(1.1, 0.8, (s / 0.42) ** 2 + (t / 0.12) ** 2)

    here = lozenges(0.0)
    return brushed + 0.14 * here + 0.7 * (here - lozenges(0.006))


def _board(u: Field, w: Field, rng: np.random.Generator) -> Field:
    """Return the tone of a white board with a millimetre scale along one edge."""
    bent = w + 0.12 * u + 0.05 * noise(u * 0.6, w * 0.4)
    scratch = noise(u * 0.9, bent * 60.0) * noise(u * 1.7, w * 2.3)
    tone = 0.72 + 0.2 * noise(u * 0.8, w * 0.8) - 0.25 * smoothstep(0.72, 0.95, scratch)
    edge = between(rng, -0.36, 0.40) + 20.0
    step = between(rng, 0.028, 0.04)
    tick = np.abs(np.mod(u / np.float32(step), 1.0) - 0.5) * np.float32(step)
    major = np.mod(np.floor(u / np.float32(step)), 5.0) == 0.0
    long = np.where(major, np.float32(0.07), np.float32(0.038))
    below = w - edge
    scale = smoothstep(0.004, 0.0015, tick) * (below > 0.0) * (below < long)
    rim = smoothstep(0.004, 0.0015, np.abs(below))
    return np.asarray(tone - 0.85 * np.maximum(scale, rim))


def _crate(u: Field, w: Field, rng: np.random.Generator) -> Field:
    """Return the tone of a plastic crate: ribs, slots and worn patches."""
    pitch = between(rng, 0.12, 0.2)
    a = np.mod(w / np.float32(pitch), 1.0)
    b = np.mod(u / np.float32(pitch * 2.3), 1.0)
    slot = smoothstep(0.20, 0.26, a) * smoothstep(0.80, 0.74, a)
    slot = slot * smoothstep(0.08, 0.12, b) * smoothstep(0.92, 0.88, b)
    lip = smoothstep(0.66, 0.74, a) * slot
    worn = noise(u * 3.0, w * 3.0) * noise(u * 14.0, w * 14.0)
    return np.asarray(0.66 + 0.2 * worn - 0.5 * slot + 0.25 * lip)


_TONES: dict[str, Callable[[Field, Field, np.random.Generator], Field]] = {
    "planks": _planks,
    "steel": _steel,
    "board": _board,
    "crate": _crate,
}


def paint_deck(shape: tuple[int, int], deck: Deck, rng: np.random.Generator) -> Picture:
    """Paint what a fish lies on: the boards, the light on them, and the water left on them."""
    angle = between(rng, -0.22, 0.22) + (np.pi / 2 if rng.random() < 0.2 else 0.0)
    u, w = _board_coordinates(shape, angle)
    tone = np.clip(_TONES[deck.material](u, w, rng), 0.0, 1.25)
    wet = stretched(shape, (2.6, 3.4), rng, "cloud")
    puddle = smoothstep(0.42, 0.72, wet)
    glare = smoothstep(0.7, 1.0, wet)
    glare *= np.float32(0.13 * deck.wet * (1.0 - float(rgb(deck.light).mean())))
    gain = 1.0 + between(rng, -0.22, 0.22) * (u - 20.0) + between(rng, -0.25, 0.1) * (w - 20.0)
    gain *= 1.0 - np.float32(0.24 * deck.wet) * puddle
    picture = np.empty((3, *shape), dtype=np.float32)
    for plane, dark, light in zip(picture, rgb(deck.dark), rgb(deck.light), strict=True):
        np.multiply(tone, light - dark, out=plane)
        np.add(plane, dark, out=plane)
        np.multiply(plane, gain, out=plane)
        np.add(plane, glare, out=plane)
    return picture


def blurred(field: Field, radius: float) -> Field:
    """Blur a field of 0 to 1."""
    image = Image.fromarray(np.asarray(field * 255.0, dtype=np.uint8))
    step = max(1, int(radius / 1.5))
    small = image.reduce(step).filter(ImageFilter.GaussianBlur(radius / step))
    soft = small.resize(image.size, Image.Resampling.BILINEAR)
    return np.asarray(soft, dtype=np.float32) * np.float32(1.0 / 255.0)


def shifted(field: Field, down: int, across: int) -> Field:
    """Move a field by whole pixels; what comes in from outside is 0."""
    moved = np.zeros_like(field)
    height, width = field.shape
    down, across = min(max(down, -height), height), min(max(across, -width), width)
    kept = field[max(-down, 0) : height - max(down, 0), max(-across, 0) : width - max(across, 0)]
    rows, columns = slice(max(down, 0), None), slice(max(across, 0), None)
    moved[rows, columns][: kept.shape[0], : kept.shape[1]] = kept
    return moved


def cast_shadow(picture: Picture, cover: Field, light: Light) -> None:
    """Darken a picture under a fish: close to it sharply, further away softly.

    `cover` has the shape of the whole picture.
    """
    height = picture.shape[1]
    for reach, radius, strength in ((0.010, 0.006, 0.42), (0.026, 0.022, 0.42)):
        down = round(reach * height * (0.5 + light.up))
        across = round(reach * height * light.along * 1.6)
        shade = shifted(blurred(cover, radius * height), down, across)
        shade *= -np.float32(strength)
        shade += 1.0
        for plane in picture:
            np.multiply(plane, shade, out=plane)


def drops(picture: Picture, amount: float, rng: np.random.Generator) -> None:
    """Scatter droplets: a dark rim, a lit lower edge, a glint."""
    height, width = picture.shape[1:]
    for _ in range(int(amount * 14)):
        r = between(rng, 0.006, 0.016) * height
        x, y = between(rng, 0, width), between(rng, 0, height)
        left, top = int(max(0, x - r - 2)), int(max(0, y - r - 2))
        right, bottom = int(min(width, x + r + 3)), int(min(height, y + r + 3))
        px = np.arange(left, right, dtype=np.float32)[None, :] - np.float32(x)
        py = np.arange(top, bottom, dtype=np.float32)[:, None] - np.float32(y)
        off = np.sqrt(px * px + py * py) / np.float32(r)
        inside = smoothstep(1.12, 0.9, off)
        rise = (py - px * 0.3) / np.float32(r)
        glint = smoothstep(0.34, 0.12, np.hypot(px / r + 0.3, py / r + 0.38))
        window = picture[:, top:bottom, left:right]
        window *= 1.0 + inside * np.clip(0.24 * rise, -0.25, 0.25)
        window += (1.0 - window) * (glint * 0.8)
