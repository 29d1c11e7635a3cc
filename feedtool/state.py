"""Read and write `feedtool.state`, the only record of a site's past that git tracks.

It has one JSON object a line, sorted, so that two branches merge line by line. It contains what the articles do not show: when a
published article was deleted, and the last response of a source's server.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import json

FILE = "feedtool.state"
Facts = dict[str, Any]
State = dict[tuple[str, str], Facts]
"""Facts by kind ("tombstone", "source") and by key (an id, a source's name)."""


def parse_state(text: str) -> State:
    """Return the records of a state file's text; invalid lines, such as conflict markers, are skipped."""
    return {(kind, key): facts for kind, key, facts in records(text)}


def records(text: str) -> Iterator[tuple[str, str, Facts]]:
    """Yield kind, key and facts of each record in a state file's text."""
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
            if isinstance(kind, str) and isinstance(key, str):
                yield kind, key, facts


def dump_state(state: State) -> str:
    """Return the text of a state file; equal states give equal texts."""
    return "".join(dump_line(kind, key, state[kind, key]) for kind, key in sorted(state))


def dump_line(kind: str, key: str, facts: Facts) -> str:
    """Return the line of one record."""
    return _encoder().encode({"kind": kind, "key": key, **dict(sorted(facts.items()))}) + "\n"


@cache
def _encoder() -> json.JSONEncoder:
    import json

    return json.JSONEncoder(ensure_ascii=False)
