"""Load the cases of `tests/render_cases`: feeds and entries in JSON."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from feedtool.feeds.formats import atom
from feedtool.models import Author, Category, Enclosure, Entry, Feed, Source, Tombstone

CASES = Path(__file__).resolve().parents[1] / "render_cases"


NAMES = sorted(path.parent.name for path in CASES.glob("*/case.json"))


MANY = {"authors": Author, "categories": Category, "enclosures": Enclosure, "tombstones": Tombstone}


ONE = {"category": Category, "source": Source}


DATES = ("published", "updated", "when")


def model_of(kind: Any, facts: dict[str, Any]) -> Any:
    """Return the model of `feedtool.models` that `facts` describe in JSON."""
    values = {}
    for name, value in facts.items():
        if name in MANY:
            values[name] = tuple(model_of(MANY[name], one) for one in value)
        elif name in ONE:
            values[name] = model_of(ONE[name], value)
        else:
            values[name] = datetime.fromisoformat(value) if name in DATES else value
    return kind(**values)


def read_case(name: str) -> tuple[Feed, list[Entry], atom.Kind]:
    """Return the feed, the entries and the kind of document of one case."""
    case = json.loads((CASES / name / "case.json").read_text(encoding="utf-8"))
    return model_of(Feed, case["feed"]), [model_of(Entry, entry) for entry in case["entries"]], case["kind"]
