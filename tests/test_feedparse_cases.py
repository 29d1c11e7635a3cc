"""Test whole feeds in `remote_cases/<name>/feed.*`, received as `meta.toml` says, against `expected.json`."""

from __future__ import annotations

import json
import tomllib
from dataclasses import fields, is_dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from feedtool.config import Html, SourceSettings
from feedtool.dates.parse import iso, load_zone
from feedtool.feedparse import CleanEntry, NotAFeedError, clean_entries, parse_feed
from feedtool.html import Policy, clean

CASES = Path(__file__).parent / "remote_cases"
NAMES = sorted(path.name for path in CASES.iterdir() if path.is_dir())


def _plain(value: Any) -> Any:
    """Return a value in the form of JSON, without empty values."""
    if isinstance(value, datetime):
        return iso(value)
    if is_dataclass(value):
        pairs = ((field.name, _plain(getattr(value, field.name))) for field in fields(value))
        return {name: part for name, part in pairs if part not in (None, "", [], {}) and name != "digest"}
    if isinstance(value, frozenset):
        return sorted(value)
    return [_plain(one) for one in value] if isinstance(value, tuple) else value


def _meta(name: str) -> tuple[bytes, dict[str, Any], SourceSettings]:
    body = next((CASES / name).glob("feed.*")).read_bytes()
    meta = tomllib.loads((CASES / name / "meta.toml").read_text(encoding="utf-8"))
    options = {key: tuple(value) if isinstance(value, list) else value for key, value in meta.pop("source", {}).items()}
    return body, meta, SourceSettings(name=name, url=meta["url"], **options)


def _read(name: str) -> tuple[dict[str, Any], tuple[CleanEntry, ...]]:
    body, meta, source = _meta(name)
    zone = load_zone(meta.get("timezone", "UTC"))
    try:
        feed = parse_feed(body, url=meta["url"], content_type=meta.get("content_type", ""), zone=zone)
    except NotAFeedError as error:
        return {"error": error.what, "hint": error.hint}, ()
    entries = clean_entries(feed, source, Html())
    return _plain(feed) | {"entries": _plain(entries)}, entries


@pytest.mark.parametrize("name", NAMES)
def test_feed_becomes_its_expected_file(name: str, request: pytest.FixtureRequest) -> None:
    result = json.dumps(_read(name)[0], ensure_ascii=False, indent=1) + "\n"
    expected = CASES / name / "expected.json"
    if request.config.getoption("--accept", False):
        expected.write_bytes(result.encode())
    assert result == expected.read_bytes().decode()


@pytest.mark.parametrize("name", NAMES)
def test_cleaning_is_idempotent(name: str) -> None:
    for entry in _read(name)[1]:
        again = clean(entry.html, kind="html", policy=Policy(base_url=entry.base, iframe_hosts=Html().iframe_hosts))
        assert again.html == entry.html
