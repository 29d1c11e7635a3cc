"""Load the rules of the generator that also reads a site's articles, from its own settings files.

`load` is given `read`, which returns the bytes of a file below the generator's folder. What was read is recorded (`Inputs`):
the rules hold as long as these files are as they were.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from feedtool.articles.dialect import PLAIN, Dialect
from feedtool.digests import blake2b

NAMES = ("hexo", "jekyll", "hugo", "pelican")
"""Generators whose rules feedtool knows, each in the module of its name."""
Inputs = tuple[tuple[str, bytes], ...]
"""The files that rules were made from: path and digest of the contents, b"" where there is no such file."""
Remembered = tuple[str, str, Inputs, dict[str, Any]]
"""A generator's name, the articles folder below its own, what was read, and the fields of the rules: plain values."""
Read = Callable[[str], bytes | None]


def load(name: str, articles: str, read: Read, remembered: Remembered | None = None) -> tuple[Dialect, Remembered]:
    """Return the rules of a generator, and what the next build needs to have them without reading settings again.

    `articles` is the path of the articles folder below the generator's folder, "" for that folder itself. `remembered` is
    taken where every file is as it was.
    """
    if name not in NAMES:
        return PLAIN, (name, articles, (), {})
    made: type[Dialect] = import_module(f"feedtool.dialects.{name}").RULES
    if remembered is not None and remembered[:2] == (name, articles):
        inputs = remembered[2]
        if all(_digest(read, path) == digest for path, digest in inputs):
            return made(**remembered[3]), remembered
    met: dict[str, bytes] = {}

    def reading(path: str) -> bytes | None:
        data = read(path)
        met[path] = blake2b(data, digest_size=16).digest() if data is not None else b""
        return data

    rules = import_module(f"feedtool.dialects.{name}").load(reading, articles)
    fields = {key: value for key, value in rules.__getstate__().items() if key != "folder_values"}
    return rules, (name, articles, tuple(sorted(met.items())), fields)


def settings_files(name: str) -> tuple[str, ...]:
    """Return the settings files by which a generator's folder is known, the likeliest first."""
    return tuple(import_module(f"feedtool.dialects.{name}").FILES) if name in NAMES else ()


def _digest(read: Read, path: str) -> bytes:
    try:
        data = read(path)
    except OSError:
        return b"?"
    return blake2b(data, digest_size=16).digest() if data is not None else b""


__all__ = ["NAMES", "Inputs", "Remembered", "load", "settings_files"]
