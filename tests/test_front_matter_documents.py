"""Test front matter in every form, valid and broken, against a table with one line of JSON for each file.

`pytest --accept` rewrites the table from what is read now; a new row needs only its `text`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from feedtool.articles import parse_document
from feedtool.articles.field_table import KNOWN_KEYS
from feedtool.articles.yaml_fast import normal

TABLE = Path(__file__).parent / "data" / "tables" / "documents.jsonl"
ROWS: list[dict[str, Any]] = [json.loads(line) for line in TABLE.read_text("utf-8").splitlines()]


def read(text: str, *, every_key: bool = True) -> dict[str, Any]:
    """Return the parsed parts of a file in the form of the table, without default values."""
    document = parse_document(text.encode("utf-8", "surrogatepass"), every_key=every_key)
    facts = {
        "text": text,
        "form": document.split.form,
        "line": document.split.line,
        "body": document.body,
        "values": document.values,
        "unfenced": not document.split.fenced,
        "broken": document.broken,
        "recovered": document.recovered,
        "notes": [f"{line} {note.code}" for line, _, note in document.notes],
    }
    return {name: fact for name, fact in facts.items() if fact not in (False, []) or name in ("body", "text")}


def counting(text: str) -> dict[str, Any]:
    """Return the values of the relevant keys as the fast reader gives them."""
    values = read(text, every_key=False).get("values", {})
    return {normal(key): value for key, value in values.items() if normal(key) in KNOWN_KEYS}


def test_document_table_matches_accepted_values(accept: bool) -> None:
    if accept:
        lines = (json.dumps(read(row["text"]), ensure_ascii=True) for row in ROWS)
        TABLE.write_text("".join(f"{line}\n" for line in dict.fromkeys(lines)), "utf-8")
    assert len({row["text"] for row in ROWS}) == len(ROWS) >= 100


@pytest.mark.parametrize("row", ROWS, ids=lambda row: ascii(row["text"])[:60])
def test_document_is_read_as_in_the_table(row: dict[str, Any]) -> None:
    assert read(row["text"]) == row


@pytest.mark.parametrize("row", ROWS, ids=lambda row: ascii(row["text"])[:60])
def test_relevant_keys_are_equal_without_the_others(row: dict[str, Any]) -> None:
    expected = {normal(key): value for key, value in row.get("values", {}).items() if normal(key) in KNOWN_KEYS}
    assert counting(row["text"]) == expected
    if "null: x" not in row["text"]:  # a repeated key that is not relevant
        assert read(row["text"], every_key=False).get("notes") == row.get("notes")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: ascii(row["text"])[:60])
def test_crlf_changes_only_line_endings(row: dict[str, Any]) -> None:
    if "\r" in row["text"]:
        return
    text = row["text"].replace("\n", "\r\n")
    assert counting(text) == counting(row["text"])
    windows = read(text)
    assert windows.get("values", {}) == row.get("values", {})
    assert (windows["body"].replace("\r\n", "\n"), windows["form"], windows["line"]) == (
        row["body"],
        row["form"],
        row["line"],
    )
    assert windows.get("notes") == row.get("notes")


DATED = "date: 2022-07-25\n"
WARNINGS = (
    ("", "FT002", "the file is empty", "write an article or delete it"),
    ("\0\1", "FT001", "this is not a text file", "move pictures and other files out of the articles folder"),
    ("Text.", "FT004", "no front matter", "begin it with ---, lines such as `title: …` and `date: …`, and --- again"),
    ("---\ntitle: A\n", "FT005", "the front matter has no closing fence", "end it with a line of ---"),
    ("---\njust words\n---\n", "FT006", "cannot read the front matter: no `key: value` lines", "quote the value"),
    ("+++\na = b\n+++\n", "FT006", "front matter is not valid TOML: Invalid value", "fix the TOML"),
    (
        ";;;\n[1]\n;;;\n",
        "FT006",
        "front matter is not valid JSON: Expecting property name enclosed in double quotes",
        "fix the JSON",
    ),
    (
        "---\na: &x 1\nb: *x\n---\n",
        "FT009",
        "cannot read the front matter: alias *x is not supported; write its value instead",
        "quote the value",
    ),
    ("+++\n" + "a." * 20 + "b = 1\n+++\n", "FT009", "front matter is nested too deep", "keep it flat"),
    (
        "---\na: " + "b" * 65_533 + "\n---\n",
        "FT009",
        "front matter of 65,537 characters",
        "at most 65,536 are read; is the closing fence missing?",
    ),
    (
        f"---\ntitle: A\ntitle: B\n{DATED}---\n",
        "FT008",
        'key "title" occurs twice; the last one counts',
        "keep one of them",
    ),
    (
        f"---\ntitle: A # b\n{DATED}---\n",
        "FT008",
        "title: to YAML, the text after # is a comment; quote the title to keep it",
        "put it in quotes",
    ),
    (
        f"---\ntags: *x\n{DATED}---\n",
        "FT007",
        "front matter is not valid YAML (alias *x is not supported; write its value instead); read line by line",
        "quote the value, or run `feedtool check --fix`",
    ),
    ("新闻".join(["---\ntitle: ", "\n---\n", ""]), "FT003", "not UTF-8; read as gb18030", "save it as UTF-8"),
)


@pytest.mark.parametrize(("text", "code", "message", "hint"), WARNINGS)
def test_document_warnings_include_a_hint(text: str, code: str, message: str, hint: str) -> None:
    document = parse_document(text.encode("gb18030" if code == "FT003" else "utf-8"))
    assert [(note.code, note.message, note.hint) for _, _, note in document.notes] == [(code, message, hint)]
