"""Read and write `feedtool.state`, the only record of a site's past that git tracks.

It has one JSON object a line, sorted, so that two branches merge line by line. It contains what the articles do not show: when a
published article was deleted, and the last response of a source's server. Its first line has the version of the format; records
and facts that this version of feedtool does not know are kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

from feedtool.errors import refuse_newer_format

if TYPE_CHECKING:
    import json

FILE = "feedtool.state"
Facts = dict[str, Any]
State = dict[tuple[str, str], Facts]
"""Facts by kind ("tombstone", "source") and by key (an id, a source's name)."""
VERSION = 1
"""The version of the format; a file without one has version 1. A program refuses a higher one than its own."""
VERSION_RECORD = ("feedtool", "state")
"""Kind and key of the record with the version."""


def parse_state(text: str) -> State:
    """Return the records of a state file's text; invalid lines, such as conflict markers, are skipped."""
    return {(kind, key): facts for kind, key, facts in records(text)}


def records(text: str, where: str = FILE) -> Iterator[tuple[str, str, Facts]]:
    """Yield kind, key and facts of each record in a state file's text, except the one with the version.

    Raise OutputError if a newer feedtool wrote the text in a format that this one does not know; `where` is its path in the
    message.
    """
    if not text:
        return
    import json  # most sites have an empty state and do not need it

    # Not splitlines: keys may contain U+2028 and the like unescaped, which do not end a line.
    for line in text.split("\n"):
        try:
            facts = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(facts, dict):
            kind, key = facts.pop("kind", None), facts.pop("key", None)
            if (kind, key) == VERSION_RECORD:
                hint = "update feedtool; this version would lose what the newer one remembers"
                if isinstance(version := facts.get("version"), int):
                    refuse_newer_format(version, VERSION, where=where, hint=hint)
            elif isinstance(kind, str) and isinstance(key, str):
                yield kind, key, facts


def dump_state(state: State) -> str:
    """Return the text of a state file; equal states give equal texts."""
    return joined([dump_line(kind, key, state[kind, key]) for kind, key in sorted(state)])


def joined(lines: list[str]) -> str:
    """Return the text of a state file with these lines of records, each made by `dump_line`; "" if there are none."""
    return "".join([dump_line(*VERSION_RECORD, {"version": VERSION}), *lines]) if lines else ""


def dump_line(kind: str, key: str, facts: Facts) -> str:
    """Return the line of one record."""
    return _encoder().encode({"kind": kind, "key": key, **dict(sorted(facts.items()))}) + "\n"


@cache
def _encoder() -> json.JSONEncoder:
    import json

    return json.JSONEncoder(ensure_ascii=False)
