"""Perch-like fish: spiny dorsal fins, deep bodies, bars and spots."""

from __future__ import annotations

from fishembed.demo.traits import (
    Barbel,
    Bars,
    Eyespots,
    Fan,
    Head,
    MedianFin,
    PairedFin,
    Palette,
    Profile,
    Skin,
    Species,
    Spots,
)

CLIMBING_PERCH = Species(
    name="Climbing Perch",
    profile=Profile(
        back=(2.4, 6.0, 9.8, 12.6, 15.0, 15.8, 15.4, 14.0, 11.0, 8.2, 8.2),
        belly=(2.4, 5.8, 9.2, 11.8, 13.8, 14.8, 14.6, 13.2, 10.2, 7.8, 8.0),
        flatness=2.4,
    ),
    head=Head(
        eye_x=9.5,
        eye_y=0.12,
        eye=2.5,
        mouth_y=-0.05,
        mouth=5.0,
        mouth_slope=-0.45,
        gill=27.0,
        lips=0.4,
    ),
    skin=Skin(scale=4.0, edges=0.55, silver=0.1, gloss=0.4, lateral_line=0.3),
    palettes=(
        Palette("#3f4229", "#79754b", "#b9ab78", "#5f5a3c", "#b8822e"),
        Palette("#39362a", "#6f6653", "#b0a284", "#4f483a", "#b2702a", weight=0.6),
    ),
    tail=Fan(length=20, spread=11.5, rounded=0.55),
    fins=(
        MedianFin(28, 92, (7, 9.5, 9, 8.5, 9, 11, 9), spiny=0.68, rays=24, sweep=0.35),
        MedianFin(56, 91, (6, 7.5, 8, 10, 8), side="belly", spiny=0.55, rays=18, sweep=0.35),
    ),
    pectoral=PairedFin(27, -0.3, -12, Fan(14, 5.5, rounded=0.7, rays=12)),
    pelvic=PairedFin(31, -0.94, -40, Fan(11, 3.6, rounded=0.4, rays=7)),
    marks=(
        Bars(count=9, start=28, end=98, width=0.4, strength=0.25, ragged=0.5),
        Eyespots(((95.0, 0.0, 3.2), (27.5, 0.25, 1.8)), strength=0.8),
    ),
    seen="a spiny dorsal fin and a rounded tail",
    size=0.54,
)

GLASS_PERCHLET = Species(
    name="Glass Perchlet",
    profile=Profile(
        back=(1.4, 4.8, 9.6, 14.4, 18.6, 19.4, 16.6, 11.6, 7.2, 5.2, 5.6),
        belly=(1.8, 6.0, 10.7, 14.6, 17.4, 18.2, 16.6, 11.8, 6.8, 5.0, 5.4),
        flatness=3.2,
    ),
    head=Head(
        eye_x=11.0,
        eye_y=0.12,
        eye=4.0,
        mouth_y=-0.05,
        mouth=6.0,
        mouth_slope=-0.7,
        gill=28.0,
        lips=0.2,
    ),
    skin=Skin(scale=0.0, silver=0.34, gloss=0.55, lateral_line=0.15, clear=0.62),
    palettes=(
        Palette("#a9ad8c", "#c9ccb4", "#e4e6dc", "#c9cbb8", "#cfc9b0"),
        Palette("#b0a778", "#d0c9a4", "#e9e5d4", "#d0c8a8", "#d2c79c", weight=0.6),
    ),
    tail=Fan(length=24, spread=15, fork=0.5),
    fins=(
        MedianFin(36, 54, (16, 17, 11, 5), spiny=1.0, rays=7, sweep=0.3),
        MedianFin(55, 76, (13, 10, 7, 5), rays=11, sweep=0.4),
        MedianFin(54, 76, (11, 9, 7, 5), side="belly", rays=12, sweep=0.4),
    ),
    pectoral=PairedFin(29, -0.3, -14, Fan(14, 4.5, rounded=0.5, rays=11)),
    pelvic=PairedFin(33, -0.92, -45, Fan(12, 3.2, rounded=0.3, rays=6)),
    seen="a translucent body",
    size=0.42,
)

GOURAMI = Species(
    name="Gourami",
    profile=Profile(
        back=(1.4, 4.3, 8.3, 12.4, 17.4, 20.4, 20.2, 17.0, 11.4, 8.0, 8.0),
        belly=(1.8, 5.0, 9.4, 13.8, 18.8, 22.0, 22.2, 19.4, 13.4, 8.6, 8.2),
        flatness=3.2,
    ),
    head=Head(
        eye_x=9.5,
        eye_y=0.16,
        eye=2.7,
        mouth_y=0.25,
        mouth=3.0,
        mouth_slope=-0.6,
        gill=25.0,
        lips=0.4,
    ),
    skin=Skin(scale=2.6, edges=0.36, silver=0.28, gloss=0.42, lateral_line=0.15),
    palettes=(
        Palette("#6a7a68", "#9fae9f", "#cfd0b4", "#a9a77c", "#c05a2c"),
        Palette("#5c7a8c", "#8fb0bd", "#c2cfcb", "#96aeb0", "#c2602e", weight=0.7),
        Palette("#8f7a3c", "#c2a458", "#dfcc8e", "#c8a45a", "#b8582a", weight=0.4),
    ),
    tail=Fan(length=23, spread=14, fork=0.2, rounded=0.25),
    fins=(
        MedianFin(52, 78, (5, 11, 16, 13, 8), rays=14, sweep=0.55),
        MedianFin(34, 97, (2, 6, 9, 10, 11, 10, 7), side="belly", rays=30, sweep=0.35),
    ),
    pectoral=PairedFin(27, -0.2, -8, Fan(15, 5, rounded=0.5, rays=10)),
    marks=(
        Bars(
            count=14,
            start=28,
            end=98,
            width=0.42,
            strength=0.2,
            ragged=0.7,
            slant=0.35,
            colour="#3c4c4a",
        ),
        Eyespots(((52.0, 0.05, 3.0), (97.0, 0.0, 2.8)), colour="#20262e", strength=0.85),
    ),
    barbels=(Barbel(30.0, -0.9, 34.0, -22.0, 0.16, 0.5, "#b8a878"),),
    seen="long feelers under the body",
    size=0.5,
)

JAGUAR_GAPOTE = Species(
    name="Jaguar Gapote",
    profile=Profile(
        back=(1.1, 4.3, 8.6, 12.2, 16.0, 18.0, 17.4, 14.4, 9.6, 7.6, 7.8),
        belly=(2.1, 5.5, 8.8, 11.8, 14.6, 16.4, 16.2, 13.2, 9.0, 7.4, 7.6),
    ),
    head=Head(
        eye_x=13.5,
        eye_y=0.38,
        eye=2.2,
        mouth_y=-0.1,
        mouth=8.5,
        mouth_slope=-0.35,
        gill=30.0,
        lips=0.6,
    ),
    skin=Skin(scale=2.7, edges=0.3, silver=0.22, gloss=0.4, lateral_line=0.2),
    palettes=(
        Palette("#5d5a3a", "#b0a472", "#d9d0ae", "#6f683f", "#b0462a"),
        Palette("#4f4f48", "#a3a294", "#d6d4c8", "#5c5c50", "#a84a30", weight=0.6),
    ),
    tail=Fan(length=20, spread=13, rounded=0.45),
    fins=(
        MedianFin(30, 88, (6, 8, 8.5, 9, 9.5, 14, 15, 7), spiny=0.66, rays=24, sweep=0.45),
        MedianFin(60, 86, (5, 7, 9, 14, 12), side="belly", spiny=0.5, rays=14, sweep=0.5),
    ),
    pectoral=PairedFin(31, -0.2, -12, Fan(16, 6, rounded=0.6, rays=12)),
    pelvic=PairedFin(35, -0.92, -38, Fan(15, 4.5, fork=-0.1, rounded=0.3, rays=7)),
    marks=(
        Spots(pitch=4.6, size=0.8, ragged=1.2, colour="#1a1812", strength=0.82, on_fins=True),
        Eyespots(
            (
                (38, -0.05, 2.8),
                (50, -0.05, 2.8),
                (62, -0.05, 2.6),
                (74, -0.05, 2.4),
                (86, -0.02, 2.2),
                (96, 0.0, 2.2),
            ),
            colour="#14120e",
            strength=0.85,
        ),
    ),
    seen="a wide mouth and red eyes",
    size=0.54,
)

PERCH = Species(
    name="Perch",
    profile=Profile(
        back=(1.1, 4.1, 7.7, 11.0, 14.6, 15.6, 13.8, 10.4, 6.6, 4.8, 5.0),
        belly=(2.1, 5.0, 7.7, 10.0, 12.6, 13.6, 12.8, 9.8, 6.2, 4.6, 4.8),
    ),
    head=Head(
        eye_x=10.5, eye_y=0.22, eye=2.3, mouth_y=-0.25, mouth=7.5, mouth_slope=-0.15, gill=29.0
    ),
    skin=Skin(scale=2.0, edges=0.32, silver=0.24, gloss=0.4, lateral_line=0.35),
    palettes=(
        Palette("#4a5332", "#96985f", "#dcd6b6", "#b05c34", "#c9992f"),
        Palette("#515a4c", "#979d86", "#dbdacb", "#9a7350", "#c0993c", weight=0.7),
    ),
    tail=Fan(length=20, spread=13, fork=0.3),
    fins=(
        MedianFin(30, 60, (9, 14, 14, 11, 7, 4), spiny=1.0, rays=13, sweep=0.25, colour="#7d7a58"),
        MedianFin(62, 82, (11, 10.5, 8, 5), rays=13, sweep=0.4, colour="#87805a"),
        MedianFin(64, 78, (10, 9.5, 7, 4), side="belly", rays=9, sweep=0.4),
    ),
    pectoral=PairedFin(30, -0.35, -16, Fan(15, 5, rounded=0.6, rays=11)),
    pelvic=PairedFin(32, -0.92, -36, Fan(13, 4, rounded=0.3, rays=7)),
    marks=(
        Bars(
            count=6,
            start=28,
            end=96,
            width=0.4,
            bottom=-0.45,
            strength=0.62,
            ragged=0.35,
            colour="#2c3424",
        ),
    ),
    seen="two dorsal fins",
)

SILVER_PERCH = Species(
    name="Silver Perch",
    profile=Profile(
        back=(1.1, 3.8, 7.5, 11.0, 14.8, 16.2, 14.6, 11.0, 7.0, 5.2, 5.4),
        belly=(1.8, 4.6, 7.5, 10.2, 12.8, 13.8, 12.8, 9.8, 6.4, 5.0, 5.2),
    ),
    head=Head(
        eye_x=10.0, eye_y=0.22, eye=2.5, mouth_y=-0.15, mouth=5.0, mouth_slope=-0.15, gill=28.0
    ),
    skin=Skin(scale=2.0, edges=0.3, silver=0.5, gloss=0.45, lateral_line=0.35),
    palettes=(
        Palette("#525b58", "#9da5a0", "#dcddd4", "#80857c", "#c0b078"),
        Palette("#565c48", "#a0a38c", "#dcdac8", "#86846a", "#bfa860", weight=0.7),
    ),
    tail=Fan(length=21, spread=13.5, fork=0.32),
    fins=(
        MedianFin(32, 60, (8, 12.5, 12.5, 10.5, 8, 6.5), spiny=1.0, rays=12, sweep=0.28),
        MedianFin(60, 82, (9.5, 10.5, 8.5, 5), rays=12, sweep=0.4),
        MedianFin(64, 79, (9.5, 9.5, 7, 4), side="belly", rays=9, sweep=0.4),
    ),
    pectoral=PairedFin(29, -0.35, -16, Fan(15, 4.6, rounded=0.5, rays=11)),
    pelvic=PairedFin(33, -0.92, -36, Fan(12.5, 3.8, rounded=0.3, rays=7)),
    marks=(
        Bars(
            count=6,
            start=30,
            end=96,
            width=0.4,
            bottom=-0.1,
            strength=0.16,
            ragged=0.5,
            colour="#39423c",
        ),
    ),
    seen="a spiny dorsal fin",
)

SCAT_FISH = Species(
    name="Scat Fish",
    profile=Profile(
        back=(1.1, 5.5, 12.8, 19.4, 26.4, 29.6, 28.0, 21.6, 12.0, 6.8, 6.6),
        belly=(1.4, 5.5, 11.8, 17.6, 24.0, 27.4, 26.6, 20.8, 11.6, 6.6, 6.4),
        flatness=3.4,
    ),
    head=Head(eye_x=11.0, eye_y=0.1, eye=3.0, mouth_y=-0.1, mouth=3.0, mouth_slope=0.1, gill=26.0),
    skin=Skin(scale=1.3, edges=0.22, silver=0.26, gloss=0.4, lateral_line=0.25),
    palettes=(
        Palette("#5e5a38", "#a79b63", "#cfc9a6", "#6e6743", "#b0702c"),
        Palette("#56604a", "#93a082", "#cdd2bc", "#66705a", "#a8682c", weight=0.7),
        Palette("#7a4a2a", "#b58a52", "#d6c294", "#7c5a34", "#a8602a", weight=0.4),
    ),
    tail=Fan(length=19, spread=14, fork=0.08),
    fins=(
        MedianFin(34, 62, (5, 12, 13, 9, 5), spiny=1.0, rays=11, sweep=0.35),
        MedianFin(62, 92, (10, 13, 11, 6), rays=16, sweep=0.35),
        MedianFin(60, 91, (8, 11, 11, 6), side="belly", rays=16, sweep=0.35),
    ),
    pectoral=PairedFin(27, -0.22, -14, Fan(13, 5, rounded=0.7, rays=12)),
    pelvic=PairedFin(33, -0.95, -45, Fan(14, 4, rounded=0.3, rays=7)),
    marks=(Spots(pitch=6.4, size=0.66, bottom=-0.75, start=14, strength=0.85),),
    seen="a disc-shaped body",
    size=0.46,
)

TILAPIA = Species(
    name="Tilapia",
    profile=Profile(
        back=(1.4, 5.5, 10.1, 14.0, 18.2, 19.8, 18.0, 13.8, 9.0, 7.0, 7.2),
        belly=(2.1, 5.8, 9.4, 12.4, 15.6, 17.4, 16.6, 13.0, 8.6, 6.8, 7.0),
    ),
    head=Head(
        eye_x=11.0,
        eye_y=0.24,
        eye=2.4,
        mouth_y=-0.25,
        mouth=4.6,
        mouth_slope=0.05,
        gill=29.0,
        lips=0.5,
    ),
    skin=Skin(scale=3.3, edges=0.4, silver=0.22, gloss=0.4, lateral_line=0.25),
    palettes=(
        Palette("#4b4f48", "#8f9184", "#cfcabb", "#6a675c", "#a8743a"),
        Palette("#4e4a3c", "#948a6e", "#cfc4a4", "#756049", "#b07434", weight=0.7),
        Palette("#a85f48", "#d79a80", "#ecd0bf", "#cf8a70", "#a04c34", weight=0.35),
    ),
    tail=Fan(length=20, spread=13.5, rounded=0.2),
    fins=(
        MedianFin(29, 88, (7, 10, 10.5, 10.5, 11, 14.5, 15, 6), spiny=0.64, rays=26, sweep=0.42),
        MedianFin(66, 86, (6, 9, 13, 11), side="belly", spiny=0.3, rays=12, sweep=0.5),
    ),
    pectoral=PairedFin(30, -0.25, -10, Fan(21, 5, fork=-0.15, rounded=0.3, rays=12)),
    pelvic=PairedFin(34, -0.94, -34, Fan(15, 4, fork=-0.1, rounded=0.3, rays=7)),
    marks=(
        Bars(count=8, start=28, end=98, width=0.36, strength=0.34, ragged=0.3, colour="#2a2c28"),
    ),
    seen="one long spiny dorsal fin",
    size=0.54,
)

PERCHES = (
    CLIMBING_PERCH,
    GLASS_PERCHLET,
    GOURAMI,
    JAGUAR_GAPOTE,
    PERCH,
    SCAT_FISH,
    SILVER_PERCH,
    TILAPIA,
)
