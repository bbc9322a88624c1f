"""Text features of the classes, so that zero-shot scoring needs no encoder afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fishembed.cache import TextFeatures
from fishembed.encoders import PROMPT_SETS, PromptSet, encode_prompts, load_prompts, spoken_name
from fishembed.extraction.encoder_loader import EncoderLoader


def load_prompt_sets(names: Sequence[str], before: Mapping[str, TextFeatures]) -> list[PromptSet]:
    """Return the prompt sets asked for, and those that the store has already."""
    wanted = {key: PromptSet(key, text.templates) for key, text in before.items()}
    for name in names:
        # OpenCLIP's own templates are only looked up where the store does not tell them.
        if name not in PROMPT_SETS or name not in wanted:
            prompts = load_prompts(name)
            wanted[prompts.key] = prompts
    return list(wanted.values())


def class_text_features(
    encoder: EncoderLoader,
    classes: Sequence[str],
    aliases: Mapping[str, str],
    prompts: Sequence[PromptSet],
    before: Mapping[str, TextFeatures],
) -> dict[str, TextFeatures]:
    """Return the text features of every prompt set, taking over what the store has.

    Parameters
    ----------
    classes
        Names of the classes, in the order that labels count.
    aliases
        Better names, by class.
    prompts
        The prompt sets.
    before
        Text features of the store, by prompt set.
    """
    if not classes or not encoder.has_text:
        return {}
    names = tuple(aliases.get(name, spoken_name(name)) for name in classes)
    tower = encoder.text_fingerprint
    texts = {}
    for one in prompts:
        known = before.get(one.key)
        if known is not None and known.identity == (names, one.templates, tower):
            texts[one.key] = known
            continue
        loaded = encoder.load()
        features = encode_prompts(loaded, names, one)
        scale = loaded.logit_scale or 1.0
        texts[one.key] = TextFeatures(features, names, one.templates, scale, tower)
    return texts
