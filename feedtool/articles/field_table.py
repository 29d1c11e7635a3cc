"""List the fields of front matter: their keys, how they are read, where they are published, and whether heads need them.

Everything that depends on which keys there are is derived from these rows. A program adds a field of its own:

    from feedtool.articles.field_table import Field, register_field
    register_field(Field("subtitle", ("subtitle",), kind="text", published=("json", "pages")))

It must do so before it reads settings, in each process that builds. Children that read articles are forked and inherit
what their parent has registered.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal, NamedTuple

from feedtool.articles.keys import HIDING

Kind = Literal["own", "text", "names"]
HeadUse = Literal["unused", "text", "list", "ordinary"]
Place = Literal["json", "pages"]


class Field(NamedTuple):
    """A field of front matter: its name and its keys in normal form, the first of which with a value counts.

    `kind` "text" is one line of text, "names" a list of names; they need no code of their own: `Article.more` and
    `Entry.more` hold them. A field of kind "own" is an attribute of Article, read by a method of `Fields` or by
    `article.py`. `published` are the places of a field in `more`: "json" is the object `_feedtool` of an item of JSON
    Feed, "pages" the variable `more` of page templates.

    `head` tells whether heads depend on the field: not at all; on one line of text or on a list, with the first of
    `head_keys` that front matter may have in a form of `similar_heads`; or in a way that only `read_head` knows.
    `stamp` is the place of the field's hash in the stamp of a file, None if no source writes it; a new one takes the next.
    """

    name: str
    keys: tuple[str, ...]
    kind: Kind = "own"
    published: tuple[Place, ...] = ()
    head: HeadUse = "unused"
    head_keys: tuple[str, ...] = ()
    stamp: int | None = None


FIELDS: list[Field] = [
    Field("title", ("title",), head="text", head_keys=("title",), stamp=0),
    Field("date", ("date", "published", "pubdate", "publishdate", "created"), head="text", head_keys=("date",), stamp=3),
    Field("updated", ("updated", "lastmod", "last_modified_at", "modified"), head="text",
          head_keys=("updated", "lastmod"), stamp=6),
    Field("categories", ("categories", "category"), head="list", head_keys=("categories",), stamp=1),
    Field("tags", ("tags", "tag"), head="list", head_keys=("tags",), stamp=10),
    Field("author", ("author", "authors"), head="list", head_keys=("author",), stamp=2),
    Field("thumbnail", ("thumbnail", "headimg", "cover", "image", "images"), stamp=4),
    Field("link", ("link", "original_url", "source_url", "permalink"), head="text", head_keys=("link",), stamp=5),
    Field("id", ("id", "guid", "uuid"), head="text", head_keys=("id", "guid", "uuid")),
    Field("summary", ("summary", "description", "excerpt"), stamp=8),
    Field("enclosures", ("enclosures", "enclosure", "audio"), stamp=9),
    Field("duration", ("duration",)),
    Field("draft", ("draft",), head="ordinary"),
    Field("language", ("lang", "language"), stamp=7),
    Field("rights", ("copyright", "rights"), stamp=11),
    Field("source", ("source",), head="ordinary"),
]  # fmt: skip
"""The fields. Their order matters only among those that heads need."""
FIELD_OF_KEY: dict[str, Field] = {key: field for field in FIELDS for key in field.keys}
FIRST_KEYS: set[str] = set(FIELD_OF_KEY)
"""Keys that may begin front matter without an opening fence. Others, such as `status`, also begin ordinary texts."""
KNOWN_KEYS: set[str] = FIRST_KEYS | HIDING
_OWN = len(FIELDS)


def register_field(new: Field) -> None:
    """Add a field of kind "text" or "names", which no head needs; raise ValueError if a key has a meaning already."""
    if new.kind == "own" or new.head != "unused" or new.stamp is not None or not new.keys:
        raise ValueError(f"the field {new.name} needs code of its own: add it to feedtool/articles/field_table.py")
    if any(new.name == field.name for field in FIELDS):
        raise ValueError(f'there is a field "{new.name}" already')
    for key in (new.name, *new.keys):
        if key in KNOWN_KEYS or not re.fullmatch(r"[a-z][a-z0-9_]*", key):
            raise ValueError(f'"{key}" cannot be a name or key: use a-z, 0-9 and _, and no key with a meaning')
    FIELDS.append(new)
    FIELD_OF_KEY.update(dict.fromkeys(new.keys, new))
    FIRST_KEYS.update(new.keys)
    KNOWN_KEYS.update(new.keys)


def unregister_field(name: str) -> None:
    """Remove a field that `register_field` added; raise KeyError if there is none."""
    for field in registered_fields():
        if field.name == name:
            FIELDS.remove(field)
            for key in field.keys:
                del FIELD_OF_KEY[key]
            FIRST_KEYS.difference_update(field.keys)
            KNOWN_KEYS.difference_update(field.keys)
            return
    raise KeyError(name)


def registered_fields() -> list[Field]:
    """Return the fields that `register_field` added, which no digest of feedtool's own code covers."""
    return FIELDS[_OWN:]


def keys_of(name: str) -> tuple[str, ...]:
    """Return the keys of a field, in order of precedence."""
    return next(field.keys for field in FIELDS if field.name == name)


def is_used_in_heads(key: str) -> bool:
    """Return True if a head may depend on a key in normal form."""
    field = FIELD_OF_KEY.get(key)
    return key in HIDING or (field is not None and field.head != "unused")


def names_in_heads(use: HeadUse) -> tuple[str, ...]:
    """Return the names of the fields that heads use in this way, in the order of the table."""
    return tuple(field.name for field in FIELDS if field.head == use)


def published_in(place: Place, more: Iterable[tuple[str, str | tuple[str, ...]]]) -> dict[str, str | list[str]]:
    """Return those of an entry's further values that are published in a place, by name."""
    values = dict(more)
    names = {field.name for field in registered_fields() if place in field.published} if values else set()
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items() if name in names}


__all__ = ["Field", "published_in", "register_field", "registered_fields", "unregister_field"]
