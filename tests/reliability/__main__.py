"""Write `.github/RELIABILITY.md` from the results of tests in `artifacts/reliability.json`.

    FEEDTOOL_FULL=1 python -m pytest && python -m tests.reliability

The exit code is 1 if a class failed or was not tried.
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

The faults that tests try against feedtool, by class, with the results. `python -m tests.reliability` writes this page from the
last results of the tests; `FEEDTOOL_FULL=1 python -m pytest` runs them in full. [SECURITY.md](SECURITY.md) has the promises.

| class | tried | number | promise | result | tests |
| --- | --- | ---: | --- | --- | --- |
"""


def classes() -> dict[str, dict[str, str]]:
    """Return every class by its key ("area.name"), in the order of the file."""
    areas = tomllib.loads(CLASSES.read_text("utf-8"))
    return {f"{area}.{name}": texts for area, rows in areas.items() for name, texts in rows.items()}


def table(texts_by_class: dict[str, dict[str, str]], results: dict[str, dict[str, Any]]) -> str:
    """Return the page; a class without results is shown as not tried."""
    lines = []
    for key, texts in texts_by_class.items():
        of = {name: one for name, one in sorted(results.items()) if one["class"] == key}
        number = sum(one["tried"] for one in of.values())
        failed = sum(one["failed"] for one in of.values())
        result = "not tried" if not number else f"**{failed} failed**" if failed else "held"
        tests = "<br>".join(f"`{name}`" for name in of) or "-"
        lines.append(f"| {key} | {texts['tried']} | {number:,} | {texts['promise']} | {result} | {tests} |\n")
    return HEAD + "".join(lines)


def main() -> int:
    """Write the page; return the exit code."""
    text = table(classes(), read())
    TABLE.write_text(text, "utf-8")
    print(text)
    return 1 if "not tried" in text or "failed**" in text else 0


if __name__ == "__main__":
    sys.exit(main())
