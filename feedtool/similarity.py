"""Two titles or two texts in, how like they are out: by character n-grams, so that any script will do."""

from __future__ import annotations

import re
import unicodedata

TEXT = 2000
"""Characters of a text that are compared."""
LONG_TITLE = 200
"""Characters of a title that are compared."""
LIKE_TITLE = 0.5
UNLIKE_TITLE = 0.3
NEAR_TITLE = 0.8
NEAR_TEXT = 0.85
UNLIKE_TEXT = 0.3
"""Texts that share less of their 5-grams are about different things; any two texts in one language share 3-grams."""
SHORT = 40
"""A text with fewer n-grams says nothing unless it is wholly equal."""


def jaccard(one: str, other: str, *, size: int = 2) -> float:
    """Return how like two texts are, 0 to 1: the share of their character n-grams that both have (Jaccard)."""
    return _overlap(grams(one, size), grams(other, size))


def grams(text: str, size: int = 2) -> frozenset[str]:
    """Return a text's character n-grams, letters and digits only, case and width folded: fit for any script."""
    folded = unicodedata.normalize("NFKC", text[: TEXT * 2]).casefold()
    letters = "".join(character for character in folded if character.isalnum())[:TEXT]
    if len(letters) <= size:
        return frozenset([letters]) if letters else frozenset()
    return frozenset(letters[start : start + size] for start in range(len(letters) - size + 1))


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    if not one or not other:
        return 1.0 if one == other else 0.0
    both = len(one & other)
    return both / (len(one) + len(other) - both)


def plain_title(title: str) -> str:
    """Return a title's letters and digits, case and width folded."""
    folded = unicodedata.normalize("NFKC", title[:LONG_TITLE]).casefold()
    return "".join(character for character in folded if character.isalnum())


def digits(title: str) -> list[str]:
    """Return the numbers in a title."""
    return re.findall(r"\d+", unicodedata.normalize("NFKC", title[:LONG_TITLE]))


def similar_titles(one: str, other: str, least: float = LIKE_TITLE) -> bool:
    """Say whether two titles may be one article's: alike, and with the same numbers."""
    if one == other:
        return True
    one, other = one[:LONG_TITLE], other[:LONG_TITLE]
    return digits(one) == digits(other) and jaccard(one, other) >= least


def nearly_equal_titles(one: str, other: str) -> bool:
    """Say whether two titles differ by a few letters at most."""
    return similar_titles(one, other, NEAR_TITLE)


def unlike(one: str, other: str) -> bool:
    """Say whether two texts are about different things; the beginning of a text is not unlike the whole of it."""
    first, second = grams(one, 5), grams(other, 5)
    least = min(len(first), len(second))
    return bool(least) and len(first & second) < UNLIKE_TEXT * least


def similar_texts(one: str, other: str) -> bool:
    """Say whether two texts are one, a few words changed; short ones have to be equal."""
    first, second = grams(one, 3), grams(other, 3)
    if min(len(first), len(second)) < SHORT:
        return one.split() == other.split()
    return _overlap(first, second) >= NEAR_TEXT
