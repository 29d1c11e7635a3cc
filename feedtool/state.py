"""The text of `feedtool.state` in, what a site remembers out, and back: the one file of memory that git tracks.

One JSON object a line, sorted, so that two branches merge line by line. What is in it can't be told from the articles:
when a published article was deleted, what a source's server said last.
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
    """Return what the text remembers; lines that make no sense (a merge's marks, say) are passed over."""
    return {(kind, key): facts for kind, key, facts in records(text)}


def records(text: str) -> Iterator[tuple[str, str, Facts]]:
    """Yield kind, key and facts of each record of a state's text, one after the other."""
    if not text:
        return
    import json  # most sites have buried nothing, and need none of it

    # Not splitlines: U+2028 and its like stand in keys as they are, and end no line.
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
    """Return the text of a state; equal states give equal texts."""
    return "".join(dump_line(kind, key, state[kind, key]) for kind, key in sorted(state))


def dump_line(kind: str, key: str, facts: Facts) -> str:
    """Return the line of one record."""
    return _encoder().encode({"kind": kind, "key": key, **dict(sorted(facts.items()))}) + "\n"


@cache
def _encoder() -> json.JSONEncoder:
    import json

    return json.JSONEncoder(ensure_ascii=False)
