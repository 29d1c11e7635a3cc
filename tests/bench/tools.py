"""Install static site generators and make a site for each of them from a folder of articles."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

HERE = Path(__file__).resolve().parent
PACKAGE = HERE.parent.parent / "feedtool"
FEEDS_ONLY = '[feeds]\narchive = false\n[pages]\narticles = "none"\nindex = false\n'


class AbsentError(Exception):
    """A generator cannot take part; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The site of one generator: `articles` are its own files, `outputs` are removed before a cold build."""

    tool: str
    version: str
    folder: Path
    articles: Path
    command: tuple[str, ...]
    env: Mapping[str, str]
    outputs: tuple[Path, ...]


class Workshop:
    """Install each generator once in a temporary folder, and make its sites there."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self._installed: dict[str, Path | AbsentError] = {}
        # Copy the package: an edit during the run would change what is measured.
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(PACKAGE, place / "package" / "feedtool", ignore=ignore, dirs_exist_ok=True)
        subprocess.run([sys.executable, "-m", "compileall", "-q", str(place / "package")], check=True)
        dropped = ("FEEDTOOL_", "GITHUB_", "PYTHONDONTWRITEBYTECODE", "NODE_OPTIONS", "HUGO_")
        variables = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
        self.env = {**variables, "PYTHONPATH": str(place / "package"), "CI": "1", "NO_COLOR": "1"}

    def site(self, tool: str, articles: Path) -> Site:
        """Return a site of this generator with the articles.

        Raises AbsentError if the generator cannot be used.
        """
        folder = Path(self.place, "sites", articles.parent.name, re.sub(r"\W+", "", tool))
        shutil.rmtree(folder, ignore_errors=True)
        return MAKERS[tool](self, folder, articles)

    def installed(self, name: str, install: Callable[[Path], None]) -> Path:
        """Return the folder of an installed generator; the first call installs it by `install`.

        Raises AbsentError if the installation failed.
        """
        if name not in self._installed:
            folder = self.place / "installed" / name
            try:
                if not folder.exists():
                    folder.mkdir(parents=True)
                    install(folder)
                self._installed[name] = folder
            except (OSError, subprocess.SubprocessError) as error:
                shutil.rmtree(folder, ignore_errors=True)
                self._installed[name] = AbsentError(f"could not be installed ({type(error).__name__})")
        folder_or_error = self._installed[name]
        if isinstance(folder_or_error, AbsentError):
            raise folder_or_error
        return folder_or_error


def link_tree(source: Path, target: Path) -> None:
    """Hard-link all files of `source` in `target`: an edit must replace a file, never write into it."""
    shutil.copytree(source, target, copy_function=os.link)


def _feedtool(workshop: Workshop, folder: Path, articles: Path, *options: str) -> Site:
    link_tree(articles, folder / "articles")
    settings = (articles.parent / "feedtool.toml").read_text("utf-8")
    (folder / "feedtool.toml").write_text(settings + FEEDS_ONLY, "utf-8")
    command = (sys.executable, "-m", "feedtool", "-C", str(folder), "build", "-q", *options)
    version = _output_of([sys.executable, "-m", "feedtool", "--version"], workshop.env)
    return Site(
        tool=" ".join(("feedtool", *options)),
        version=version.removeprefix("feedtool "),
        folder=folder,
        articles=folder / "articles",
        command=command,
        env=workshop.env,
        outputs=(folder / "public", folder / ".feedtool"),
    )


def _feedtool_alone(workshop: Workshop, folder: Path, articles: Path) -> Site:
    return _feedtool(workshop, folder, articles, "-j", "1")


def _hugo(workshop: Workshop, folder: Path, articles: Path) -> Site:
    program = shutil.which("hugo")
    if program is None:
        raise AbsentError("not on this machine (Debian: hugo)")
    shutil.copytree(HERE / "peers" / "hugo", folder)
    link_tree(articles, folder / "content")
    return Site(
        tool="Hugo",
        version=re.sub(r"^hugo v([0-9.]+).*", r"\1", _output_of([program, "version"], workshop.env)),
        folder=folder,
        articles=folder / "content",
        command=(program, "--quiet"),
        env=workshop.env,
        outputs=(folder / "public", folder / "resources"),
    )


def _pelican(workshop: Workshop, folder: Path, articles: Path) -> Site:
    def install(place: Path) -> None:
        venv.create(place, with_pip=True)
        pip = [str(place / "bin" / "python"), "-m", "pip", "install", "--quiet", "pelican[markdown]"]
        subprocess.run(pip, check=True, capture_output=True, timeout=300)

    program = workshop.installed("pelican", install) / "bin" / "pelican"
    shutil.copytree(HERE / "peers" / "pelican", folder)
    for path in articles.rglob("*.md"):
        target = folder / "content" / path.relative_to(articles)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(as_pelican(path.read_text("utf-8")), "utf-8")
    env = {name: value for name, value in workshop.env.items() if name != "PYTHONPATH"}
    return Site(
        tool="Pelican",
        version=_output_of([str(program), "--version"], env),
        folder=folder,
        articles=folder / "content",
        command=(str(program), "-q", "-s", "pelicanconf.py"),
        env=env,
        outputs=(folder / "public", folder / "cache"),
    )


def as_pelican(text: str) -> str:
    """Return an article with front matter for Pelican, where the categories are tags."""
    _, head, body = text.split("---\n", 2)
    values = dict(re.findall(r"^(title|date|author): (.*)$", head, re.MULTILINE))
    title = values["title"].strip("'").replace("''", "'")
    tags = ", ".join(re.findall(r"^ - (.*)$", head, re.MULTILINE))
    return f"Title: {title}\nDate: {values['date']}\nTags: {tags}\nAuthors: {values['author']}\n\n{body.lstrip()}"


def _node(workshop: Workshop, name: str, packages: tuple[str, ...]) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise AbsentError("npm is not on this machine")

    def install(place: Path) -> None:
        (place / "package.json").write_text('{ "private": true }\n')
        command = [npm, "install", "--no-audit", "--no-fund", "--loglevel=error", *packages]
        subprocess.run(command, cwd=place, env=dict(workshop.env), check=True, capture_output=True, timeout=300)

    return workshop.installed(name, install) / "node_modules"


def _eleventy(workshop: Workshop, folder: Path, articles: Path) -> Site:
    modules = _node(workshop, "eleventy", ("@11ty/eleventy",))
    shutil.copytree(HERE / "peers" / "eleventy", folder)
    (folder / "node_modules").symlink_to(modules)
    link_tree(articles, folder / "content" / "articles")
    program = str(modules / ".bin" / "eleventy")
    return Site(
        tool="Eleventy",
        version=_output_of([program, "--version"], workshop.env),
        folder=folder,
        articles=folder / "content" / "articles",
        command=(program, "--quiet"),
        env=workshop.env,
        outputs=(folder / "public", folder / ".cache"),
    )


def _hexo(workshop: Workshop, folder: Path, articles: Path) -> Site:
    return _hexo_in(_node(workshop, "hexo", ("hexo", "hexo-renderer-marked")), folder, articles, workshop)


def _hexo_in(modules: Path, folder: Path, articles: Path, workshop: Workshop) -> Site:
    shutil.copytree(HERE / "peers" / "hexo", folder)
    (folder / "node_modules").symlink_to(modules)
    link_tree(articles, folder / "source" / "_posts")
    program = str(modules / ".bin" / "hexo")
    return Site(
        tool="Hexo",
        version=_package_version(modules / "hexo" / "package.json"),
        folder=folder,
        articles=folder / "source" / "_posts",
        command=(program, "generate", "--silent"),
        env=workshop.env,
        outputs=(folder / "public", folder / "db.json"),
    )


HEXO_WITH_PAGES = "Hexo with pages"
_USUAL = ("index", "archive", "category", "tag")


def _hexo_with_pages(workshop: Workshop, folder: Path, articles: Path) -> Site:
    """Return a site as `hexo init` makes it (theme, article pages, lists), with our feeds added."""
    generators = [f"hexo-generator-{name}" for name in _USUAL]
    renderers = [f"hexo-renderer-{name}" for name in ("marked", "ejs", "stylus")]
    modules = _node(workshop, "hexo-usual", ("hexo", "hexo-theme-landscape", *generators, *renderers))
    site = _hexo_in(modules, folder, articles, workshop)
    needs = "".join(f', "{name}": "*"' for name in ("hexo", *generators, *renderers))
    (folder / "package.json").write_text(
        '{ "private": true, "hexo": { "version": "" }, "dependencies": {' + needs[1:] + "} }"
    )
    settings = folder / "_config.yml"
    settings.write_text(settings.read_text("utf-8").replace("theme: false", "theme: landscape"), "utf-8")
    script = folder / "scripts" / "feeds.js"
    lines = script.read_text("utf-8").splitlines(keepends=True)
    script.write_text("".join(line for line in lines if "delete hexo.extend.generator" not in line), "utf-8")
    return replace(site, tool=HEXO_WITH_PAGES)


MAKERS: dict[str, Callable[[Workshop, Path, Path], Site]] = {
    "feedtool": _feedtool,
    "feedtool -j 1": _feedtool_alone,
    "Hugo": _hugo,
    "Pelican": _pelican,
    "Eleventy": _eleventy,
    "Hexo": _hexo,
    HEXO_WITH_PAGES: _hexo_with_pages,
}
"""Every generator that can take part; feedtool is first because the others are measured against it."""


def _package_version(path: Path) -> str:
    match = re.search(r'"version": "([^"]+)"', path.read_text("utf-8"))
    return match[1] if match else "unknown"


def _output_of(command: list[str], env: Mapping[str, str]) -> str:
    done = subprocess.run(command, env=dict(env), capture_output=True, text=True, timeout=60, check=False)
    return done.stdout.strip()
