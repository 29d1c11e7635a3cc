"""Options that several commands share, and the settings they lead to."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from feedtool.config import Settings, load_settings

F = TypeVar("F", bound=Callable[..., Any])


def site(function: F) -> F:
    """Add `-C/--site`, which may stand before the command as well."""
    words = "The site's folder: the one that holds feedtool.toml."
    option = click.option("-C", "--site", type=click.Path(), metavar="DIR", help=words)
    return option(function)


def manners(function: F) -> F:
    """Add `--json`, `-q` and `-v`."""
    for option in (
        click.option("-v", "--verbose", is_flag=True, help="Say more."),
        click.option("-q", "--quiet", is_flag=True, help="Say nothing but problems."),
        click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout; words go to stderr."),
    ):
        function = option(function)
    return function


def settings_of(site_folder: str | None, options: dict[str, object] | None = None) -> Settings:
    """Load the settings of the site that the command line names; options that are None were not given."""
    context = click.get_current_context()
    named = site_folder or context.find_root().obj
    given = {key: value for key, value in (options or {}).items() if value is not None}
    settings = load_settings(named, options=given)
    pages = pages_address(os.environ)
    if not settings.base_url and pages:
        settings = load_settings(named, options={**given, "base_url": pages})
    return settings


def pages_address(environment: Mapping[str, str]) -> str:
    """Return where GitHub Pages shows the repository that a workflow runs in, "" outside of one."""
    owner, _, name = environment.get("GITHUB_REPOSITORY", "").partition("/")
    if environment.get("GITHUB_ACTIONS") != "true" or not owner or not name:
        return ""
    host = f"{owner.lower()}.github.io"
    return f"https://{host}/" if name.lower() == host else f"https://{host}/{name}/"
