"""Write a front matter key and its value as lines of YAML or TOML."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from feedtool.articles.fields import PUBLISHED, UPDATED
from feedtool.articles.provenance import WrittenValue
from feedtool.articles.yaml import YamlError
from feedtool.articles.yaml_fast import normal
from feedtool.articles.yaml_loader import load_fully

Plain = str | Sequence[str] | bool
"""A value that is a text, a list of texts, or true or false."""

# Texts that every YAML parser reads as text, up to their last character.
_BARE = re.compile(r"[^\W\d_](?:[\w ./()+，。、：；！？（）《》“”’－—-]*[^\W_]|[)）》”])?")
_ISO_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)", re.ASCII)
_YAML_WORDS = frozenset(["true", "false", "yes", "no", "on", "off", "y", "n", "null", "nan", "inf"])


def yaml_lines(key: str, value: Plain, newline: str) -> str:
    """Return a key's lines of YAML; a list has one item a line."""
    if isinstance(value, bool):
        return f"{key}: {'true' if value else 'false'}{newline}"
    if isinstance(value, str):
        return f"{key}: {value if is_clock_time(key, value) else quoted(value)}{newline}"
    items = "".join(f" - {quoted(item)}{newline}" for item in value)
    # An empty list must stay a list: without `[]` the value would be null.
    return f"{key}:{newline}{items}" if items else f"{key}: []{newline}"


_CLOCK_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII)


def is_clock_time(key: str, value: object) -> bool:
    """Return True if the value of a date key is a date and time without a zone: it stays unquoted, as Hexo writes it."""
    return normal(key) in PUBLISHED + UPDATED and isinstance(value, str) and _CLOCK_TIME.fullmatch(value) is not None


def quoted(text: str) -> str:
    """Return a one-line YAML scalar that YAML 1.1 and 1.2 read back as `text`: unquoted if that is safe, else quoted.

    The exception is an ISO 8601 moment with an offset: it is unquoted, and YAML 1.1 reads it as a timestamp. Lone surrogates
    become question marks, because no file can contain them.
    """
    if (_BARE.fullmatch(text) and text.lower() not in _YAML_WORDS) or (
        _ISO_MOMENT.fullmatch(text) and _is_moment(text)
    ):
        return text
    single_quoted = "'" + text.replace("'", "''") + "'"
    if text.isprintable():
        return single_quoted
    if not re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]", text):
        try:
            if load_fully(f"a: {single_quoted}").values == {"a": text}:
                return single_quoted
        except YamlError:
            pass
    import yaml

    encodable = text.encode("utf-8", "replace").decode()
    # Without so large a width, PyYAML would fold long texts.
    return str(yaml.dump(encodable, default_style='"', allow_unicode=True, width=2**31)).removesuffix("\n")


def _is_moment(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def toml_line(key: str, value: Plain, *, bare: bool) -> str:
    """Return a line of TOML; with `bare`, a moment is written as a TOML date-time instead of a string."""
    if isinstance(value, bool):
        return f"{key} = {'true' if value else 'false'}\n"
    if isinstance(value, str):
        return f"{key} = {value if bare and _ISO_MOMENT.fullmatch(value) else _toml_text(value)}\n"
    return f"{key} = [{', '.join(map(_toml_text, value))}]\n"


def _toml_text(text: str) -> str:
    encodable = text.encode("utf-8", "replace").decode()
    return json.dumps(encodable, ensure_ascii=False).replace("\x7f", "\\u007f")


_ALWAYS_QUOTED = frozenset(("title", "headimg", "thumbnail"))
_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]+")
# Begins with a letter and has no character with a meaning in YAML; or is an ISO 8601 moment.
_BARE_OR_MOMENT = re.compile(
    r"[^\W\d_](?:[\w ./()+，。、：；！？（）《》“”’－—-]*[^\W_]|[)）》”])?|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)"
)


def nested_yaml_lines(key: str, value: WrittenValue) -> str:
    """Return a key's lines of YAML, also for mappings and for lists of mappings."""
    if isinstance(value, bool):
        return f"{key}: {'true' if value else 'false'}\n"
    if isinstance(value, str):
        return f"{key}: {value if is_clock_time(key, value) else _single_quoted(value, always=key in _ALWAYS_QUOTED)}\n"
    if isinstance(value, Mapping):
        return f"{key}:\n" + "".join(f"  {name}: {_single_quoted(part)}\n" for name, part in value.items())
    lines = [f"{key}:\n"]
    for item in value:
        if isinstance(item, Mapping):
            parts = [f"{name}: {_single_quoted(part)}\n" for name, part in item.items()]
            lines.append(" - " + "   ".join(parts))
        else:
            lines.append(f" - {_single_quoted(item)}\n")
    return "".join(lines)


def _single_quoted(text: str, *, always: bool = False) -> str:
    """Return a one-line YAML scalar in single quotes; unquoted if that is safe and `always` is false."""
    # Printable text is safe in single quotes in every YAML version. `quoted` proves that by parsing, which takes 50 us.
    if text.isprintable():
        bare = not always and _BARE_OR_MOMENT.fullmatch(text) and text.lower() not in _YAML_WORDS
        return text if bare else "'" + text.replace("'", "''") + "'"
    # Line ends and characters that YAML forbids become a space.
    return quoted(_FORBIDDEN.sub(" ", text).strip())
