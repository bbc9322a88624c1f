"""Fast silvery swimmers of open water, and the smooth river catfish that looks like one."""

from __future__ import annotations

from fishembed.demo.traits import (
    Barbel,
    Fan,
    Head,
    MedianFin,
    PairedFin,
    Palette,
    Profile,
    Skin,
    Species,
    Stripes,
)

BANGUS = Species(
    name="Bangus",
    profile=Profile(
        back=(1.1, 3.4, 5.6, 7.8, 10.4, 12.0, 11.6, 9.4, 6.2, 4.0, 4.4),
        belly=(1.4, 3.6, 5.8, 7.8, 10.4, 12.2, 12.2, 9.8, 6.2, 3.9, 4.2),
    ),
    head=Head(eye_x=8.8, eye_y=0.1, eye=2.5, mouth_y=-0.1, mouth=2.8, mouth_slope=0.1, gill=23.0),
    skin=Skin(scale=1.6, edges=0.24, silver=0.6, gloss=0.5, lateral_line=0.4),
    palettes=(
        Palette("#56655e", "#b2bab8", "#eceeea", "#6d7672", "#c8c6b0"),
        Palette("#47606b", "#a9b8be", "#e9eeee", "#626f76", "#c6cac0", weight=0.6),
    ),
    tail=Fan(length=31, spread=20, fork=0.66),
    fins=(
        MedianFin(46, 59, (13, 9, 6, 5), rays=12, sweep=0.6),
        MedianFin(80, 88, (6, 4.5, 3, 2.5), side="belly", rays=9, sweep=0.6),
    ),
    pectoral=PairedFin(24, -0.66, -18, Fan(13, 3.4, fork=-0.1, rounded=0.3, rays=10)),
    pelvic=PairedFin(53, -0.94, -30, Fan(9, 3, rounded=0.3, rays=8)),
    seen="a deeply forked tail",
)

MULLET = Species(
    name="Mullet",
    profile=Profile(
        back=(2.4, 4.6, 6.4, 8.0, 9.8, 10.8, 10.6, 9.0, 6.6, 5.0, 5.2),
        belly=(2.4, 4.8, 6.8, 8.6, 10.6, 11.6, 11.0, 9.0, 6.4, 4.8, 5.0),
        flatness=2.1,
    ),
    head=Head(
        eye_x=8.2,
        eye_y=0.1,
        eye=2.2,
        mouth_y=-0.2,
        mouth=3.0,
        mouth_slope=0.35,
        gill=23.0,
        lips=0.4,
    ),
    skin=Skin(scale=2.7, edges=0.4, silver=0.42, gloss=0.45, lateral_line=0.0),
    palettes=(
        Palette("#4f5b54", "#a5aca2", "#e4e5dc", "#7b807a", "#c0b888"),
        Palette("#4c5a63", "#9caab0", "#e2e7e6", "#6f7a80", "#c2bea0", weight=0.6),
    ),
    tail=Fan(length=22, spread=14, fork=0.42),
    fins=(
        MedianFin(48, 57, (12, 10, 5, 1.5), spiny=1.0, rays=4, sweep=0.4),
        MedianFin(73, 82, (10, 7.5, 5, 4), rays=8, sweep=0.5),
        MedianFin(70, 82, (10, 7.5, 5, 4), side="belly", rays=9, sweep=0.5),
    ),
    pectoral=PairedFin(24, 0.22, 4, Fan(14, 4, rounded=0.3, rays=11)),
    pelvic=PairedFin(38, -0.94, -32, Fan(10, 3.4, rounded=0.3, rays=6)),
    marks=(Stripes(count=6, top=0.75, bottom=-0.4, start=24, colour="#4b5650", strength=0.42),),
    seen="two small dorsal fins",
)

INDO_PACIFIC_TARPON = Species(
    name="Indo-Pacific Tarpon",
    profile=Profile(
        back=(1.4, 2.9, 4.9, 7.4, 10.6, 12.6, 12.2, 9.6, 6.4, 4.8, 5.2),
        belly=(2.4, 6.0, 9.2, 11.4, 13.8, 14.8, 13.8, 10.4, 6.4, 4.6, 5.0),
        flatness=2.9,
    ),
    head=Head(
        eye_x=9.0,
        eye_y=0.34,
        eye=3.0,
        mouth_y=0.5,
        mouth=9.0,
        mouth_slope=-0.75,
        gill=26.0,
        lips=0.3,
    ),
    skin=Skin(scale=4.4, edges=0.34, silver=0.64, gloss=0.5, lateral_line=0.25),
    palettes=(
        Palette("#4d5c50", "#adb6ae", "#e8eae4", "#7f8468", "#cfcdb8"),
        Palette("#46586a", "#a5b4bc", "#e5ebec", "#76807c", "#d0d2c6", weight=0.6),
    ),
    tail=Fan(length=26, spread=17, fork=0.54),
    fins=(
        MedianFin(48, 60, (14, 10, 6.5, 5), rays=13, sweep=0.65),
        MedianFin(68, 86, (11, 7.5, 5, 3.5), side="belly", rays=18, sweep=0.5),
    ),
    pectoral=PairedFin(26, -0.72, -16, Fan(14, 3.4, fork=-0.1, rounded=0.3, rays=11)),
    pelvic=PairedFin(46, -0.94, -30, Fan(10, 3.2, rounded=0.3, rays=8)),
    barbels=(Barbel(60.0, 1.0, 20.0, 4.0, -0.16, 0.6),),
    seen="an upturned mouth and very large scales",
)

TENPOUNDER = Species(
    name="Tenpounder",
    profile=Profile(
        back=(1.1, 2.6, 4.3, 5.6, 7.2, 8.2, 8.0, 6.8, 4.8, 3.6, 3.9),
        belly=(1.4, 3.4, 5.1, 6.4, 7.8, 8.6, 8.4, 7.0, 4.8, 3.5, 3.8),
        flatness=2.3,
    ),
    head=Head(
        eye_x=9.2,
        eye_y=0.28,
        eye=2.3,
        mouth_y=0.1,
        mouth=10.5,
        mouth_slope=-0.26,
        gill=25.0,
        lips=0.3,
    ),
    skin=Skin(scale=1.5, edges=0.24, silver=0.6, gloss=0.5, lateral_line=0.3),
    palettes=(
        Palette("#4a6064", "#a9b7b8", "#e8edec", "#7d8880", "#cccab0"),
        Palette("#566450", "#b0b7a6", "#e9ebe2", "#868a70", "#cac69c", weight=0.6),
    ),
    tail=Fan(length=25, spread=16, fork=0.62),
    fins=(
        MedianFin(47, 59, (10.5, 8, 5, 3.5), rays=13, sweep=0.65),
        MedianFin(78, 88, (6, 4.5, 3, 2), side="belly", rays=11, sweep=0.5),
    ),
    pectoral=PairedFin(26, -0.72, -14, Fan(11, 2.8, fork=-0.1, rounded=0.3, rays=10)),
    pelvic=PairedFin(50, -0.94, -26, Fan(8, 2.6, rounded=0.3, rays=8)),
    seen="a slim body and a wide mouth",
    size=0.62,
)

FOURFINGER_THREADFIN = Species(
    name="Fourfinger Threadfin",
    profile=Profile(
        back=(3.0, 5.8, 7.7, 9.4, 11.6, 12.8, 12.0, 9.8, 7.2, 5.6, 6.0),
        belly=(2.1, 4.1, 7.1, 9.2, 11.2, 12.0, 11.6, 9.4, 6.8, 5.2, 5.6),
    ),
    head=Head(
        eye_x=6.8, eye_y=0.22, eye=2.5, mouth_y=-0.75, mouth=9.5, mouth_slope=-0.05, gill=25.0
    ),
    skin=Skin(scale=2.0, edges=0.26, silver=0.45, gloss=0.45, lateral_line=0.4),
    palettes=(
        Palette("#5b6660", "#aeb5ac", "#e6e5da", "#a99a58", "#c9b56a"),
        Palette("#5f6454", "#b2b29a", "#e8e2cc", "#b09042", "#c7ac58", weight=0.6),
    ),
    tail=Fan(length=29, spread=20, fork=0.58),
    fins=(
        MedianFin(32, 45, (14, 13, 9, 3), spiny=1.0, rays=8, sweep=0.35),
        MedianFin(60, 78, (15, 10, 7, 5), rays=14, sweep=0.55),
        MedianFin(61, 79, (13, 9, 6, 4.5), side="belly", rays=15, sweep=0.55),
    ),
    pectoral=PairedFin(26, -0.66, -20, Fan(18, 4.4, fork=-0.15, rounded=0.3, rays=12)),
    pelvic=PairedFin(36, -0.94, -34, Fan(9, 3, rounded=0.3, rays=6)),
    barbels=tuple(
        Barbel(25.0 + 0.6 * i, -0.92, dx, dy, 0.14, 0.42, "#cdbb86")
        for i, (dx, dy) in enumerate(((6.0, -14.0), (11.0, -14.0), (16.0, -12.5), (20.0, -10.0)))
    ),
    seen="four long threads under the gill",
)

PANGASIUS = Species(
    name="Pangasius",
    profile=Profile(
        back=(2.2, 4.3, 6.0, 8.0, 11.2, 12.8, 11.6, 9.0, 6.0, 4.2, 4.6),
        belly=(2.7, 5.3, 7.9, 10.4, 13.0, 13.8, 12.4, 9.4, 6.0, 4.0, 4.4),
    ),
    head=Head(
        eye_x=9.5,
        eye_y=-0.22,
        eye=2.0,
        mouth_y=-0.35,
        mouth=4.6,
        mouth_slope=0.1,
        gill=22.0,
        lips=0.4,
    ),
    skin=Skin(scale=0.0, silver=0.4, gloss=0.65, lateral_line=0.45),
    palettes=(
        Palette("#39434d", "#8f989c", "#e4e4e0", "#59626a", "#b8ae8c"),
        Palette("#474a4c", "#9c9d9a", "#e6e3dc", "#66666a", "#b8a884", weight=0.6),
    ),
    tail=Fan(length=25, spread=17, fork=0.54),
    fins=(
        MedianFin(31, 40, (17, 13, 8, 5), spiny=0.2, rays=7, sweep=0.55),
        MedianFin(78, 82, (3, 5, 5.5, 4), rays=1, sweep=0.7),
        MedianFin(56, 87, (9, 8.5, 7, 5.5, 4), side="belly", rays=26, sweep=0.45),
    ),
    pectoral=PairedFin(22, -0.72, -18, Fan(16, 4, fork=-0.15, rounded=0.3, rays=11)),
    pelvic=PairedFin(46, -0.94, -34, Fan(9, 3.6, rounded=0.4, rays=7)),
    marks=(Stripes(count=1, top=0.3, bottom=-0.1, start=18, colour="#4d5a62", strength=0.3),),
    barbels=(
        Barbel(2.4, -0.2, 8.0, -6.0, 0.2, 0.45),
        Barbel(2.6, -0.8, 5.0, -5.0, 0.15, 0.4),
    ),
    seen="smooth skin and a small fleshy fin before the tail",
)

SWIMMERS = (
    BANGUS,
    FOURFINGER_THREADFIN,
    INDO_PACIFIC_TARPON,
    MULLET,
    PANGASIUS,
    TENPOUNDER,
)
