"""Load the rules of a site's generator from its own settings files.

`load` takes a function `read` that returns the bytes of a file below the generator's folder. It records the files that it read
(`Inputs`): the rules are valid as long as these files do not change.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from feedtool.articles.dialect import PLAIN, Dialect
from feedtool.digests import blake2b

NAMES = ("hexo", "jekyll", "hugo", "pelican")
"""Generators with rules in feedtool, each in the module of its name."""
Inputs = tuple[tuple[str, bytes], ...]
"""The files that rules were made from: path and digest of the content, b"" for a file that does not exist."""
Remembered = tuple[str, str, Inputs, dict[str, Any]]
"""A generator's name, the articles folder below its own, the files read, and the fields of the rules as plain values."""
Read = Callable[[str], bytes | None]


def load(name: str, articles: str, read: Read, remembered: Remembered | None = None) -> tuple[Dialect, Remembered]:
    """Return the rules of a generator, and the same in a form from which the next build can restore them.

    `articles` is the path of the articles folder below the generator's folder, "" for that folder itself. `remembered` is that
    form from the last build; it is used if none of the files changed.
    """
    if name not in NAMES:
        return PLAIN, (name, articles, (), {})
    dialect_class: type[Dialect] = import_module(f"feedtool.dialects.{name}").RULES
    if remembered is not None and remembered[:2] == (name, articles):
        inputs = remembered[2]
        if all(_digest(read, path) == digest for path, digest in inputs):
            return dialect_class(**remembered[3]), remembered
    digests: dict[str, bytes] = {}

    def recording_read(path: str) -> bytes | None:
        data = read(path)
        digests[path] = blake2b(data, digest_size=16).digest() if data is not None else b""
        return data

    rules = import_module(f"feedtool.dialects.{name}").load(recording_read, articles)
    fields = {key: value for key, value in rules.__getstate__().items() if key != "folder_values"}
    return rules, (name, articles, tuple(sorted(digests.items())), fields)


def settings_files(name: str) -> tuple[str, ...]:
    """Return the names of a generator's settings files, the most common first."""
    return tuple(import_module(f"feedtool.dialects.{name}").FILES) if name in NAMES else ()


def _digest(read: Read, path: str) -> bytes:
    try:
        data = read(path)
    except OSError:
        return b"?"
    return blake2b(data, digest_size=16).digest() if data is not None else b""


__all__ = ["NAMES", "Inputs", "Remembered", "load", "settings_files"]
