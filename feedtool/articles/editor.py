"""Edit the front matter of an article line by line: only the lines of changed keys change.

It also writes the front matter of a new file, quoted as Hexo's own articles are.
"""

from __future__ import annotations

import codecs
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping

from feedtool.articles.encoding import decode
from feedtool.articles.fences import split
from feedtool.articles.field_table import FIRST_KEYS
from feedtool.articles.key_lines import Plain, toml_line, yaml_lines
from feedtool.articles.key_positions import BY_HAND, LINE, TOO_LARGE, Entry, toml_entries, yaml_entries
from feedtool.articles.pelican_metadata import edited_metadata, metadata_lines, split_metadata
from feedtool.articles.yaml import MAXIMUM_SIZE
from feedtool.articles.yaml_fast import normal
from feedtool.errors import FeedtoolError


def front_matter(values: Mapping[str, Plain], *, metadata: bool = False) -> str:
    """Return a front matter block with both fences, with the keys in the order given.

    With `metadata` it is Python-Markdown metadata, which has no fences and ends at a blank line.
    """
    if metadata:
        return "".join(metadata_lines(key, value) for key, value in values.items()) + "\n"
    lines = "".join(yaml_lines(key, value, "\n") for key, value in values.items())
    return f"---\n{lines}---\n"


def edit_front_matter(text: str, changes: Mapping[str, Plain | None], *, metadata: bool = False) -> str:
    """Return `text` with the given top-level keys set, or removed where the value is None; other lines stay byte for byte.

    Keys are compared as the reader compares them: case does not count, and `-` equals `_`. They keep the spelling of the
    file. If a key occurs twice, the last one is set. Comments and blank lines stay. New keys go to the end of the front
    matter; a file without front matter gets one. With `metadata`, the front matter is Python-Markdown metadata, which has
    no quotes. Raise FeedtoolError for JSON and for front matter that cannot be edited line by line.
    """
    if not changes:
        return text
    parts = split_metadata(text) if metadata else split(text, FIRST_KEYS)
    newline = "\r\n" if "\r\n" in text[: max(parts.body + 2, text.find("\n") + 1)] else "\n"
    if parts.form == "none":
        if parts.unclosed:
            raise FeedtoolError("the front matter has no closing fence", hint="close it first")
        new = {key: value for key, value in changes.items() if value is not None}
        if metadata:
            return front_matter(new, metadata=True).replace("\n", newline) + text
        return front_matter(new).replace("\n", newline) + newline + text.lstrip("\ufeff") if new else text
    if parts.form == "json":
        raise FeedtoolError("feedtool does not edit JSON front matter", hint=BY_HAND)
    if parts.end - parts.start > MAXIMUM_SIZE:
        raise FeedtoolError(TOO_LARGE, hint=BY_HAND)
    if metadata:
        return (
            text[: parts.start] + edited_metadata(text[parts.start : parts.end], changes, newline) + text[parts.end :]
        )
    matter = _edit_matter(text[parts.start : parts.end], changes, parts.form == "toml", newline)
    if not matter.strip() and not parts.fenced:
        raise FeedtoolError("the edit would leave the front matter empty, and it has no opening fence", hint=BY_HAND)
    return text[: parts.start] + matter + text[parts.end :]


_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def edit_file(data: bytes, changes: Mapping[str, Plain | None], *, metadata: bool = False) -> bytes:
    """Return the bytes of a file edited like `edit_front_matter`; encoding, byte order mark and line endings stay.

    Raise FeedtoolError also if writing the file back would change bytes outside the edited lines.
    """
    hint = "save it as UTF-8 first"
    decoded = decode(data)
    if not decoded.exact:
        raise FeedtoolError(
            "it contains bytes that are invalid in every encoding, and an edit would lose them", hint=hint
        )
    text, mark, codec = decoded.text, b"", decoded.encoding
    if codec.startswith("utf"):
        mark, codec = next((pair for pair in _BYTE_ORDER_MARKS if data.startswith(pair[0])), (b"", codec))
    if mark + text.encode(codec, "surrogatepass" if codec.startswith("utf") else "replace") != data:
        raise FeedtoolError(f"it cannot be written back as {codec} without changing other bytes", hint=hint)
    # The reader treats carriage returns as line endings if the file has no line feeds.
    only_returns = "\r" in text and "\n" not in text
    edited = edit_front_matter(text.replace("\r", "\n") if only_returns else text, changes, metadata=metadata)
    try:
        return mark + (edited.replace("\n", "\r") if only_returns else edited).encode(codec)
    except UnicodeEncodeError:
        raise FeedtoolError(f"the new text has characters that {codec} lacks", hint=hint) from None


def _edit_matter(matter: str, changes: Mapping[str, Plain | None], toml: bool, newline: str) -> str:
    unterminated = bool(matter) and not matter.endswith(("\n", "\r"))
    text = matter + newline if unterminated else matter
    entries, insertion = toml_entries(text) if toml else (yaml_entries(text), len(text))
    indent = text[entries[0].start : entries[0].name] if entries and not toml else ""
    splices: list[tuple[int, int, str]] = []
    added = ""
    for key, value in {normal(key): (key, value) for key, value in changes.items()}.values():
        same_key = [entry for entry in entries if normal(entry.key) == normal(key)]
        if value is None:
            splices.extend((entry.start, entry.end, _remaining_comments(text, entry, toml)) for entry in same_key)
        elif same_key:
            splices.append((same_key[-1].start, same_key[-1].end, _replacement_lines(text, same_key[-1], value, toml)))
        else:
            lines = toml_line(key, value, bare=False) if toml else yaml_lines(key, value, "\n")
            added += "".join(indent + line for line in LINE.findall(lines)).replace("\n", newline)
    for start, end, new in sorted([*splices, (insertion, insertion, added)], reverse=True):
        text = text[:start] + new + text[end:]
    return text.removesuffix(newline) if unterminated and not added else text


def _replacement_lines(text: str, entry: Entry, value: Plain, toml: bool) -> str:
    """Return the lines of a key with its new value; the comments and blank lines among its old lines stay."""
    indent, name = text[entry.start : entry.name], text[entry.name : entry.separator].rstrip()
    if toml:
        bare = text[entry.separator + 1 : entry.end].lstrip()[:1].isdigit()
        lines = toml_line(name, value, bare=bare)
    else:
        lines = yaml_lines(name, value, "\n")
    if entry.refused and text.count("#", entry.start, entry.end) > lines.count("#"):
        # In lines that YAML cannot read, it is uncertain where a comment begins.
        raise FeedtoolError("the edit would lose a comment", hint=BY_HAND)
    trailing, kept = _split_comments(text, entry, toml)
    head, *tail = lines.removesuffix("\n").split("\n")
    first = LINE.match(text, entry.start)
    ending = first[0][len(first[0].rstrip("\r\n")) :] if first else "\n"
    return indent + ending.join([head + trailing, *(indent + line for line in tail), kept])


def _remaining_comments(text: str, entry: Entry, toml: bool) -> str:
    """Return the comments among the lines of a removed key, unindented so that no block scalar above absorbs them."""
    indent = text[entry.start : entry.name]
    kept = LINE.findall(_split_comments(text, entry, toml)[1])
    return "".join(indent + line.lstrip() for line in kept if line.strip())


def _split_comments(text: str, entry: Entry, toml: bool) -> tuple[str, str]:
    """Return the comment at the end of a key's first line, and the other comments and blank lines among its lines."""
    opaque_starts = [start for start, _ in entry.opaque]
    comment_starts = iter([*_comment_starts(text, entry, toml), len(text)])
    next_comment = next(comment_starts)
    trailing = kept = ""
    for line in LINE.finditer(text, entry.start, entry.end):
        comment = text[next_comment : line.end()]  # "" if the next comment is on a later line
        content = text[line.start() : min(next_comment, line.end())]
        preceding = bisect_right(opaque_starts, line.start() - 1) - 1
        inside = preceding >= 0 and line.start() < entry.opaque[preceding][1]
        if line.start() == entry.start:
            trailing = (content[len(content.rstrip()) :] + comment).rstrip("\r\n") if comment else ""
        elif not content.strip() and not inside:
            kept += line[0]
        elif comment:
            kept += content[: len(content) - len(content.lstrip())] + comment
        if comment:
            next_comment = next(comment_starts)
    return trailing, kept


def _comment_starts(text: str, entry: Entry, toml: bool) -> Iterator[int]:
    """Yield the position of each comment in a key's lines."""
    comment = re.compile(r"#[^\r\n]*" if toml else r"(?<!\S)#[^\r\n]*")
    position = entry.separator
    for start, stop in (*entry.opaque, (entry.end, entry.end)):
        for match in comment.finditer(text, position, max(position, start)):
            yield match.start()
        position = max(position, stop)
