"""The kinds of values settings have: each reads what TOML, a variable or an option gave, and describes itself.

A kind returns a frozen value or raises `RefusedError`; it knows no key, no file and no line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from feedtool.config import validate
from feedtool.config.validate import RefusedError, did_you_mean
from feedtool.models import Author

Check = Callable[[str], str]
Schema = dict[str, Any]

LARGEST = 2**31 - 1
UNITS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}
SIZE_PATTERN = r"^ *[0-9]{1,9}(\.[0-9]{1,9})? *(([KkMmGg][Ii]?)?[Bb])? *$"
_UNPRINTABLE = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]"
# To the last "@": where a password ends can't be told in what is no address.
_USER = r"(?s)^\s*([A-Za-z][A-Za-z0-9+.-]*:[/\\]+).*@"
_UNPRINTABLE_OR_BREAK = r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]"


class Kind:
    """A kind of value. `described` completes "must be …"."""

    described = "a value"

    def read(self, value: object) -> Any:
        """Return the value as a setting holds it."""
        raise NotImplementedError

    def from_text(self, text: str) -> object:
        """Return what `read` takes, from an environment variable's text."""
        return text

    def schema(self) -> Schema:
        """Return the JSON Schema of what `read` takes from a file."""
        raise NotImplementedError

    def wrong(self, value: object, hint: str = "") -> RefusedError:
        return RefusedError(f"must be {self.described}, not {shown(value)}", hint)


class Text(Kind):
    """A text without characters that are illegal in XML; `required` refuses the empty one, `lines` allows several."""

    described = "a text"

    def __init__(
        self, check: Check | None = None, *, pattern: str = "", required: bool = False, lines: bool = False
    ) -> None:
        self.check = check
        self.pattern = pattern
        self.required = required
        self.lines = lines

    def read(self, value: object) -> str:
        if not isinstance(value, str):
            raise self.wrong(value, "put it in quotes" if isinstance(value, (int, float)) else "")
        if re.search(_UNPRINTABLE if self.lines else _UNPRINTABLE_OR_BREAK, value):
            raise RefusedError(
                "must hold no control character" if self.lines else "must hold no line break or control character"
            )
        text = value.strip()
        if self.required and not text:
            raise RefusedError("must not be empty")
        try:
            return self.check(text) if self.check and text else text
        except RefusedError as refused:
            instead = f", not {shown(value)}" if refused.what.startswith("must be") else ""
            raise RefusedError(refused.what + instead, refused.hint) from None

    def schema(self) -> Schema:
        schema: Schema = {"type": "string"}
        if self.required:
            schema["minLength"] = 1
        if self.pattern:
            schema["pattern"] = self.pattern if self.required else f"^$|{self.pattern}"
        return schema


class Flag(Kind):
    """True or false."""

    described = "true or false"

    def read(self, value: object) -> bool:
        if not isinstance(value, bool):
            raise self.wrong(value, _unquoted(self, value))
        return value

    def from_text(self, text: str) -> object:
        word = text.strip().lower()
        return True if word in ("true", "1", "yes", "on") else False if word in ("false", "0", "no", "off") else text

    def schema(self) -> Schema:
        return {"type": "boolean"}


class Whole(Kind):
    """A whole number from `least` to `most`; true and false are none."""

    def __init__(self, least: int = 0, most: int = LARGEST) -> None:
        self.least = least
        self.most = most
        self.described = (
            f"a whole number of {least} or more" if most == LARGEST else f"a whole number from {least} to {most}"
        )

    def read(self, value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.wrong(value, _unquoted(self, value))
        if not self.least <= value <= self.most:
            raise self.wrong(value)
        return int(value)

    def from_text(self, text: str) -> object:
        return int(text) if re.match(r"\s*-?[0-9]{1,18}\s*$", text) else text

    def schema(self) -> Schema:
        return {"type": "integer", "minimum": self.least, "maximum": self.most}


class Seconds(Kind):
    """A time span in seconds, above 0 and at most an hour."""

    described = "a number of seconds above 0 and at most 3600"

    def read(self, value: object) -> float:
        if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 < value <= 3600:
            raise self.wrong(value, _unquoted(self, value))
        return float(value)

    def from_text(self, text: str) -> object:
        return float(text) if re.match(r"\s*[0-9]{1,9}(\.[0-9]{1,9})?\s*$", text) else text

    def schema(self) -> Schema:
        return {"type": "number", "exclusiveMinimum": 0, "maximum": 3600}


class Size(Kind):
    """A number of bytes: a whole number, or a text such as "2MB" (10^6 bytes) or "2MiB" (2^20 bytes)."""

    described = 'a number of bytes or a size such as "2MB"'

    def read(self, value: object) -> int:
        if isinstance(value, str) and re.match(SIZE_PATTERN, value):
            unit = value.strip().lstrip("0123456789.")
            value = int(float(value.strip().removesuffix(unit)) * UNITS[unit.strip().lower()])
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 2**63 - 1:
            raise self.wrong(value)
        return value

    def schema(self) -> Schema:
        return {
            "anyOf": [
                {"type": "integer", "minimum": 0, "maximum": 2**63 - 1},
                {"type": "string", "pattern": SIZE_PATTERN},
            ]
        }


class Choice(Kind):
    """One of a few words."""

    def __init__(self, *words: str) -> None:
        self.choices = words
        self.described = " or ".join(filter(None, [", ".join(f'"{word}"' for word in words[:-1]), f'"{words[-1]}"']))

    def read(self, value: object) -> str:
        if not isinstance(value, str) or value not in self.choices:
            near = did_you_mean(value, self.choices) if isinstance(value, str) else ""
            raise self.wrong(value, f'did you mean "{near}"?' if near else "")
        return value

    def schema(self) -> Schema:
        return {"enum": list(self.choices)}


class Day(Kind):
    """A calendar date, as TOML's own or as a text."""

    described = "a date"

    def read(self, value: object) -> str:
        if type(value).__name__ == "date":  # Not isinstance: a datetime is a date too, and datetime costs an import.
            return str(value)
        if not isinstance(value, str):
            raise self.wrong(value, "write it such as 2022-12-25")
        return Text(validate.date).read(value)

    def schema(self) -> Schema:
        return {"type": "string", "pattern": f"^$|{validate.DATE_PATTERN}"}


class Many(Kind):
    """A list of values of one kind, each kept once, in the order written."""

    def __init__(self, item: Kind, *, required: bool = False) -> None:
        self.item = item
        self.required = required
        self.described = "a list"

    def read(self, value: object) -> tuple[Any, ...]:
        if not isinstance(value, (list, tuple)):
            raise self.wrong(value, f"write it as [{shown(value)}]" if isinstance(value, str) else "")
        if self.required and not value:
            raise RefusedError("must not be empty")
        return tuple(dict.fromkeys(_item(self.item, item, number) for number, item in enumerate(value)))

    def from_text(self, text: str) -> object:
        return [self.item.from_text(part.strip()) for part in text.split(",") if part.strip()]

    def schema(self) -> Schema:
        schema: Schema = {"type": "array", "items": self.item.schema()}
        return schema | {"minItems": 1} if self.required else schema


class Person(Kind):
    """An author: a name, or a table of name, email and uri (RFC 4287 section 3.2)."""

    described = "a name or a table of name, email and uri"
    keys: Mapping[str, Text] = {
        "name": Text(required=True),
        "email": Text(validate.email, pattern=validate.EMAIL_PATTERN),
        "uri": Text(validate.url, pattern=validate.URL_PATTERN),
    }

    def read(self, value: object) -> Author | None:
        if isinstance(value, str):
            name = Text().read(value)
            return Author(name=name) if name else None
        if not isinstance(value, dict):
            raise self.wrong(value)
        for key in value:
            if key not in self.keys:
                near = did_you_mean(key, self.keys)
                raise RefusedError(f"knows no key {shown(key)}", f'did you mean "{near}"?' if near else "", (key,))
        if "name" not in value:
            raise RefusedError('needs a "name"')
        texts: dict[str, Any] = {key: _item(self.keys[key], text, key) or None for key, text in value.items()}
        return Author(**texts)

    def schema(self) -> Schema:
        properties = {key: kind.schema() for key, kind in self.keys.items()}
        table = {"type": "object", "properties": properties, "required": ["name"], "additionalProperties": False}
        return {"anyOf": [{"type": "string"}, table]}


class Pairs(Kind):
    """A table of names and texts, or of names and lists of texts: sorted pairs, one for every text."""

    def __init__(self, name: Text, value: Kind, *, names: tuple[str, ...] = ()) -> None:
        self.name = name
        self.value = value
        self.names = names
        self.described = "a table"

    def read(self, value: object) -> tuple[tuple[str, str], ...]:
        if isinstance(value, str) and ":" in value:
            raise RefusedError(f"must be {self.described}, not a text")  # a header, and its value is told to nobody
        if not isinstance(value, dict):
            raise self.wrong(value)
        pairs: set[tuple[str, str]] = set()
        for key, item in value.items():
            found = _item(self.value, item, key)
            name = self._name(key)
            pairs.update((name, text) for text in (found if isinstance(found, tuple) else (found,)))
        return tuple(sorted(pairs))

    def _name(self, key: str) -> str:
        if self.names and key not in self.names:
            near = did_you_mean(key, self.names)
            listed = ", ".join(self.names)
            raise RefusedError(
                f"knows no {shown(key)}", f'did you mean "{near}"?' if near else f"the names are {listed}", (key,)
            )
        try:
            return self.name.read(key)
        except RefusedError as refused:
            raise RefusedError(refused.what, refused.hint, (key,)) from None

    def schema(self) -> Schema:
        if self.names:
            return {
                "type": "object",
                "properties": {name: self.value.schema() for name in self.names},
                "additionalProperties": False,
            }
        return {"type": "object", "propertyNames": self.name.schema(), "additionalProperties": self.value.schema()}


class Table(Kind):
    """A table whose keys are the fields of a class of settings."""

    described = "a table"

    def __init__(self, settings: str) -> None:
        self.settings = settings


class Named(Table):
    """A table of such tables, by name."""


class Rows(Table):
    """An array of such tables."""

    described = "an array of tables"


def shown(value: object) -> str:
    """Return a value the way a person would write it in TOML, cut short, and without the password of an address."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        told = re.sub(_USER, r"\1…@", value)
        cut = told if len(told) <= 60 else told[:59] + "…"
        return '"' + re.sub(_UNPRINTABLE_OR_BREAK, "\ufffd", cut) + '"'
    if isinstance(value, (list, tuple)):
        return "a list"
    if isinstance(value, dict):
        return "a table"
    # Python refuses to print integers of more than 4,300 digits, and TOML can write them in hexadecimal.
    return str(value) if not isinstance(value, int) or abs(value) < 10**18 else "such a large number"


def _unquoted(kind: Kind, value: object) -> str:
    """Return the hint for a number, true or false written in quotes."""
    return "write it without quotes" if isinstance(value, str) and kind.from_text(value) != value else ""


def _item(kind: Kind, value: object, key: str | int) -> Any:
    """Read one value out of a list or table; say in the refusal which one it was."""
    try:
        return kind.read(value)
    except RefusedError as refused:
        place = f"item {key + 1}" if isinstance(key, int) else shown(key)
        raise RefusedError(f"{place} {refused.what}", refused.hint, (key, *refused.path)) from None
