"""Fish with shapes of their own."""

from __future__ import annotations

from fishembed.demo.traits import (
    Bars,
    Eyespots,
    Fan,
    Head,
    MedianFin,
    Mottle,
    PairedFin,
    Palette,
    Profile,
    Skin,
    Species,
    Spots,
)

FRESHWATER_EEL = Species(
    name="Freshwater Eel",
    profile=Profile(
        back=(0.8, 1.6, 2.4, 3.0, 3.4, 3.5, 3.4, 3.1, 2.6, 1.9, 1.2),
        belly=(0.8, 1.6, 2.4, 3.1, 3.6, 3.7, 3.6, 3.2, 2.6, 1.9, 1.2),
        flatness=2.0,
    ),
    head=Head(
        eye_x=4.6, eye_y=0.3, eye=0.75, mouth_y=-0.15, mouth=4.6, mouth_slope=-0.02, gill=12.0
    ),
    skin=Skin(scale=0.0, silver=0.04, gloss=0.75, lateral_line=0.2),
    palettes=(
        Palette("#3b3422", "#6d6038", "#b8a56a", "#544a2c", "#8a7a3c"),
        Palette("#35352f", "#616050", "#b4ae92", "#48483c", "#807a50", weight=0.7),
    ),
    tail=Fan(length=7, spread=2.2, fork=-0.25, rounded=0.9, root=1.0),
    fins=(
        MedianFin(30, 100, (0.6, 1.7, 2.1, 2.2, 2.2, 1.9), rays=60, sweep=0.4),
        MedianFin(42, 100, (0.6, 1.5, 1.9, 2.0, 1.8), side="belly", rays=50, sweep=0.4),
    ),
    pectoral=PairedFin(12.5, -0.1, -14, Fan(4.6, 2.2, rounded=0.8, rays=8)),
    marks=(Mottle(size=5, cover=0.3, colour="#2a2516", strength=0.3),),
    seen="a snake-like body",
    size=0.72,
    bendy=7.5,
)


GREEN_SPOTTED_PUFFER = Species(
    name="Green Spotted Puffer",
    profile=Profile(
        back=(2.6, 8.4, 13.6, 18.0, 21.2, 22.0, 19.2, 13.2, 7.6, 5.4, 5.2),
        belly=(2.6, 8.8, 15.4, 21.8, 27.0, 29.0, 25.4, 16.4, 8.2, 5.2, 5.0),
        flatness=2.0,
    ),
    head=Head(
        eye_x=17.0,
        eye_y=0.46,
        eye=4.0,
        mouth_y=0.0,
        mouth=2.8,
        mouth_slope=0.0,
        gill=33.0,
        lips=1.0,
    ),
    skin=Skin(scale=0.0, silver=0.02, gloss=0.5, lateral_line=0.0, belly=-0.12),
    palettes=(
        Palette("#6f9a2e", "#a9b83c", "#f1eeda", "#c9c88a", "#c76a2a"),
        Palette("#5b8a4a", "#98ad55", "#eeeee0", "#bfc696", "#b8642e", weight=0.6),
    ),
    tail=Fan(length=22, spread=9.5, rounded=0.6),
    fins=(
        MedianFin(72, 81, (7, 10, 9, 5), rays=8, sweep=0.6),
        MedianFin(72, 80, (6, 9, 8, 4), side="belly", rays=8, sweep=0.6),
    ),
    pectoral=PairedFin(37, -0.1, -5, Fan(12, 8, rounded=0.7, rays=12)),
    marks=(Spots(pitch=8.2, size=0.74, bottom=-0.32, colour="#161812", strength=0.92),),
    seen="a ball-shaped body",
    size=0.42,
    bendy=0.5,
)


JANITOR_FISH = Species(
    name="Janitor Fish",
    profile=Profile(
        back=(1.6, 4.6, 7.7, 9.8, 11.4, 11.4, 10.0, 8.0, 5.6, 3.8, 3.8),
        belly=(1.4, 2.6, 4.1, 5.2, 6.6, 7.2, 6.8, 5.8, 4.4, 3.2, 3.2),
        flatness=2.0,
    ),
    head=Head(
        eye_x=13.0,
        eye_y=0.55,
        eye=1.7,
        mouth_y=-0.95,
        mouth=5.0,
        mouth_slope=-0.02,
        gill=24.0,
        lips=0.9,
    ),
    skin=Skin(scale=3.2, edges=0.66, silver=0.0, gloss=0.25, lateral_line=0.0, plates=True),
    palettes=(
        Palette("#3a2d1c", "#6e5838", "#a68c5e", "#57452c", "#8a6a34"),
        Palette("#33302a", "#635b4a", "#a1957a", "#4c463a", "#80703f", weight=0.6),
    ),
    tail=Fan(length=23, spread=15, fork=0.34, lean=0.16),
    fins=(
        MedianFin(32, 60, (19, 21, 19, 15, 9), rays=13, sweep=0.45),
        MedianFin(83, 88, (3.5, 6, 6, 4), rays=1, sweep=0.7),
        MedianFin(72, 78, (7, 6, 4), side="belly", rays=5, sweep=0.6),
    ),
    pectoral=PairedFin(25, -0.75, -22, Fan(19, 6.5, rounded=0.3, rays=9)),
    pelvic=PairedFin(44, -0.9, -25, Fan(13, 5, rounded=0.4, rays=7)),
    marks=(Spots(pitch=3.6, size=0.78, colour="#1e160c", strength=0.7, on_fins=True),),
    seen="bony armour and a sail-like dorsal fin",
    bendy=0.6,
)


KNIFEFISH = Species(
    name="Knifefish",
    profile=Profile(
        back=(1.4, 3.3, 5.8, 9.6, 13.6, 14.0, 12.0, 9.2, 6.0, 3.2, 1.4),
        belly=(1.9, 4.6, 8.1, 11.0, 13.6, 13.0, 10.4, 7.6, 4.8, 2.6, 1.2),
        flatness=3.2,
    ),
    head=Head(eye_x=9.0, eye_y=0.3, eye=1.8, mouth_y=-0.15, mouth=8.0, mouth_slope=-0.1, gill=22.0),
    skin=Skin(scale=1.1, edges=0.2, silver=0.36, gloss=0.5, lateral_line=0.25),
    palettes=(
        Palette("#4a4c44", "#8f9186", "#c2c0b2", "#66665a", "#a8925a"),
        Palette("#403e34", "#7f7a66", "#b8b09a", "#58523f", "#a4884c", weight=0.6),
    ),
    tail=Fan(length=5, spread=2.2, rounded=0.9, root=1.2),
    fins=(
        MedianFin(49, 55, (8, 9.5, 7), rays=6, sweep=0.45),
        MedianFin(24, 100, (4, 9, 10.5, 10.5, 9.5, 7.5, 4.5), side="belly", rays=64, sweep=0.25),
    ),
    pectoral=PairedFin(22, -0.35, -10, Fan(12, 4, rounded=0.6, rays=11)),
    marks=(
        Eyespots(
            ((55, -0.55, 2.4), (64, -0.6, 2.3), (72, -0.6, 2.0), (80, -0.6, 1.8), (87, -0.6, 1.4)),
            ring="#d8d8cc",
            strength=0.9,
        ),
    ),
    seen="a tapering body with one long fin below",
    size=0.62,
)


LONG_SNOUTED_PIPEFISH = Species(
    name="Long-Snouted Pipefish",
    profile=Profile(
        back=(0.7, 0.8, 0.9, 1.7, 1.9, 2.1, 2.1, 1.5, 1.2, 0.9, 0.6),
        belly=(0.7, 0.8, 0.9, 1.6, 2.0, 2.3, 2.2, 1.4, 1.1, 0.9, 0.6),
        flatness=2.0,
    ),
    head=Head(
        eye_x=12.6,
        eye_y=0.25,
        eye=0.85,
        mouth_y=0.3,
        mouth=1.4,
        mouth_slope=-0.4,
        gill=17.5,
        lips=0.0,
    ),
    skin=Skin(scale=2.4, edges=0.5, silver=0.02, gloss=0.35, lateral_line=0.0),
    palettes=(
        Palette("#54512f", "#8b8552", "#b8b084", "#8d875c", "#a08c44"),
        Palette("#503f28", "#85704a", "#b8a67c", "#857250", "#a0803c", weight=0.8),
    ),
    tail=Fan(length=5, spread=2.0, rounded=0.7, root=0.5),
    fins=(MedianFin(46, 60, (1.6, 3.0, 3.0, 1.8), rays=20, sweep=0.3),),
    pectoral=PairedFin(18.5, 0.0, 0, Fan(2.6, 1.8, rounded=0.8, rays=8)),
    marks=(
        Bars(
            count=26,
            start=16,
            end=100,
            width=0.45,
            top=1.3,
            bottom=-1.3,
            strength=0.36,
            ragged=0.3,
            colour="#2e2818",
        ),
    ),
    seen="a thin body and a tube-like snout",
    size=0.76,
    bendy=2.4,
)


MOSQUITO_FISH = Species(
    name="Mosquito Fish",
    profile=Profile(
        back=(1.7, 3.4, 5.4, 7.4, 9.6, 10.6, 10.2, 8.6, 6.8, 6.0, 6.2),
        belly=(2.4, 5.3, 8.1, 11.0, 14.6, 15.8, 13.0, 9.2, 6.8, 5.8, 6.0),
        flatness=2.3,
    ),
    head=Head(
        eye_x=9.5,
        eye_y=0.3,
        eye=3.2,
        mouth_y=0.55,
        mouth=4.0,
        mouth_slope=-0.5,
        gill=23.0,
        lips=0.3,
    ),
    skin=Skin(scale=3.4, edges=0.42, silver=0.14, gloss=0.35, lateral_line=0.0, clear=0.12),
    palettes=(
        Palette("#6a6848", "#a09c7c", "#d0ceb8", "#b4b198", "#b8b49a"),
        Palette("#5e6456", "#959c8c", "#ccd0c4", "#aab0a4", "#b4b8a8", weight=0.6),
    ),
    tail=Fan(length=22, spread=11, rounded=0.65),
    fins=(
        MedianFin(62, 72, (9, 11, 9, 6), rays=7, sweep=0.6),
        MedianFin(56, 65, (10, 9, 6), side="belly", rays=7, sweep=0.6),
    ),
    pectoral=PairedFin(26, 0.0, -4, Fan(13, 5, rounded=0.6, rays=10)),
    pelvic=PairedFin(44, -0.92, -30, Fan(6, 2.4, rounded=0.5, rays=5)),
    marks=(Eyespots(((49.0, -0.5, 4.2),), colour="#2a2722", strength=0.6),),
    seen="a small upturned mouth",
    size=0.36,
)

ODDITIES = (
    FRESHWATER_EEL,
    GREEN_SPOTTED_PUFFER,
    JANITOR_FISH,
    KNIFEFISH,
    LONG_SNOUTED_PIPEFISH,
    MOSQUITO_FISH,
)
