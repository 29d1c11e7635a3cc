"""The results that tests left in `artifacts/reliability.json` in, `.github/RELIABILITY.md` out.

    FEEDTOOL_FULL=1 python -m pytest && python -m tests.reliability

Exits with 1 when a class failed or was not tried.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import Any

from tests.reliability.results import ROOT, read

CLASSES = Path(__file__).with_name("classes.toml")
TABLE = ROOT / ".github" / "RELIABILITY.md"
HEAD = """# Reliability

What was tried against feedtool, class by class, and what came of it. Made by `python -m tests.reliability` from the results
of the tests named, each in the form in which it was last run: `FEEDTOOL_FULL=1 python -m pytest` takes the full ones.
[SECURITY.md](SECURITY.md) says what is promised to whom.

| class | what was tried | number | promised | result | test |
| --- | --- | ---: | --- | --- | --- |
"""


def classes() -> dict[str, dict[str, str]]:
    """Return every class by its key ("area.name"), in the order of the file."""
    areas = tomllib.loads(CLASSES.read_text("utf-8"))
    return {f"{area}.{name}": told for area, held in areas.items() for name, told in held.items()}


def table(known: dict[str, dict[str, str]], results: dict[str, dict[str, Any]]) -> str:
    """Return the page; a class that no test tried says so."""
    lines = []
    for key, told in known.items():
        of = {name: one for name, one in sorted(results.items()) if one["class"] == key}
        number = sum(one["tried"] for one in of.values())
        failed = sum(one["failed"] for one in of.values())
        result = "not tried" if not number else f"**{failed} failed**" if failed else "held"
        tests = "<br>".join(f"`{name}`" for name in of) or "-"
        lines.append(f"| {key} | {told['tried']} | {number:,} | {told['promise']} | {result} | {tests} |\n")
    return HEAD + "".join(lines)


def main() -> int:
    """Write the page; return the exit code."""
    text = table(classes(), read())
    TABLE.write_text(text, "utf-8")
    print(text)
    return 1 if "not tried" in text or "failed**" in text else 0


if __name__ == "__main__":
    sys.exit(main())
