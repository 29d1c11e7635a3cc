"""Test which values an ingest updates in an article file and which it keeps, against a table of values."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from feedtool.articles import parse_document
from feedtool.articles.conflicts import read_conflict
from feedtool.articles.writer import Stamp, merge_file, new_file, same_as_written, stamp_for

BODY = "<p>Text.</p>"
OLD: dict[str, Any] = {
    "title": "Old", "categories": ["a"], "author": "Ada", "date": "2022-07-25T00:00:00Z", "thumbnail": "https://e.org/a.png",
    "link": "https://e.org/a", "updated": "2022-07-26T00:00:00Z", "language": "fr", "summary": "In short.",
    "enclosures": [{"url": "https://e.org/a.mp3", "type": "audio/mpeg"}], "tags": ["x"], "rights": "CC", "guid": "g",
    "source": {"title": "S", "url": "https://e.org/f"},
}  # fmt: skip
NEW: dict[str, Any] = {
    "title": "New", "categories": ["b"], "author": "Bo", "date": "2022-07-24T00:00:00Z", "thumbnail": "https://e.org/b.png",
    "link": "https://e.org/b", "updated": "2022-07-27T00:00:00Z", "language": "de", "summary": "In long.",
    "enclosures": [{"url": "https://e.org/b.mp3", "type": "audio/mpeg"}], "tags": ["y"], "rights": "BY",
}  # fmt: skip
# A changed date alone does not cause a comparison of the file.
SILENT = ("date", "updated")
# Values derived from the entry's text stay while that text is unchanged.
DERIVED = ("body", "thumbnail", "summary")


def file(raw: str = "raw") -> bytes:
    return new_file(OLD, BODY, stamp_for(OLD, BODY, source="S", raw=raw)).encode()


def stamp(raw: str = "raw") -> Stamp:
    return stamp_for(OLD, BODY, source="S", raw=raw)


def changed(key: str) -> tuple[dict[str, Any], str]:
    return (OLD, "<p>New.</p>") if key == "body" else ({**OLD, key: NEW[key]}, BODY)


@pytest.mark.parametrize("key", [*NEW, "body"])
def test_value_changed_upstream_is_updated(key: str) -> None:
    values, body = changed(key)
    assert same_as_written(stamp(), values, body) == (key in SILENT)
    if key == "updated":  # alone it changes nothing; it is updated together with any other value
        assert merge_file(file(), values, body, mode="merge").text is None
        values, body = {**values, "rights": "BY"}, BODY
    for mode in ("merge", "overwrite"):
        merged = merge_file(file(), values, body, mode=mode)
        merged = replace(merged, changed=tuple(name for name in merged.changed if name == key))
        assert (merged.changed, merged.kept) == ((key,), ())
        assert merged.text is not None
        again = parse_document(merged.text.encode(), every_key=True)
        assert again.body.strip() == body
        assert {name: value for name, value in again.values.items() if name != "feedtool"} == values
        assert merge_file(merged.text.encode(), values, body, mode=mode).text is None
    assert merge_file(file(), *changed(key), mode="keep").text is None


@pytest.mark.parametrize("key", [*NEW, "body"])
def test_values_derived_from_equal_text_are_kept(key: str) -> None:
    values, body = changed(key)
    assert same_as_written(stamp(), values, body, raw="raw") == (key in (*SILENT, *DERIVED))
    assert same_as_written(stamp(), values, body, raw="other") == (key in SILENT)
    merged = merge_file(file(), values, body, mode="merge", raw="raw")
    assert merged.changed == (() if key in (*DERIVED, "updated") else (key,))
    later = merge_file(file(), values, body, mode="merge", raw="other", derived=False)
    assert later.changed == (() if key in DERIVED else (key,))
    assert same_as_written(stamp(), values, body, raw="other", derived=False) is False
    assert same_as_written(stamp(), values, body, derived=False) == (key in (*SILENT, *DERIVED))


@pytest.mark.parametrize("key", [*NEW, "body"])
def test_user_edited_value_is_kept(key: str) -> None:
    text = file().decode()
    if key == "body":
        text = text.replace("Text.", "Mine.")
    elif key in ("categories", "tags"):
        text = text.replace(f"{key}:\n - {OLD[key][0]}\n", f"{key}:\n - mine\n")
    elif key == "enclosures":
        text = text.replace("a.mp3", "mine.mp3")
    else:
        text = "\n".join(f"{key}: 2000-01-01" if line.startswith(f"{key}:") else line for line in text.split("\n"))
    assert text != file().decode()
    values, body = changed(key)
    values = {**values, "title": "Newest", "rights": "All"} if key != "title" else {**values, "rights": "All"}
    merged = merge_file(text.encode(), values, body, mode="merge")
    assert key not in merged.changed
    assert "rights" in merged.changed or key == "rights"
    assert merged.kept == (() if key in SILENT else (key,))
    overwritten = merge_file(text.encode(), values, body, mode="overwrite")
    assert (key in overwritten.changed, overwritten.kept) == (True, ())


@pytest.mark.parametrize("key", [key for key in NEW if key not in ("title", *SILENT)])
def test_value_removed_upstream_is_removed(key: str) -> None:
    merged = merge_file(file(), {**OLD, key: [] if isinstance(OLD[key], list) else ""}, BODY, mode="merge")
    assert merged.changed == (key,)
    assert merged.text is not None
    assert key not in parse_document(merged.text.encode(), every_key=True).values
    silent = {name: value for name, value in OLD.items() if name != key}
    assert merge_file(file(), silent, BODY, mode="merge").text is None
    assert same_as_written(stamp(), silent, BODY)


def test_unsafe_file_is_kept_unchanged() -> None:
    values, body = changed("title")
    for data in (
        file().replace(b"title: ", b"title: [x] "), file().decode().encode("utf-16"), file().replace(b"---", b"----", 1), b"",
    ):  # fmt: skip
        assert merge_file(data, values, body, mode="merge").kept == ("file",), data
    person = b"---\ntitle: Old\n---\nMine.\n"
    merged = merge_file(person, values, body, mode="merge")
    assert merged.text is None
    assert "title" in merged.kept


OURS, BASE, THEIRS = "<<<<<<< HEAD\n", "||||||| base\n", ">>>>>>> other\n"
PARTED = "=======\n"


@pytest.mark.parametrize(
    ("text", "line", "ours", "theirs"),
    [
        (f"---\n{OURS}guid: a\n{PARTED}guid: b\n{THEIRS}title: T\n---\nB", 2, "a T", "b T"),
        (f"---\ntitle: T\n{OURS}guid: a\n{BASE}guid: c\n{PARTED}guid: b\n{THEIRS}---\nB", 3, "a T", "b T"),
        (f"{OURS}---\nguid: a\n---\nB\n{PARTED}---\nguid: b\n---\nC\n{THEIRS}", 1, "a ", "b "),
        (f"\ufeff---\ntitle: T\n{OURS}{PARTED}guid: b\n{THEIRS}---\nB", 3, " T", "b T"),
        (
            f"---\n{OURS}guid: a\n{PARTED}guid: b\n{THEIRS}{OURS}title: T\n{PARTED}title: U\n{THEIRS}---\nB",
            2,
            "a T",
            "b U",
        ),
        (f"---\r\n{OURS}guid: a\r\n=======\r\nguid: b\r\n{THEIRS}---\r\nB", 2, "a ", "b "),
        (f"---\nguid: a\n---\n{OURS}B\n{PARTED}C\n{THEIRS}", 0, "", ""),
        (f"---\n{OURS}guid: a\n{PARTED}guid: b\n---\nB", 0, "", ""),
        (f"---\n{OURS}guid: a\n{THEIRS}---\nB", 0, "", ""),
        (f"---\n{PARTED}guid: a\n{THEIRS}---\nB", 0, "", ""),
        ("---\n<<<<<<<HEAD\nguid: a\n=======\nguid: b\n>>>>>>> o\n---\nB", 0, "", ""),
        ("---\nguid: a\n---\nB", 0, "", ""),
    ],
)
def test_conflict_sides_are_read(text: str, line: int, ours: str, theirs: str) -> None:
    conflict = read_conflict(text.encode())
    sides = (
        ("", "")
        if conflict is None
        else tuple(f"{side.guid} {side.title}" for side in (conflict.ours, conflict.theirs))
    )
    assert (conflict.line if conflict else 0, *sides) == (line, ours, theirs)
