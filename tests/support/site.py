"""Make sites for tests, and run `feedtool` on them in a separate process."""

from __future__ import annotations

import json as json_module
import os
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from tests.support import forked

ROOT = Path(__file__).resolve().parents[2]
DATE = "2022-07-25T20:11:30+08:00"
SETTINGS = """[site]
title = "Test"
url = "https://example.org/"
language = "en"
timezone = "Asia/Shanghai"
"""


class Result(NamedTuple):
    """The result of a process; `json` is the object that `--json` printed, {} if there was none."""

    exit_code: int
    stdout: str
    stderr: str
    json: dict[str, Any]

    @property
    def finished(self) -> bool:
        """Return True if the run completed and reported; a crash exits with 1 too."""
        return self.exit_code in (0, 1) and "problems" in self.json and "Traceback" not in self.stderr

    def codes(self) -> list[str]:
        """Return the codes of the problems, in the order of the report."""
        return [problem["code"] for problem in self.json["problems"]]


def make_site(folder: Path, articles: Mapping[str, str | bytes], settings: str = "") -> Path:
    """Make a site in `folder` and return it; `settings` follow the default `[site]` unless they contain one."""
    text = settings if "[site]" in settings else f"{SETTINGS}{settings}"
    write(folder / "feedtool.toml", text)
    (folder / "articles").mkdir(exist_ok=True)
    for name, content in articles.items():
        write(folder / "articles" / name, content)
    return folder


def article(
    title: str, *, date: str = "2022-07-25T20:11:30+08:00", front: str = "", body: str = "<p>Text.</p>\n"
) -> str:
    """Return the text of an article file; `front` has further lines of front matter."""
    return f"---\ntitle: {title}\ndate: {date}\n{front}---\n{body}"


def build(site: Path, *args: str, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> Result:
    """Run `feedtool build --json` on the site in a separate process."""
    return run("build", "-C", str(site), "--json", *args, env=env, cwd=cwd)


def run(*args: str, env: Mapping[str, str] | None = None, cwd: Path | None = None, timeout: float = 120) -> Result:
    """Run `feedtool` in a separate process, without the variables of CI and of feedtool."""
    variables = environment(env)
    server = _forks()
    if server is not None and server.fits(variables):
        done = server.run(list(args), variables, cwd or ROOT, timeout)
    else:
        done = subprocess.run(
            command(*args), capture_output=True, env=variables, cwd=cwd or ROOT, timeout=timeout, check=False
        )
    stdout = done.stdout.decode(errors="surrogateescape")
    printed = json_module.loads(stdout) if stdout.startswith("{") else {}
    return Result(done.returncode, stdout, done.stderr.decode(errors="surrogateescape"), printed)


@cache
def _forks() -> forked.Server | None:
    """Return the process that forks for `run`; None on systems that cannot fork."""
    return forked.Server(environment()) if hasattr(os, "fork") else None


def command(*args: str) -> list[str]:
    """Return the command line that starts feedtool with this interpreter."""
    return [sys.executable, "-m", "feedtool", *args]


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of this process without the variables that change a build, and with `more`."""
    drop = ("FEEDTOOL_", "GITHUB_", "PYTHONHASHSEED", "TZ", "LC_ALL", "NO_COLOR")
    variables = {name: value for name, value in os.environ.items() if not name.startswith(drop)}
    paths = [str(ROOT), *filter(None, [variables.get("PYTHONPATH")])]
    return {**variables, "PYTHONPATH": os.pathsep.join(paths), **(more or {})}


def artifacts() -> Path:
    """Return the folder for files that people inspect: FEEDTOOL_ARTIFACTS, else `artifacts` in the checkout."""
    folder = Path(os.environ.get("FEEDTOOL_ARTIFACTS") or ROOT / "artifacts")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def tree(folder: Path) -> dict[str, bytes]:
    """Return the bytes of every file below the folder by its path, with `/` between the parts."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def stamps(folder: Path) -> dict[str, tuple[int, int]]:
    """Return the inode and mtime of every file below the folder: equal stamps mean that nothing was written."""
    stamps_by_path = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            status = path.stat()
            stamps_by_path[path.relative_to(folder).as_posix()] = (status.st_ino, status.st_mtime_ns)
    return stamps_by_path


def write(path: Path, content: str | bytes) -> None:
    """Write a file without newline translation; create its folders first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
