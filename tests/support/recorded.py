"""Compare the results of functions with recorded results in `data/recorded/<name>.json`.

The test files contain the inputs. `pytest --accept` records the results again; read the diff before you commit it. The records
contain whole results, including messages.
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
    """A function and the arguments of its calls. The arguments of a row are its key in the record."""

    def __init__(self, function: Callable[..., Any], rows: Iterable[Any]) -> None:
        self.function = function
        self.rows = [row if isinstance(row, tuple) else (row,) for row in rows]

    def results(self) -> dict[str, Any]:
        """Return the result for each row, as values that JSON can contain."""
        return {", ".join(map(_short, row)): outcome(self.function, *row) for row in self.rows}


def outcome(function: Callable[..., Any], *arguments: Any) -> Any:
    """Return the result of a call, or the error that it raises with its message and attributes."""
    try:
        return plain(function(*arguments))
    except (FeedtoolError, ValueError, RecursionError) as error:
        attributes = {name: value for name, value in sorted(vars(error).items()) if name not in ("what", "args")}
        return {"error": type(error).__name__, "message": str(error), **plain(attributes)}


def plain(value: Any) -> Any:
    """Return a value as JSON can contain it. A long text becomes its start, its end and its digest."""
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
    """Compare the results of a table with the record of that name. If `accept` is true, write the record first."""
    path = FOLDER / f"{name}.json"
    results = json.loads(json.dumps(table.results()))
    if accept:
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = [f"{_written(row)}: {_written(result)}" for row, result in results.items()]
        path.write_text("{\n" + ",\n".join(rows) + "\n}\n", "utf-8")
    assert results == json.loads(path.read_text("utf-8"))


def _written(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return "".join(one if one.isprintable() else json.dumps(one)[1:-1] for one in text)


def _short(value: Any) -> str:
    return _cut(repr(value).encode("utf-8", "backslashreplace").decode(), 160)


def _cut(text: str, limit: int = 400) -> str:
    if len(text) <= limit:
        return text
    digest = blake2b(text.encode(), digest_size=4).hexdigest()
    return f"{text[:80]} … {text[-60:]} ({len(text)} characters, {digest})"
