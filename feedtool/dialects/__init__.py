"""Load the rules of a site's generator from its own settings files.

`load` reads files below the generator's folder and records them as inputs (`feedtool.inputs`): the rules are valid as long as
these files do not change.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from feedtool.articles.dialect import PLAIN, Dialect
from feedtool.inputs import Files, Inputs, Row, current

NAMES = ("hexo", "jekyll", "hugo", "pelican")
"""Generators with rules in feedtool, each in the module of its name."""
Remembered = tuple[str, str, tuple[Row, ...], dict[str, Any]]
"""A generator's name, the articles folder below its own, the inputs, and the fields of the rules as plain values."""


def load(name: str, articles: str, files: Files, remembered: Remembered | None = None) -> tuple[Dialect, Remembered]:
    """Return the rules of a generator, and the same in a form from which the next build can restore them.

    `articles` is the path of the articles folder below the generator's folder, "" for that folder itself. `remembered` is that
    form from the last build; it is used if none of the files changed.
    """
    if name not in NAMES:
        return PLAIN, (name, articles, (), {})
    dialect_class: type[Dialect] = import_module(f"feedtool.dialects.{name}").RULES
    if remembered is not None and remembered[:2] == (name, articles):
        rows = current(remembered[2], files, {})
        if rows is not None:
            return dialect_class(**remembered[3]), (name, articles, rows, remembered[3])
    inputs = Inputs(files)
    rules = import_module(f"feedtool.dialects.{name}").load(inputs.read, articles)
    fields = {key: value for key, value in rules.__getstate__().items() if key != "folder_values"}
    return rules, (name, articles, inputs.rows(), fields)


def settings_files(name: str) -> tuple[str, ...]:
    """Return the names of a generator's settings files, the most common first."""
    return tuple(import_module(f"feedtool.dialects.{name}").FILES) if name in NAMES else ()


__all__ = ["NAMES", "Remembered", "load", "settings_files"]
