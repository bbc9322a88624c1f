"""Carps and barbs: one soft dorsal fin, forked tail, round scales."""

from __future__ import annotations

from fishembed.demo.traits import (
    Barbel,
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
)

BIG_HEAD_CARP = Species(
    name="Big Head Carp",
    profile=Profile(
        back=(1.8, 5.0, 8.6, 11.5, 14.5, 15.8, 14.5, 11.2, 7.6, 5.4, 5.8),
        belly=(2.8, 7.4, 11.2, 13.5, 15.5, 16.5, 15.2, 11.4, 7.4, 5.2, 5.6),
    ),
    head=Head(
        eye_x=10.5,
        eye_y=-0.24,
        eye=1.9,
        mouth_y=0.5,
        mouth=6.5,
        mouth_slope=-0.75,
        gill=32.0,
        lips=0.5,
    ),
    skin=Skin(scale=1.25, edges=0.3, silver=0.28, gloss=0.35, lateral_line=0.3),
    palettes=(
        Palette("#45483c", "#8d8d7a", "#cfcab2", "#55564c", "#c0a860"),
        Palette("#3a3d3c", "#7b8180", "#c6c8c0", "#4a4e50", "#b8a468", weight=0.6),
    ),
    tail=Fan(length=22, spread=16, fork=0.42),
    fins=(
        MedianFin(48, 60, (15, 13, 8.5, 6), rays=9, sweep=0.6),
        MedianFin(66, 82, (12, 9, 6, 4), side="belly", rays=12, sweep=0.55),
    ),
    pectoral=PairedFin(32, -0.62, -22, Fan(20, 5.5, fork=-0.1, rounded=0.4, rays=12)),
    pelvic=PairedFin(50, -0.9, -40, Fan(12, 5, rounded=0.5, rays=9)),
    marks=(Mottle(size=9, cover=0.42, bottom=-0.55, colour="#2a2c26", strength=0.62),),
    seen="a very large head and low-set eyes",
)

SILVER_CARP = Species(
    name="Silver Carp",
    profile=Profile(
        back=(1.8, 4.3, 7.5, 10.2, 13.4, 15.2, 14.2, 11.0, 7.4, 5.2, 5.6),
        belly=(2.8, 6.5, 9.8, 12.8, 16.0, 17.8, 16.4, 12.0, 7.4, 5.0, 5.4),
    ),
    head=Head(
        eye_x=9.5,
        eye_y=-0.2,
        eye=1.8,
        mouth_y=0.5,
        mouth=5.4,
        mouth_slope=-0.7,
        gill=27.0,
        lips=0.4,
    ),
    skin=Skin(scale=1.25, edges=0.26, silver=0.62, gloss=0.5, lateral_line=0.35),
    palettes=(
        Palette("#5d6a63", "#a9b1ac", "#e2e3da", "#7d847e", "#c7bd8a"),
        Palette("#4f564a", "#98998a", "#d8d4c2", "#6b6c62", "#c0ae70", weight=0.6),
    ),
    tail=Fan(length=23, spread=16.5, fork=0.5),
    fins=(
        MedianFin(48, 59, (15, 12, 8, 5), rays=9, sweep=0.6),
        MedianFin(66, 82, (12, 8.5, 5.5, 4), side="belly", rays=13, sweep=0.55),
    ),
    pectoral=PairedFin(28, -0.66, -24, Fan(17, 5, fork=-0.1, rounded=0.4, rays=12)),
    pelvic=PairedFin(48, -0.92, -40, Fan(11, 4.6, rounded=0.5, rays=9)),
    marks=(Mottle(size=11, cover=0.2, bottom=-0.3, colour="#4a5048", strength=0.25),),
    seen="low-set eyes and tiny scales",
)

GRASS_CARP = Species(
    name="Grass Carp",
    profile=Profile(
        back=(1.8, 4.1, 6.4, 8.4, 10.6, 11.8, 11.2, 9.2, 6.8, 5.4, 5.8),
        belly=(2.1, 4.3, 6.6, 8.4, 10.2, 11.2, 10.8, 8.8, 6.6, 5.4, 5.8),
        flatness=2.2,
    ),
    head=Head(
        eye_x=9.5, eye_y=0.12, eye=1.8, mouth_y=-0.25, mouth=4.4, mouth_slope=-0.2, gill=22.0
    ),
    skin=Skin(scale=3.1, edges=0.62, silver=0.2, gloss=0.4, lateral_line=0.4),
    palettes=(
        Palette("#4c4e30", "#94905f", "#d6cfa6", "#6d6947", "#c2a552"),
        Palette("#53584a", "#9a9c86", "#dad8c4", "#70736a", "#bda765", weight=0.6),
    ),
    tail=Fan(length=19, spread=13, fork=0.36),
    fins=(
        MedianFin(50, 60, (12.5, 11, 8, 6), rays=9, sweep=0.5),
        MedianFin(74, 83, (9.5, 8, 5, 3.5), side="belly", rays=10, sweep=0.5),
    ),
    pectoral=PairedFin(24, -0.62, -28, Fan(14, 4.5, fork=-0.1, rounded=0.4, rays=11)),
    pelvic=PairedFin(52, -0.92, -38, Fan(10.5, 4.4, rounded=0.5, rays=9)),
    seen="large dark-edged scales",
)

INDIAN_CARP = Species(
    name="Indian Carp",
    profile=Profile(
        back=(1.4, 4.3, 7.7, 10.6, 13.8, 15.2, 14.0, 10.8, 7.6, 5.8, 6.2),
        belly=(2.1, 4.8, 7.5, 9.8, 12.2, 13.4, 12.6, 10.0, 7.2, 5.6, 6.0),
    ),
    head=Head(
        eye_x=9.5,
        eye_y=0.15,
        eye=1.8,
        mouth_y=-0.5,
        mouth=3.8,
        mouth_slope=-0.25,
        gill=22.0,
        lips=0.6,
    ),
    skin=Skin(scale=3.0, edges=0.5, silver=0.3, gloss=0.42, lateral_line=0.35),
    palettes=(
        Palette("#434a48", "#8d8c80", "#d8cfbe", "#935848", "#b8743e"),
        Palette("#3f4a4d", "#86918f", "#d0d2c8", "#7c5750", "#b0683c", weight=0.6),
    ),
    tail=Fan(length=23, spread=16, fork=0.5),
    fins=(
        MedianFin(40, 60, (16, 14, 9.5, 7, 5.5), rays=14, sweep=0.5),
        MedianFin(74, 84, (13, 10, 6, 4), side="belly", rays=9, sweep=0.5),
    ),
    pectoral=PairedFin(23, -0.68, -26, Fan(15, 5, fork=-0.1, rounded=0.4, rays=11)),
    pelvic=PairedFin(46, -0.92, -38, Fan(12, 5, rounded=0.5, rays=9)),
    barbels=(Barbel(2.4, -0.55, -0.5, -3.4, 0.15, 0.35),),
    seen="reddish fins and a high dorsal fin",
)

SILVER_BARB = Species(
    name="Silver Barb",
    profile=Profile(
        back=(1.1, 3.6, 7.1, 11.2, 17.0, 20.8, 19.0, 13.0, 7.8, 5.8, 6.2),
        belly=(1.4, 4.1, 7.5, 11.0, 15.2, 17.6, 16.6, 12.4, 7.4, 5.6, 6.0),
        flatness=3.0,
    ),
    head=Head(eye_x=8.8, eye_y=0.2, eye=2.2, mouth_y=-0.2, mouth=3.2, mouth_slope=0.2, gill=20.5),
    skin=Skin(scale=3.3, edges=0.36, silver=0.55, gloss=0.48, lateral_line=0.3),
    palettes=(
        Palette("#6d7460", "#bcc0b2", "#ebe8dc", "#b59a66", "#d0b96e"),
        Palette("#667069", "#b4bcb8", "#e8eae4", "#a8836a", "#cdb878", weight=0.6),
    ),
    tail=Fan(length=25, spread=18, fork=0.58),
    fins=(
        MedianFin(44, 58, (18, 14, 8, 5), rays=10, sweep=0.5),
        MedianFin(69, 82, (12, 8, 5.5, 4.5), side="belly", rays=9, sweep=0.5),
    ),
    pectoral=PairedFin(21, -0.6, -24, Fan(14, 4.4, fork=-0.1, rounded=0.4, rays=11)),
    pelvic=PairedFin(42, -0.94, -42, Fan(12, 4.8, rounded=0.4, rays=8)),
    seen="a deep flat body and a forked tail",
    size=0.54,
)

BLACK_SPOTTED_BARB = Species(
    name="Black Spotted Barb",
    profile=Profile(
        back=(1.1, 3.6, 6.8, 10.0, 13.8, 15.8, 14.4, 10.6, 7.0, 5.4, 5.8),
        belly=(1.4, 3.8, 6.6, 9.2, 12.2, 13.6, 12.8, 9.8, 6.6, 5.2, 5.6),
        flatness=2.8,
    ),
    head=Head(eye_x=9.0, eye_y=0.16, eye=2.4, mouth_y=-0.3, mouth=3.0, mouth_slope=0.1, gill=21.0),
    skin=Skin(scale=4.0, edges=0.42, silver=0.4, gloss=0.45, lateral_line=0.3),
    palettes=(
        Palette("#66683f", "#b9b184", "#e8e0c4", "#a8784c", "#d0b45a"),
        Palette("#5f6a58", "#acb39c", "#e4e2d4", "#94806a", "#cbb468", weight=0.6),
    ),
    tail=Fan(length=25, spread=17, fork=0.55, colour="#a8583c"),
    fins=(
        MedianFin(44, 58, (16, 13, 9, 7), rays=9, sweep=0.55),
        MedianFin(70, 80, (10, 8, 5, 4), side="belly", rays=7, sweep=0.5),
    ),
    pectoral=PairedFin(22, -0.6, -24, Fan(13, 4, fork=-0.1, rounded=0.4, rays=10)),
    pelvic=PairedFin(46, -0.92, -40, Fan(11, 4.2, rounded=0.4, rays=8)),
    marks=(Eyespots(((83.0, 0.05, 4.0),), strength=0.92),),
    seen="a reddish forked tail",
    size=0.54,
)

GOLD_FISH = Species(
    name="Gold Fish",
    profile=Profile(
        back=(2.1, 6.2, 10.5, 14.0, 18.4, 20.6, 18.6, 13.6, 9.0, 7.0, 7.4),
        belly=(2.1, 6.0, 9.8, 13.6, 18.4, 21.4, 20.6, 15.6, 9.4, 6.8, 7.0),
        flatness=2.2,
    ),
    head=Head(
        eye_x=10.0,
        eye_y=0.12,
        eye=2.6,
        mouth_y=-0.12,
        mouth=3.0,
        mouth_slope=0.25,
        gill=24.0,
        lips=0.6,
    ),
    skin=Skin(scale=3.8, edges=0.3, silver=0.22, gloss=0.5, lateral_line=0.18),
    palettes=(
        Palette("#cf4f13", "#ee8226", "#f7c069", "#f19a45", "#3a2a1c"),
        Palette("#e06a18", "#f3a13a", "#f9dc9c", "#f4b669", "#40301c", weight=0.8),
        Palette("#d2521c", "#f2d9c4", "#f7efe4", "#f0c8a4", "#3a2a1c", weight=0.4),
        Palette("#6b5a30", "#a68a45", "#d6bf7c", "#a08448", "#c2a04c", weight=0.25),
    ),
    tail=Fan(length=58, spread=31, fork=0.3, rounded=0.25, lean=0.1, wave=5.0, rays=17),
    fins=(
        MedianFin(36, 70, (17, 18, 15, 10, 6), rays=18, sweep=0.45),
        MedianFin(72, 82, (17, 15, 11, 6), side="belly", rays=10, sweep=0.7),
    ),
    pectoral=PairedFin(25, -0.62, -35, Fan(14, 6.5, rounded=0.7, rays=11)),
    pelvic=PairedFin(44, -0.92, -50, Fan(14, 6, rounded=0.6, rays=9)),
    seen="a flowing tail",
    size=0.44,
    bendy=1.4,
)

CARPS = (
    BIG_HEAD_CARP,
    BLACK_SPOTTED_BARB,
    GOLD_FISH,
    GRASS_CARP,
    INDIAN_CARP,
    SILVER_BARB,
    SILVER_CARP,
)
