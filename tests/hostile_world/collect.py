"""Collect vectors from files of public collections; every string that may be one is taken."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

_FENCED = re.compile(r"```[a-z]*\n(.*?)```", re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
_RAW_STRING = re.compile(r'r(#*)"(.*?)"\1', re.DOTALL)
_STRING = re.compile(r"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`", re.DOTALL)
_LIVE = re.compile(r"<|&\w|script|on\w+\s*=|:|\\", re.IGNORECASE)
_SOURCES = (".rs", ".js", ".mjs", ".ts", ".py", ".go", ".rb", ".java", ".php", ".yml")
_DOCUMENTS = (".html", ".htm", ".htmlt", ".xht", ".xhtml", ".svg", ".xml", ".test")
_MOST = 20_000


def collect(paths: Iterable[Path]) -> Iterator[str]:
    """Yield the vectors of files, and of all files in folders, in the order of their names."""
    for path in paths:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file():
                text = file.read_bytes().decode("utf-8", "replace")
                yield from (
                    one for one in _of(file.suffix, text) if one.strip() and len(one) <= _MOST and _LIVE.search(one)
                )


def _of(suffix: str, text: str) -> Iterator[str]:
    if suffix in (".json", ".test", ".dat") and (value := _loaded(text)) is not None:
        yield from _strings(value)
    elif suffix in (".md", ".rst"):
        for block in _FENCED.findall(text):
            yield block
            yield from block.splitlines()
        yield from _CODE.findall(text)
    elif suffix == ".dat":
        # html5lib: a block begins with #data and ends at the next line of that kind.
        for block in re.split(r"^#data\n", text, flags=re.MULTILINE)[1:]:
            yield re.split(r"^#[a-z-]+$", block, maxsplit=1, flags=re.MULTILINE)[0].rstrip("\n")
    elif suffix in _SOURCES:
        for _, value in _RAW_STRING.findall(text):
            yield value
        for literal in _STRING.findall(text):
            yield _read(literal)
    else:
        if suffix in _DOCUMENTS:
            yield text
        yield from text.splitlines()


def _loaded(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from _strings(one)
    elif isinstance(value, dict):
        for one in value.values():
            yield from _strings(one)


def _read(literal: str) -> str:
    body = literal[1:-1]
    try:
        return str(ast.literal_eval(f'"""{body}"""')) if '"""' not in body else body
    except (ValueError, SyntaxError):
        return body
