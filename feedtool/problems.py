"""The registry of problem codes: the title and the severity of each code, and its explanation in data/troubleshooting.md.

A code keeps its meaning forever. To add one, add it to `CODES`, explain it in the Markdown file, and provoke it in
tests/test_troubleshooting.py. The Markdown file is read only when an explanation is requested.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Literal, NamedTuple


class ProblemCode(NamedTuple):
    """The title of a code, and the severity of its problems: None if it depends on the case or on a setting."""

    title: str
    severity: Literal["error", "warning"] | None


CODES: Mapping[str, ProblemCode] = {
    "FT001": ProblemCode("A file that cannot be read", None),
    "FT002": ProblemCode("An empty file", "error"),
    "FT003": ProblemCode("A file that is not UTF-8", "warning"),
    "FT004": ProblemCode("No front matter", "warning"),
    "FT005": ProblemCode("Front matter without an end", "error"),
    "FT006": ProblemCode("Front matter that cannot be read", "error"),
    "FT007": ProblemCode("Invalid YAML that was read line by line", "warning"),
    "FT008": ProblemCode("A duplicate key or an ambiguous value", "warning"),
    "FT009": ProblemCode("Front matter that is too large or too deep", "error"),
    "FT010": ProblemCode("An article without a date", None),
    "FT011": ProblemCode("A date that cannot be read", None),
    "FT014": ProblemCode("Two articles with the same id", "warning"),
    "FT015": ProblemCode("A body that was simplified", "warning"),
    "FT017": ProblemCode("A link that is not an absolute address", "warning"),
    "FT018": ProblemCode("Too many categories, tags or authors", "warning"),
    "FT019": ProblemCode("An invalid language tag", "warning"),
    "FT020": ProblemCode("An enclosure without an address", "warning"),
    "FT021": ProblemCode("A placeholder thumbnail", "warning"),
    "FT022": ProblemCode("A link that is not followed", "warning"),
    "FT023": ProblemCode("A file that cannot be fixed", None),
    "FT024": ProblemCode("A protected article", "warning"),
    "FT027": ProblemCode("Text behind a password", "warning"),
    "FT101": ProblemCode("A site without an address", "warning"),
    "FT102": ProblemCode("Settings of a category that does not exist", "warning"),
    "FT103": ProblemCode("A generator setting that cannot be evaluated", "warning"),
    "FT301": ProblemCode("A source that cannot be fetched", "error"),
    "FT302": ProblemCode("A source that is gone", None),
    "FT303": ProblemCode("A source that is not a feed", "error"),
    "FT304": ProblemCode("A feed that could not be processed", "error"),
    "FT305": ProblemCode("A source that has moved", "warning"),
    "FT306": ProblemCode("A secret that is not set", "error"),
    "FT307": ProblemCode("An article that cannot be written", "error"),
    "FT308": ProblemCode("A feed file that cannot be read", "error"),
    "FT309": ProblemCode("Full text that is not available", "warning"),
    "FT310": ProblemCode("An article that ingest does not change", "error"),
    "FT401": ProblemCode("An entry would come back as unread", "error"),
    "FT402": ProblemCode("A published entry would disappear", "error"),
    "FT403": ProblemCode("A published date would change", None),
    "FT404": ProblemCode("A published feed would disappear", "error"),
    "FT405": ProblemCode("A published feed could not be compared", "error"),
    "FT406": ProblemCode("Most entries are marked as updated", "warning"),
    "FT407": ProblemCode("A published feed is broken", "warning"),
    "FT408": ProblemCode("The host of the site does not exist yet", "warning"),
}
"""Every code, in order."""

_GROUPS = {"FT0": "Articles", "FT1": "Settings", "FT3": "Ingesting", "FT4": "Publishing (`feedtool check --against`)"}
_INTRODUCTION = """# Troubleshooting

feedtool ends each problem with its code, such as `[FT011]`. `feedtool explain FT011` prints the explanation below, and
`feedtool explain FT` lists all codes. A code keeps its meaning forever.

An error means that something was left out or would be wrong in the output; the exit code is 1. A warning means that feedtool
handled the problem as described below.

"""


class CodeExplanation(NamedTuple):
    """The explanation of a code in Markdown: `text` is all of it, and the other fields are its parts.

    `example` is a line as feedtool prints it.
    """

    code: str
    title: str
    text: str
    meaning: str
    why: str
    fix: str
    example: str


def is_code(text: str) -> bool:
    """Return True if a text is a code, or the beginning of codes ("FT", "FT4"), in any case."""
    text = text.upper()
    digits = text.removeprefix("FT")
    return text.startswith("FT") and len(digits) <= 3 and all(digit in "0123456789" for digit in digits)


def explanations(prefix: str = "") -> tuple[CodeExplanation, ...]:
    """Return the explanations of all codes that begin with a prefix, in order."""
    return tuple(_explanation(code) for code in CODES if code.startswith(prefix))


def page() -> str:
    """Return the troubleshooting page in Markdown."""
    parts = [_INTRODUCTION]
    for prefix, group in _GROUPS.items():
        parts.append(f"**{group}**\n\n")
        members = [(code, entry) for code, entry in CODES.items() if code.startswith(prefix)]
        parts += [
            f"- [{code}](#{_anchor(code, entry.title)}) ({_severity(entry)}): {entry.title}\n"
            for code, entry in members
        ]
        parts.append("\n")
    parts += [f"## {one.code}: {one.title}\n\n{one.text}\n\n" for one in explanations()]
    return "".join(parts).rstrip("\n") + "\n"


@cache
def sections() -> Mapping[str, tuple[str, str]]:
    """Return the title and the text of each section of data/troubleshooting.md by its code."""
    from importlib.resources import files

    source = files("feedtool").joinpath("data/troubleshooting.md").read_text(encoding="utf-8")
    _, *parts = re.split(r"^## (FT\d{3}): (.+)$", source, flags=re.MULTILINE)
    return {
        code: (title, text.strip("\n")) for code, title, text in zip(parts[0::3], parts[1::3], parts[2::3], strict=True)
    }


def _explanation(code: str) -> CodeExplanation:
    _, text = sections()[code]
    prose, _, example = text.partition("\n\n    ")
    meaning, *parts = re.split(r"^\*\*(?:Why it matters|How to fix it)\.\*\* ", prose, flags=re.MULTILINE)
    why, fix = parts if len(parts) == 2 else ("", "")
    return CodeExplanation(
        code, CODES[code].title, text, meaning.strip(), why.strip(), fix.strip(), example.partition("\n")[0]
    )


def _severity(entry: ProblemCode) -> str:
    return entry.severity or "error or warning"


def _anchor(code: str, title: str) -> str:
    """Return the anchor that GitHub generates for the heading of a section."""
    return re.sub(r"[^\w\- ]", "", f"{code}: {title}".lower()).replace(" ", "-")
