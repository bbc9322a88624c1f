"""One sentence for each picture: the species, and what can be seen."""

from __future__ import annotations

from fishembed.demo.colour import name_of
from fishembed.demo.picture import Scene
from fishembed.demo.traits import Bars, Eyespots, Mark, Mottle, Spots, Stripes

_MARK_WORDS: dict[type, str] = {
    Bars: "dark bars",
    Stripes: "stripes along the flank",
    Spots: "dark spots",
    Mottle: "cloudy blotches",
}


def _article(word: str) -> str:
    return "an" if word[0] in "aeiou" else "a"


def _mark_words(mark: Mark) -> str:
    """Name a marking that is strong enough to be seen, or return nothing."""
    if isinstance(mark, Eyespots):
        if not mark.places:
            return ""
        return "a black spot" if len(mark.places) == 1 else "a few black spots"
    return _MARK_WORDS[type(mark)] if mark.strength > 0.25 else ""


def _colours(scene: Scene) -> str:
    """Name the colours of flank, back and belly where they differ."""
    flank, back = name_of(scene.fish.palette.flank), name_of(scene.fish.palette.back)
    belly = name_of(scene.fish.palette.belly)
    words = flank
    if back != flank:
        words += f" with {_article(back)} {back} back"
    if belly not in (flank, back):
        words += f"{' and' if back != flank else ' with'} {_article(belly)} {belly} belly"
    return words


def _pose(scene: Scene) -> str:
    side = "left" if scene.pose.faces_left else "right"
    if scene.setting.kind == "water":
        return f"swimming to the {side}"
    if scene.setting.kind == "deck":
        return f"lying with its head to the {side}"
    return f"drawn facing {side}"


def _quality(scene: Scene) -> str:
    if scene.camera.blur > 1.2:
        return ", out of focus"
    if scene.camera.exposure < 0.85:
        return ", dark"
    return ", overexposed" if scene.camera.exposure > 1.2 else ""


def caption(scene: Scene) -> str:
    """Describe a scene in one sentence.

    Parameters
    ----------
    scene
        What is painted.

    Returns
    -------
    str
        For example "a goby, yellow-brown with a cream belly, with cloudy blotches and eyes on top
        of a blunt head, swimming to the left in murky brown water, out of focus".
    """
    name = scene.species.name.lower()
    marks = [words for words in map(_mark_words, scene.fish.form.marks) if words]
    traits = [*marks[:1], scene.species.seen]
    link = ", " if " and " in scene.species.seen else " and "
    return (
        f"{_article(name)} {name}, {_colours(scene)}, with {link.join(traits)}, "
        f"{_pose(scene)} {scene.setting.words}{_quality(scene)}"
    )
