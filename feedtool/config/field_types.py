"""Define the types of settings: each reads values from TOML, variables and options, and has a JSON Schema.

A type returns an immutable value or raises `InvalidValueError`. The caller adds the key, the file and the line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from feedtool.config import validate
from feedtool.config.validate import InvalidValueError, did_you_mean
from feedtool.models import Author
from feedtool.registry import format_names

Check = Callable[[str], str]
Schema = dict[str, Any]

MAX_INTEGER = 2**31 - 1
UNITS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}
SIZE_PATTERN = r"^ *[0-9]{1,9}(\.[0-9]{1,9})? *(([KkMmGg][Ii]?)?[Bb])? *$"
_UNPRINTABLE = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]"
# Up to the last "@", because a text that is no valid address does not show where a password ends.
_USER = r"(?s)^\s*([A-Za-z][A-Za-z0-9+.-]*:[/\\]+).*@"
_UNPRINTABLE_OR_BREAK = r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]"


class FieldType:
    """Base class of the types. `described` completes "must be …"."""

    described = "a value"

    def read(self, value: object) -> Any:
        """Return the value that a setting stores."""
        raise NotImplementedError

    def from_text(self, text: str) -> object:
        """Convert the text of an environment variable into a value for `read`."""
        return text

    def schema(self) -> Schema:
        """Return the JSON Schema of the values that `read` accepts from a file."""
        raise NotImplementedError

    def mismatch(self, value: object, hint: str = "") -> InvalidValueError:
        return InvalidValueError(f"must be {self.described}, not {toml_repr(value)}", hint)


class Text(FieldType):
    """A string without characters that are illegal in XML.

    `required` forbids the empty string, `lines` allows line breaks.
    """

    described = "a string"

    def __init__(
        self, check: Check | None = None, *, pattern: str = "", required: bool = False, lines: bool = False
    ) -> None:
        self.check = check
        self.pattern = pattern
        self.required = required
        self.lines = lines

    def read(self, value: object) -> str:
        if not isinstance(value, str):
            raise self.mismatch(value, "put it in quotes" if isinstance(value, (int, float)) else "")
        if re.search(_UNPRINTABLE if self.lines else _UNPRINTABLE_OR_BREAK, value):
            characters = "control characters" if self.lines else "line breaks or control characters"
            raise InvalidValueError(f"must not contain {characters}", "remove them")
        text = value.strip()
        if self.required and not text:
            raise InvalidValueError("must not be empty")
        try:
            return self.check(text) if self.check and text else text
        except InvalidValueError as error:
            instead = f", not {toml_repr(value)}" if error.what.startswith("must be") else ""
            raise InvalidValueError(error.what + instead, error.hint) from None

    def schema(self) -> Schema:
        schema: Schema = {"type": "string"}
        if self.required:
            schema["minLength"] = 1
        if self.pattern:
            schema["pattern"] = self.pattern if self.required else f"^$|{self.pattern}"
        return schema


class Boolean(FieldType):
    """True or false."""

    described = "true or false"

    def read(self, value: object) -> bool:
        if not isinstance(value, bool):
            raise self.mismatch(value, _unquoted(self, value))
        return value

    def from_text(self, text: str) -> object:
        word = text.strip().lower()
        return True if word in ("true", "1", "yes", "on") else False if word in ("false", "0", "no", "off") else text

    def schema(self) -> Schema:
        return {"type": "boolean"}


class Integer(FieldType):
    """A whole number from `least` to `most`; true and false are not numbers."""

    def __init__(self, least: int = 0, most: int = MAX_INTEGER) -> None:
        self.least = least
        self.most = most
        self.described = (
            f"a whole number of {least} or more" if most == MAX_INTEGER else f"a whole number from {least} to {most}"
        )

    def read(self, value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.mismatch(value, _unquoted(self, value))
        if not self.least <= value <= self.most:
            raise self.mismatch(value)
        return int(value)

    def from_text(self, text: str) -> object:
        return int(text) if re.match(r"\s*-?[0-9]{1,18}\s*$", text) else text

    def schema(self) -> Schema:
        return {"type": "integer", "minimum": self.least, "maximum": self.most}


class Seconds(FieldType):
    """A time span in seconds, above 0 and at most an hour."""

    described = "a number of seconds above 0 and at most 3600"

    def read(self, value: object) -> float:
        if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 < value <= 3600:
            raise self.mismatch(value, _unquoted(self, value))
        return float(value)

    def from_text(self, text: str) -> object:
        return float(text) if re.match(r"\s*[0-9]{1,9}(\.[0-9]{1,9})?\s*$", text) else text

    def schema(self) -> Schema:
        return {"type": "number", "exclusiveMinimum": 0, "maximum": 3600}


class Size(FieldType):
    """A number of bytes: a whole number, or a string such as "2MB" (10^6 bytes) or "2MiB" (2^20 bytes)."""

    described = 'a number of bytes or a size such as "2MB"'

    def read(self, value: object) -> int:
        if isinstance(value, str) and re.match(SIZE_PATTERN, value):
            unit = value.strip().lstrip("0123456789.")
            value = int(float(value.strip().removesuffix(unit)) * UNITS[unit.strip().lower()])
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 2**63 - 1:
            raise self.mismatch(value)
        return value

    def schema(self) -> Schema:
        return {
            "anyOf": [
                {"type": "integer", "minimum": 0, "maximum": 2**63 - 1},
                {"type": "string", "pattern": SIZE_PATTERN},
            ]
        }


class Choice(FieldType):
    """One of a few words."""

    def __init__(self, *words: str) -> None:
        self.choices = words
        self.described = " or ".join(filter(None, [", ".join(f'"{word}"' for word in words[:-1]), f'"{words[-1]}"']))

    def read(self, value: object) -> str:
        if not isinstance(value, str) or value not in self.choices:
            near = did_you_mean(value, self.choices) if isinstance(value, str) else ""
            raise self.mismatch(value, f'did you mean "{near}"?' if near else "")
        return value

    def schema(self) -> Schema:
        return {"enum": list(self.choices)}


class FormatName(FieldType):
    """The name of an output format, including those that programs register."""

    def read(self, value: object) -> str:
        return Choice(*format_names()).read(value)

    def schema(self) -> Schema:
        return Choice(*format_names()).schema()


class Date(FieldType):
    """A calendar date, as a TOML date or as a string."""

    described = "a date"

    def read(self, value: object) -> str:
        if type(value).__name__ == "date":  # not isinstance: datetime is a subclass of date, and takes an import
            return str(value)
        if not isinstance(value, str):
            raise self.mismatch(value, "for example 2022-12-25")
        return Text(validate.date).read(value)

    def schema(self) -> Schema:
        return {"type": "string", "pattern": f"^$|{validate.DATE_PATTERN}"}


class ListOf(FieldType):
    """A list of values of one type, without duplicates, in the order written."""

    def __init__(self, item: FieldType, *, required: bool = False) -> None:
        self.item = item
        self.required = required
        self.described = "a list"

    def read(self, value: object) -> tuple[Any, ...]:
        if not isinstance(value, (list, tuple)):
            raise self.mismatch(value, f"write it as [{toml_repr(value)}]" if isinstance(value, str) else "")
        if self.required and not value:
            raise InvalidValueError("must not be empty")
        return tuple(dict.fromkeys(_item(self.item, item, number) for number, item in enumerate(value)))

    def from_text(self, text: str) -> object:
        return [self.item.from_text(part.strip()) for part in text.split(",") if part.strip()]

    def schema(self) -> Schema:
        schema: Schema = {"type": "array", "items": self.item.schema()}
        return schema | {"minItems": 1} if self.required else schema


class Person(FieldType):
    """An author: a name, or a table of name, email and uri (RFC 4287 section 3.2)."""

    described = "a name or a table with name, email and uri"
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
            raise self.mismatch(value)
        for key in value:
            if key not in self.keys:
                near = did_you_mean(key, self.keys)
                hint = f'did you mean "{near}"?' if near else f"the keys are {', '.join(self.keys)}"
                raise InvalidValueError(f"has an unknown key {toml_repr(key)}", hint, (key,))
        if "name" not in value:
            raise InvalidValueError('needs a "name"')
        texts: dict[str, Any] = {key: _item(self.keys[key], text, key) or None for key, text in value.items()}
        return Author(**texts)

    def schema(self) -> Schema:
        properties = {key: field_type.schema() for key, field_type in self.keys.items()}
        table = {"type": "object", "properties": properties, "required": ["name"], "additionalProperties": False}
        return {"anyOf": [{"type": "string"}, table]}


class Pairs(FieldType):
    """A table that maps names to strings or lists of strings; read as sorted pairs, one for each string."""

    def __init__(self, name: Text, value: FieldType, *, names: tuple[str, ...] = ()) -> None:
        self.name = name
        self.value = value
        self.names = names
        self.described = "a table"

    def read(self, value: object) -> tuple[tuple[str, str], ...]:
        if isinstance(value, str) and ":" in value:
            # This may be an HTTP header: do not repeat its value, which may be a secret.
            raise InvalidValueError(f"must be {self.described}, not a string")
        if not isinstance(value, dict):
            raise self.mismatch(value)
        pairs: set[tuple[str, str]] = set()
        for key, item in value.items():
            texts = _item(self.value, item, key)
            name = self._name(key)
            pairs.update((name, text) for text in (texts if isinstance(texts, tuple) else (texts,)))
        return tuple(sorted(pairs))

    def _name(self, key: str) -> str:
        if self.names and key not in self.names:
            near = did_you_mean(key, self.names)
            listed = ", ".join(self.names)
            raise InvalidValueError(
                f"has an unknown name {toml_repr(key)}",
                f'did you mean "{near}"?' if near else f"the names are {listed}",
                (key,),
            )
        try:
            return self.name.read(key)
        except InvalidValueError as error:
            raise InvalidValueError(error.what, error.hint, (key,)) from None

    def schema(self) -> Schema:
        if self.names:
            return {
                "type": "object",
                "properties": {name: self.value.schema() for name in self.names},
                "additionalProperties": False,
            }
        return {"type": "object", "propertyNames": self.name.schema(), "additionalProperties": self.value.schema()}


class Table(FieldType):
    """A table with the keys of a class of settings."""

    described = "a table"

    def __init__(self, settings: str) -> None:
        self.settings = settings


class TablesByName(Table):
    """A table of such tables, by their names."""


class ArrayOfTables(Table):
    """An array of such tables."""

    described = "an array of tables"


def toml_repr(value: object) -> str:
    """Return a value in TOML notation for messages, shortened, and without the password of an address."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        text = re.sub(_USER, r"\1…@", value)
        text = text if len(text) <= 60 else text[:59] + "…"
        return '"' + re.sub(_UNPRINTABLE_OR_BREAK, "\ufffd", text) + '"'
    if isinstance(value, (list, tuple)):
        return "a list"
    if isinstance(value, dict):
        return "a table"
    # Python refuses to print integers of more than 4,300 digits, which TOML can contain in hexadecimal.
    return str(value) if not isinstance(value, int) or abs(value) < 10**18 else "so large a number"


def _unquoted(field_type: FieldType, value: object) -> str:
    """Return the hint for a number or a boolean in quotes, "" for any other value."""
    return "write it without quotes" if isinstance(value, str) and field_type.from_text(value) != value else ""


def _item(field_type: FieldType, value: object, key: str | int) -> Any:
    """Read one value of a list or table; the error's message and path identify it."""
    try:
        return field_type.read(value)
    except InvalidValueError as error:
        item = f"item {key + 1}" if isinstance(key, int) else toml_repr(key)
        raise InvalidValueError(f"{item} {error.what}", error.hint, (key, *error.path)) from None
