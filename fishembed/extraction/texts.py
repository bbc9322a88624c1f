"""Text vectors of the classes, so that zero-shot scoring needs no encoder afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fishembed.cache import FeatureStore, TextVectors
from fishembed.encoders import PromptSet, load_prompts, spoken_name, text_vectors
from fishembed.extraction.lazy import LazyEncoder


def wanted_prompts(names: Sequence[str], store: FeatureStore | None) -> list[PromptSet]:
    """Give the prompt sets asked for, and those that the store has already."""
    wanted = {prompts.key: prompts for prompts in map(load_prompts, names)}
    for key in store.text_keys if store is not None else ():
        if key not in wanted and store is not None:
            wanted[key] = PromptSet(key, store.text(key).templates)
    return list(wanted.values())


def class_texts(
    encoder: LazyEncoder,
    classes: Sequence[str],
    aliases: Mapping[str, str],
    prompts: Sequence[PromptSet],
    store: FeatureStore | None,
) -> dict[str, TextVectors]:
    """Give the text vectors of every prompt set, taking over what the store has.

    Parameters
    ----------
    classes
        Names of the classes, in the order that labels count.
    aliases
        Better names, by class.
    prompts
        The prompt sets.
    """
    if not classes or not encoder.has_text:
        return {}
    names = tuple(aliases.get(name, spoken_name(name)) for name in classes)
    texts = {}
    for one in prompts:
        known = store.text(one.key) if store is not None and one.key in store.text_keys else None
        if known is not None and (known.names, known.templates) == (names, one.templates):
            texts[one.key] = known
            continue
        loaded = encoder.load()
        vectors = text_vectors(loaded, names, one)
        texts[one.key] = TextVectors(vectors, names, one.templates, loaded.logit_scale or 1.0)
    return texts
