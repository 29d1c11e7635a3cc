"""Run Hexo, Hugo, Jekyll and Pelican on copies of a site, and return the posts that they read."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, NoReturn
from urllib.parse import unquote, urlsplit

import pytest
import yaml

from tests.support.site import ROOT

HERE = Path(__file__).resolve().parent
OUTPUTS = ("public", "_site", "output", ".feedtool", "node_modules", "db.json", "resources")


class Post(NamedTuple):
    """An article as its generator reads it.

    `address` is the path of its page with percent-encoding resolved. `date` is a UTC instant such as
    "2024-03-04T22:30:00.000Z", or "" if neither the file nor its name has a date that the generator reads; then Hexo's
    address, which would contain the day of the run, is "" too. `updated` has the same form; Hugo uses the date if it is
    missing. `categories` and `tags` are sorted; a subcategory of Hexo is written "A/B". An article that is not
    `published` has the address that its generator would give it.
    """

    address: str
    title: str
    date: str
    categories: tuple[str, ...]
    tags: tuple[str, ...]
    published: bool
    updated: str = ""


Posts = dict[str, Post]


def hexo(folder: Path, *, machine_zone: str = "") -> Posts:
    """Return the posts of Hexo 8, run in the site's own zone or in another one.

    Hexo makes addresses in the zone of the machine, and parses dates that YAML reads as text in that zone. So a site is
    right only on a machine in the site's `timezone`, as its author's machine is.
    """
    modules = _node_modules()
    with _copy(folder) as site:
        (site / "node_modules").symlink_to(modules, target_is_directory=True)
        package = {"private": True, "hexo": {"version": ""}, "dependencies": {"hexo-renderer-marked": "*"}}
        (site / "package.json").write_text(json.dumps(package), "utf-8")
        config = yaml.safe_load((site / "_config.yml").read_text("utf-8")) or {}
        zone = machine_zone or config.get("timezone") or "UTC"
        return _posts(_run([_program("node"), str(HERE / "hexo_posts.js"), str(site)], site, {"TZ": zone}), site)


def hugo(folder: Path, *, machine_zone: str = "UTC") -> Posts:
    """Return the regular pages of every language; the site must not need a theme."""
    program = _program("hugo")
    with _copy(folder) as site:
        shutil.copytree(HERE / "hugo_layouts", site / "layouts", dirs_exist_ok=True)
        outputs = []
        for flags in ([], ["--buildDrafts", "--buildFuture", "--buildExpired"]):
            output = site / "public"
            shutil.rmtree(output, ignore_errors=True)
            _run([program, "--quiet", "--destination", str(output), *flags], site, {"TZ": machine_zone})
            home = min(output.rglob("index.html"), key=lambda path: len(path.parts))
            outputs.append(json.loads(home.read_text("utf-8")))
        published = {post["source"] for post in outputs[0]}
        posts = [{**post, "published": post["source"] in published} for post in outputs[1]]
        return _posts(json.dumps(posts), site)


def jekyll(folder: Path, *, machine_zone: str = "UTC") -> Posts:
    """Return the documents of all collections, including posts and drafts."""
    _program("jekyll")
    with _copy(folder) as site:
        return _posts(
            _run([_program("ruby"), str(HERE / "jekyll_posts.rb"), str(site)], site, {"TZ": machine_zone}), site
        )


def pelican(folder: Path, *, machine_zone: str = "UTC") -> Posts:
    """Return the articles with translations, drafts and hidden articles, but not those with the status `skip`."""
    with _copy(folder) as site:
        return _posts(_run([_pelican_python(), str(HERE / "pelican_posts.py")], site, {"TZ": machine_zone}), site)


GENERATORS: Mapping[str, Callable[..., Posts]] = {"hexo": hexo, "hugo": hugo, "jekyll": jekyll, "pelican": pelican}


def _posts(text: str, site: Path) -> Posts:
    posts = {}
    for one in json.loads(text):
        source = Path(one["source"])
        source = source.relative_to(site) if source.is_absolute() else source
        posts[source.as_posix()] = Post(
            address=unquote(urlsplit(one["address"]).path),
            title=one["title"],
            date=one["date"],
            categories=_names(one["categories"]),
            tags=_names(one["tags"]),
            published=one["published"],
            updated=one["updated"],
        )
    return posts


def _names(names: str | Sequence[Any]) -> tuple[str, ...]:
    return tuple(sorted(map(str, [names] if isinstance(names, str) else names)))


@contextmanager
def _copy(folder: Path) -> Iterator[Path]:
    """Yield a copy of a site without the output of generators and of feedtool."""
    with tempfile.TemporaryDirectory() as place:
        site = Path(place).resolve() / "site"
        shutil.copytree(folder, site, ignore=shutil.ignore_patterns(*OUTPUTS))
        yield site


def _run(command: Sequence[str], folder: Path, variables: Mapping[str, str]) -> str:
    """Run a command and return its output; fail the test with that output if the command fails."""
    env = {**os.environ, "LC_ALL": "C.UTF-8", **variables}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, timeout=300, check=False)
    assert done.returncode == 0, (
        f"{command}: {done.stderr.decode(errors='replace')}{done.stdout.decode(errors='replace')}"
    )
    return done.stdout.decode("utf-8")


def _program(name: str) -> str:
    return shutil.which(name) or _missing(name)


def _node_modules() -> Path:
    """Return the folder with Hexo: FEEDTOOL_HEXO_MODULES, else node_modules here."""
    folder = Path(os.environ.get("FEEDTOOL_HEXO_MODULES") or HERE / "node_modules")
    return folder if (folder / "hexo").is_dir() else _missing(f"hexo (npm install --prefix {HERE.relative_to(ROOT)})")


def _pelican_python() -> str:
    """Return the Python that has Pelican: FEEDTOOL_PELICAN_PYTHON, else that of .venv-pelican."""
    python = Path(os.environ.get("FEEDTOOL_PELICAN_PYTHON") or ROOT / ".venv-pelican/bin/python")
    return str(python) if python.exists() else _missing("pelican (in the virtual environment .venv-pelican)")


def _missing(program: str) -> NoReturn:
    """Skip the test because a program is missing; fail it under FEEDTOOL_CI."""
    if os.environ.get("FEEDTOOL_CI"):
        pytest.fail(f"{program} is missing, and FEEDTOOL_CI forbids skips", pytrace=False)
    pytest.skip(f"{program} is missing")
