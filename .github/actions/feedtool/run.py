"""Run `feedtool ingest` and `feedtool build` for the composite action, and write their counts as outputs.

The inputs come from environment variables. The exit code is that of feedtool, except that 1 (something was left out) becomes 0
unless the input `fail` is "true".
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from secrets import token_hex
from typing import Any

SWITCHES = {
    "ingest": "INGEST",
    "strict": "STRICT",
    "fail": "FAIL",
    "annotations": "FEEDTOOL_ANNOTATIONS",
}
FEEDTOOL = Path(sys.executable).with_name("feedtool")


def main() -> int:
    """Run the action and return its exit code."""
    on = {}
    for name, variable in SWITCHES.items():
        on[name] = os.environ[variable] == "true"
        if os.environ[variable] not in ("true", "false"):
            print(f'::error::the input {name} has to be "true" or "false"')
            return 2
    site = f"--site={os.environ['SITE']}"
    output, base_url = os.environ["OUTPUT"], os.environ["BASE_URL"]
    ingested: dict[str, Any] = {"new": 0, "updated": 0, "problems": []}
    worst = 0
    if on["ingest"]:
        worst, ingested = run("ingest", site)
    more = [f"--output={output}"] * bool(output) + [f"--base-url={base_url}"] * bool(base_url)
    code, built = run("build", site, *more, *(["--strict"] * on["strict"]))
    write_outputs(
        {
            "version": version(),
            "folder": folder(output),
            "articles": built["articles"],
            "feeds": built["feeds"],
            "files-written": built["written"],
            "files-removed": built["removed"],
            "new-articles": ingested["new"],
            "updated-articles": ingested["updated"],
            "problems": len(ingested["problems"]) + len(built["problems"]),
        }
    )
    return max(worst, code) if on["fail"] else 0


def run(*arguments: str) -> tuple[int, dict[str, Any]]:
    """Run a feedtool command and return its exit code and report. Exit with its code if it has no report."""
    completed = subprocess.run([FEEDTOOL, *arguments, "--json"], stdout=subprocess.PIPE, check=False)
    if completed.returncode not in (0, 1):
        sys.exit(completed.returncode)
    return completed.returncode, json.loads(completed.stdout)


def version() -> str:
    """Return the version of feedtool that runs."""
    completed = subprocess.run([FEEDTOOL, "--version"], stdout=subprocess.PIPE, text=True, check=True)
    return completed.stdout.split()[-1]


def folder(output: str) -> str:
    """Return the path of the output folder, relative to the workspace."""
    from feedtool import load_settings

    settings = load_settings(os.environ["SITE"])
    return os.path.relpath(output or os.path.join(settings.folder, settings.output))


def write_outputs(outputs: dict[str, str | int]) -> None:
    """Set the outputs of the action, and print them."""
    from feedtool.cli.console import echo, plain

    # Nobody can guess the delimiter, so no value can end early and set another output.
    delimiter = token_hex(16)
    with open(os.environ["GITHUB_OUTPUT"], "a", encoding="utf-8") as file:
        file.writelines(f"{name}<<{delimiter}\n{value}\n{delimiter}\n" for name, value in outputs.items())
    for name, value in outputs.items():
        echo(f"{name}: {plain(str(value))}")


if __name__ == "__main__":
    sys.exit(main())
