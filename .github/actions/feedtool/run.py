"""The action's inputs in, from the environment; `feedtool ingest` and `feedtool build` run, their counts as outputs out.

Exits as feedtool does, but for 1 (something was left out), which counts only where the input `fail` says so.
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
    tell(
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


def run(*words: str) -> tuple[int, dict[str, Any]]:
    """Run a command of feedtool; return its exit code and report, or end where it could not come to one."""
    done = subprocess.run([FEEDTOOL, *words, "--json"], stdout=subprocess.PIPE, check=False)
    if done.returncode not in (0, 1):
        sys.exit(done.returncode)
    return done.returncode, json.loads(done.stdout)


def version() -> str:
    """Return the version that runs."""
    done = subprocess.run([FEEDTOOL, "--version"], stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.split()[-1]


def folder(output: str) -> str:
    """Return where the output is, as seen from the workspace."""
    from feedtool import load_settings

    settings = load_settings(os.environ["SITE"])
    return os.path.relpath(output or os.path.join(settings.folder, settings.output))


def tell(outputs: dict[str, str | int]) -> None:
    """Hand outputs to the steps that follow, and print them."""
    from feedtool.cli.console import echo, plain

    # A value that nobody can foresee the end of can't set another output.
    end = token_hex(16)
    with open(os.environ["GITHUB_OUTPUT"], "a", encoding="utf-8") as file:
        file.writelines(f"{name}<<{end}\n{value}\n{end}\n" for name, value in outputs.items())
    for name, value in outputs.items():
        echo(f"{name}: {plain(str(value))}")


if __name__ == "__main__":
    sys.exit(main())
