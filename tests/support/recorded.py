"""Tables of inputs and whole results: the inputs stand in a test file, the results in `data/recorded/<name>.json`.

`pytest --accept` writes the results anew; then read the diff. A message is pinned there once, with all that a result holds.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any

from feedtool.errors import FeedtoolError

FOLDER = Path(__file__).resolve().parents[1] / "data" / "recorded"


class Table:
    """One function and the arguments it is called with; a row is known by its arguments."""

    def __init__(self, function: Callable[..., Any], rows: Iterable[Any]) -> None:
        self.function = function
        self.rows = [row if isinstance(row, tuple) else (row,) for row in rows]

    def results(self) -> dict[str, Any]:
        """Return what the function makes of each row, in a form that JSON holds."""
        return {", ".join(map(_short, row)): outcome(self.function, *row) for row in self.rows}


def outcome(function: Callable[..., Any], *arguments: Any) -> Any:
    """Return the result of a call, or the error it raises with all its words."""
    try:
        return plain(function(*arguments))
    except (FeedtoolError, ValueError, RecursionError) as error:
        more = {name: value for name, value in sorted(vars(error).items()) if name not in ("what", "args")}
        return {"error": type(error).__name__, "message": str(error), **plain(more)}


def plain(value: Any) -> Any:
    """Return a value in a form that JSON holds: a long text by its ends and its digest."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, str):
        return _cut(str(value).encode("utf-8", "backslashreplace").decode())
    if isinstance(value, bytes):
        return _cut(value.decode("latin-1"))
    if isinstance(value, datetime):
        return value.isoformat()
    if is_dataclass(value):
        return {one.name: plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(map(plain, value))
    return [plain(one) for one in value]


def check(name: str, table: Table, accept: bool) -> None:
    """Compare the results of a table with those that are recorded under its name, or record them."""
    path = FOLDER / f"{name}.json"
    found = json.loads(json.dumps(table.results()))
    if accept:
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = [f"{_written(row)}: {_written(result)}" for row, result in found.items()]
        path.write_text("{\n" + ",\n".join(rows) + "\n}\n", "utf-8")
    assert found == json.loads(path.read_text("utf-8"))


def _written(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return "".join(one if one.isprintable() else json.dumps(one)[1:-1] for one in text)


def _short(value: Any) -> str:
    return _cut(repr(value).encode("utf-8", "backslashreplace").decode(), 160)


def _cut(text: str, most: int = 400) -> str:
    if len(text) <= most:
        return text
    digest = blake2b(text.encode(), digest_size=4).hexdigest()
    return f"{text[:80]} … {text[-60:]} ({len(text)} characters, {digest})"
