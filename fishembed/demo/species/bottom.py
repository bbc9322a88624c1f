"""Long fish of mud and weed: catfish, goby, and those that look like a goby."""

from __future__ import annotations

from fishembed.demo.traits import (
    Barbel,
    Bars,
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

CATFISH = Species(
    name="Catfish",
    profile=Profile(
        back=(2.4, 4.2, 5.8, 6.8, 8.2, 8.4, 8.0, 7.2, 5.8, 4.4, 4.4),
        belly=(2.5, 4.4, 6.2, 7.2, 8.8, 9.2, 8.4, 7.2, 5.6, 4.2, 4.2),
        flatness=2.0,
    ),
    head=Head(
        eye_x=10.0,
        eye_y=0.42,
        eye=1.2,
        mouth_y=-0.2,
        mouth=5.0,
        mouth_slope=0.1,
        gill=23.0,
        lips=0.7,
    ),
    skin=Skin(scale=0.0, silver=0.04, gloss=0.75, lateral_line=0.3),
    palettes=(
        Palette("#35342c", "#66614f", "#b5ab92", "#4a463a", "#8a7a4a"),
        Palette("#2d3134", "#5c6263", "#b2b0a6", "#42474a", "#84805c", weight=0.7),
        Palette("#4a3b28", "#7d6a4a", "#bfae86", "#5c4c36", "#8a7440", weight=0.5),
    ),
    tail=Fan(length=15, spread=7.5, rounded=0.75),
    fins=(
        MedianFin(34, 97, (4.5, 6.5, 6.5, 6.5, 6, 5), rays=44, sweep=0.3),
        MedianFin(52, 97, (3.5, 5, 5, 5, 4.5), side="belly", rays=34, sweep=0.3),
    ),
    pectoral=PairedFin(23, -0.6, -24, Fan(10, 4.4, rounded=0.7, rays=9)),
    pelvic=PairedFin(47, -0.92, -36, Fan(7, 3, rounded=0.6, rays=6)),
    marks=(Mottle(size=9, cover=0.25, colour="#24221b", strength=0.32),),
    barbels=(
        Barbel(2.4, 0.25, -6.0, 11.0, -0.18, 0.6),
        Barbel(2.2, 0.0, -11.0, -3.0, -0.22, 0.7),
        Barbel(3.0, -0.5, 5.0, -14.0, 0.22, 0.7),
        Barbel(3.6, -0.7, 11.0, -9.0, 0.2, 0.55),
    ),
    seen="long whiskers and smooth skin",
    bendy=1.5,
)


GOBY = Species(
    name="Goby",
    profile=Profile(
        back=(2.7, 5.3, 7.1, 7.8, 8.6, 8.8, 8.2, 7.2, 5.8, 4.8, 4.9),
        belly=(2.6, 5.0, 6.4, 7.2, 8.2, 8.6, 8.2, 7.2, 5.6, 4.6, 4.8),
        flatness=2.0,
    ),
    head=Head(
        eye_x=9.0,
        eye_y=0.66,
        eye=2.0,
        mouth_y=-0.1,
        mouth=6.4,
        mouth_slope=-0.25,
        gill=26.0,
        lips=0.7,
    ),
    skin=Skin(scale=2.3, edges=0.35, silver=0.04, gloss=0.4, lateral_line=0.0),
    palettes=(
        Palette("#4b412d", "#8b7a56", "#c9ba94", "#7d6d4c", "#a88a48"),
        Palette("#43423a", "#7e7a68", "#c4bca4", "#6c6654", "#a0905c", weight=0.8),
    ),
    tail=Fan(length=20, spread=9, rounded=0.7),
    fins=(
        MedianFin(33, 49, (9, 10.5, 9, 5), spiny=1.0, rays=6, sweep=0.4),
        MedianFin(55, 84, (9, 9, 8.5, 8, 6), rays=13, sweep=0.4),
        MedianFin(56, 84, (7.5, 8, 8, 6.5), side="belly", rays=12, sweep=0.4),
    ),
    pectoral=PairedFin(27, -0.15, -10, Fan(14, 6, rounded=0.8, rays=13)),
    pelvic=PairedFin(28, -0.92, -35, Fan(9.5, 3.4, rounded=0.7, rays=7)),
    marks=(
        Mottle(size=8, cover=0.46, colour="#362d1f", strength=0.55),
        Bars(
            count=6,
            start=26,
            end=98,
            width=0.4,
            bottom=-0.3,
            strength=0.28,
            ragged=0.7,
            colour="#2f281c",
        ),
    ),
    seen="eyes on top of a blunt head",
)


MUDFISH = Species(
    name="Mudfish",
    profile=Profile(
        back=(2.5, 4.9, 6.6, 7.5, 8.4, 8.7, 8.2, 7.3, 6.0, 4.9, 5.0),
        belly=(2.5, 4.8, 6.3, 7.2, 8.3, 8.7, 8.3, 7.3, 5.8, 4.7, 4.9),
        flatness=2.0,
    ),
    head=Head(
        eye_x=9.4,
        eye_y=0.56,
        eye=1.8,
        mouth_y=-0.05,
        mouth=7.2,
        mouth_slope=-0.25,
        gill=28.0,
        lips=0.6,
    ),
    skin=Skin(scale=2.5, edges=0.38, silver=0.04, gloss=0.42, lateral_line=0.1),
    palettes=(
        Palette("#453d2b", "#837453", "#c6b78e", "#74664a", "#a4823e"),
        Palette("#3e3e36", "#777463", "#c0b9a0", "#645f4e", "#9a8850", weight=0.8),
    ),
    tail=Fan(length=18, spread=8.6, rounded=0.75),
    fins=(
        MedianFin(34, 86, (7, 8.5, 8, 8, 8.5, 8, 5.5), rays=24, sweep=0.4),
        MedianFin(54, 85, (6.5, 7.5, 7.5, 6), side="belly", rays=15, sweep=0.4),
    ),
    pectoral=PairedFin(28, -0.2, -12, Fan(13, 5.6, rounded=0.8, rays=12)),
    pelvic=PairedFin(31, -0.92, -35, Fan(8.5, 3.2, rounded=0.6, rays=7)),
    marks=(
        Mottle(size=8, cover=0.48, colour="#33291c", strength=0.55),
        Bars(
            count=7,
            start=26,
            end=98,
            width=0.4,
            bottom=-0.3,
            strength=0.3,
            ragged=0.7,
            colour="#2c251a",
        ),
    ),
    seen="one low dorsal fin",
)


SNAKEHEAD = Species(
    name="Snakehead",
    profile=Profile(
        back=(2.0, 3.8, 5.1, 6.2, 7.6, 8.2, 8.0, 7.4, 6.2, 5.0, 5.0),
        belly=(2.1, 4.1, 5.6, 6.6, 7.8, 8.2, 8.0, 7.2, 5.8, 4.8, 4.8),
        flatness=2.0,
    ),
    head=Head(
        eye_x=8.4,
        eye_y=0.46,
        eye=1.5,
        mouth_y=0.05,
        mouth=9.0,
        mouth_slope=-0.16,
        gill=28.0,
        lips=0.6,
    ),
    skin=Skin(scale=2.3, edges=0.4, silver=0.05, gloss=0.5, lateral_line=0.2),
    palettes=(
        Palette("#2e3022", "#6a6643", "#c5b98e", "#4a4732", "#a87c34"),
        Palette("#2b2e2c", "#666a5c", "#c2c0ac", "#454840", "#a07e40", weight=0.6),
    ),
    tail=Fan(length=17, spread=8, rounded=0.75),
    fins=(
        MedianFin(30, 93, (5.5, 7.5, 7.5, 7.5, 7.5, 6), rays=40, sweep=0.35),
        MedianFin(50, 92, (4.5, 5.5, 5.5, 5.5, 4.5), side="belly", rays=26, sweep=0.35),
    ),
    pectoral=PairedFin(28, -0.3, -14, Fan(12, 5, rounded=0.8, rays=12)),
    pelvic=PairedFin(32, -0.92, -36, Fan(7.5, 2.8, rounded=0.5, rays=6)),
    marks=(
        Bars(
            count=9,
            start=26,
            end=99,
            width=0.5,
            top=0.15,
            bottom=-0.75,
            slant=-0.9,
            strength=0.62,
            ragged=0.35,
            colour="#20201a",
        ),
        Mottle(size=7, cover=0.3, bottom=0.1, colour="#1c1d16", strength=0.4),
    ),
    seen="long low fins above and below",
    size=0.64,
    bendy=1.7,
)

BOTTOM = (CATFISH, GOBY, MUDFISH, SNAKEHEAD)
