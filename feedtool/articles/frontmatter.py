"""A file's bytes in; its front matter as a mapping of texts, its body, and what was doubtful about them, out.

Types and meanings come later (`fields`, `read`): here a date is still text.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any

from feedtool.articles.encoding import Decoded, decode
from feedtool.articles.fences import MAXIMUM, Split, split
from feedtool.articles.fields import FIRST_KEYS, KNOWN, Note
from feedtool.articles.metadata import metadata_values, split_metadata
from feedtool.articles.yaml import Value, YamlError, load, load_fully
from feedtool.expressions import expression


@dataclass(slots=True, eq=False, repr=False, match_args=False)
class Document:
    """`text[split.start:split.end]` is the front matter; `notes` carry the line they are about, or 0 for «ask the key».

    `broken` is set where front matter could not be read: the article must be left out. `recovered` says that the
    front matter is not valid in its own language and was read line by line.
    """

    text: str
    encoding: str
    split: Split
    values: dict[str, Value] = field(default_factory=dict)
    notes: list[tuple[int, int | None, Note]] = field(default_factory=list)
    broken: bool = False
    recovered: bool = False

    @property
    def body(self) -> str:
        """The text after the front matter, as it stands in the file."""
        return self.text[self.split.body :]

    def line_of(self, key: str) -> int:
        """Return the line of a key (in lower case) in the file, else that of the front matter's first line."""
        matter = self.text[self.split.start : self.split.end]
        pattern = rf"^\s*[\"']?{re.escape(key).replace('_', '[_-]')}[\"']?\s*[:=]"
        found = re.search(pattern, matter, re.MULTILINE | re.IGNORECASE)
        if found is None:
            return self.split.line
        return self.split.line + matter.count("\n", 0, found.end() - 1)


def parse_document(data: bytes, *, every_key: bool = False, metadata: bool = False) -> Document:
    """Return what a file says. Never raises; `every_key` also keeps the keys that feedtool does not know.

    With `metadata`, front matter is Python-Markdown metadata, which is no YAML: quotes and brackets are part of a value.
    """
    decoded = decode(data)
    text = decoded.text
    if "\r" in text and "\n" not in text:
        text = text.replace("\r", "\n")
    document = Document(text, decoded.encoding, split_metadata(text) if metadata else split(text, FIRST_KEYS))
    if metadata and document.split.form == "none":
        from feedtool.articles.html_head import html_metadata

        try:
            document.values, body = html_metadata(text)
            document.split = document.split._replace(body=body)
        except ValueError as error:
            _break(document, 1, "FT006", str(error), "take out what is no HTML")
    _note_encoding(document, decoded)
    found = document.split
    if found.unclosed:
        _break(document, found.line, "FT005", "the front matter has no closing fence", "end it with a line of ---")
    elif found.form == "none" and not document.values and not document.broken:
        _note_bare(document, data)
    elif found.end - found.start > MAXIMUM:
        _break(
            document, found.line, "FT009", f"front matter of {found.end - found.start:,} characters",
            f"at most {MAXIMUM:,} are read; is the closing fence missing?",
        )  # fmt: skip
    elif found.form != "none":
        _load(document, every_key=every_key)
    return document


def _note_encoding(document: Document, decoded: Decoded) -> None:
    if decoded.exact and decoded.encoding == "utf-8":
        return
    how = "" if decoded.exact else ", with bytes that fit nowhere replaced"
    message = f"not UTF-8; read as {decoded.encoding}{how}"
    document.notes.append((1, None, Note("", "FT003", message, "save it as UTF-8")))


def _note_bare(document: Document, data: bytes) -> None:
    if not document.text.strip("\ufeff \t\r\n"):
        _break(document, 1, "FT002", "the file is empty", "write an article or delete it")
    elif b"\0" in data[:8192] and document.encoding not in ("utf-16", "utf-32"):
        _break(document, 1, "FT001", "this is no text", "keep pictures and other files out of the articles folder")
    else:
        hint = "begin it with ---, lines such as `title: …` and `date: …`, and --- again"
        document.notes.append((document.split.line, None, Note("", "FT004", "no front matter", hint)))


def _break(document: Document, line: int, code: str, message: str, hint: str, column: int | None = None) -> None:
    document.broken = True
    document.notes.append((line, column, Note("", code, message, hint, "error")))


def _load(document: Document, *, every_key: bool) -> None:
    found = document.split
    matter = document.text[found.start : found.end]
    if found.form == "metadata":
        document.values = metadata_values(matter)
        return
    if found.form != "yaml":
        _load_typed(document, matter)
        return
    try:
        loaded = load_fully(matter) if every_key else load(matter, KNOWN)
    except YamlError as error:
        code = "FT009" if error.final else "FT006"
        line = found.line + error.line - 1
        _break(document, line, code, f"front matter can't be read: {error.what}", "quote the value", error.column)
        return
    document.values = loaded.values
    document.recovered = loaded.recovered
    for line, what in loaded.notes:
        if loaded.recovered and what == loaded.notes[-1][1]:
            message = f"front matter is not valid YAML ({what}); read line by line"
            note = Note("", "FT007", message, "quote the value, or run `feedtool check --fix`")
        else:
            note = Note("", "FT008", what, "keep one of them" if "twice" in what else "put it in quotes")
        document.notes.append((found.line + line - 1, None, note))


def _load_typed(document: Document, matter: str) -> None:
    found = document.split
    try:
        values = _toml(matter) if found.form == "toml" else _json(matter)
        document.values = {str(key): as_text(value, 0) for key, value in values.items()}
    except RecursionError:
        _break(document, found.line, "FT009", "front matter is nested too deep", "keep it flat")
    except ValueError as error:
        place = re.search(r"line (\d+),? column (\d+)", str(error))
        line, column = (int(place[1]), int(place[2])) if place else (1, None)
        what = re.sub(r"\s*[:(]?\s*\(?(?:at )?line \d+.*", "", str(error))
        name = found.form.upper()
        _break(
            document,
            found.line + line - 1,
            "FT006",
            f"front matter is not valid {name}: {what}",
            f"mend the {name}",
            column,
        )


def _toml(matter: str) -> dict[str, Any]:
    import tomllib

    if LONG_KEY.search(matter):
        raise RecursionError
    return tomllib.loads(matter.replace("\r\n", "\n"))


# tomllib takes time quadratic in the parts of a dotted key.
LONG_KEY = expression(r"(?:[\w\"'-]{1,80}[ \t]{0,8}\.[ \t]{0,8}){17}")


def _json(matter: str) -> dict[str, Any]:
    text = matter if matter.lstrip().startswith("{") else "{" + matter + "}"
    values = json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
    if not isinstance(values, dict):
        raise ValueError("no object")
    return values


def as_text(value: Any, depth: int = 0) -> Value:
    if depth > 16:
        raise RecursionError
    if isinstance(value, dict):
        return {str(key): as_text(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [as_text(item, depth + 1) for item in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return ""
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    return str(value)
