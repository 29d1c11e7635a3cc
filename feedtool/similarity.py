"""Compare titles and texts by their character n-grams, which works for any script."""

from __future__ import annotations

import re
import unicodedata

TEXT_LENGTH = 2000
"""Most letters and digits of a text that are compared."""
TITLE_LENGTH = 200
"""Most characters of a title that are compared."""
SIMILAR_TITLE = 0.5
DIFFERENT_TITLE = 0.3
NEARLY_EQUAL_TITLE = 0.8
SIMILAR_TEXT = 0.85
DIFFERENT_TEXT = 0.3
"""Texts that share less of their 5-grams have different subjects. (Any two texts in one language share 3-grams.)"""
MINIMUM_GRAMS = 40
"""A text with fewer n-grams is too short to compare: it must be equal."""


def jaccard(one: str, other: str, *, size: int = 2) -> float:
    """Return the Jaccard similarity of two texts, 0 to 1: the share of their character n-grams that both have."""
    return _overlap(grams(one, size), grams(other, size))


def grams(text: str, size: int = 2) -> frozenset[str]:
    """Return the n-grams of a text's letters and digits, with case and width folded."""
    folded = unicodedata.normalize("NFKC", text[: TEXT_LENGTH * 2]).casefold()
    letters = "".join(character for character in folded if character.isalnum())[:TEXT_LENGTH]
    if len(letters) <= size:
        return frozenset([letters]) if letters else frozenset()
    return frozenset(letters[start : start + size] for start in range(len(letters) - size + 1))


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    if not one or not other:
        return 1.0 if one == other else 0.0
    both = len(one & other)
    return both / (len(one) + len(other) - both)


def plain_title(title: str) -> str:
    """Return a title's letters and digits, with case and width folded."""
    folded = unicodedata.normalize("NFKC", title[:TITLE_LENGTH]).casefold()
    return "".join(character for character in folded if character.isalnum())


def digits(title: str) -> list[str]:
    """Return the numbers in a title."""
    return re.findall(r"\d+", unicodedata.normalize("NFKC", title[:TITLE_LENGTH]))


def similar_titles(one: str, other: str, threshold: float = SIMILAR_TITLE) -> bool:
    """Return True if two titles may belong to one article: similar, and with the same numbers."""
    if one == other:
        return True
    one, other = one[:TITLE_LENGTH], other[:TITLE_LENGTH]
    return digits(one) == digits(other) and jaccard(one, other) >= threshold


def nearly_equal_titles(one: str, other: str) -> bool:
    """Return True if two titles differ in a few letters at most."""
    return similar_titles(one, other, NEARLY_EQUAL_TITLE)


def different_texts(one: str, other: str) -> bool:
    """Return True if two texts have different subjects; the beginning of a text does not differ from the whole."""
    first, second = grams(one, 5), grams(other, 5)
    least = min(len(first), len(second))
    return bool(least) and len(first & second) < DIFFERENT_TEXT * least


def similar_texts(one: str, other: str) -> bool:
    """Return True if two texts differ in a few words at most; short texts must be equal."""
    first, second = grams(one, 3), grams(other, 3)
    if min(len(first), len(second)) < MINIMUM_GRAMS:
        return one.split() == other.split()
    return _overlap(first, second) >= SIMILAR_TEXT
