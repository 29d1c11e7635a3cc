"""Define the options that several commands share, and load the settings of the site they select."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from feedtool.cli import console
from feedtool.config import Settings, load_settings
from feedtool.errors import FeedtoolError

F = TypeVar("F", bound=Callable[..., Any])


def site(function: F) -> F:
    """Add `-C/--site`, which may also be written before the command."""
    text = "Folder of the site, which contains feedtool.toml."
    option = click.option("-C", "--site", type=click.Path(), metavar="DIR", help=text)
    return option(function)


def _start_log(_context: click.Context, _parameter: click.Parameter, value: int) -> int:
    if value:
        from feedtool.cli.log import start_log

        start_log(debug=value > 1)
    return value


def output_options(function: F) -> F:
    """Add `--json`, `-q` and `-v`; commands get the number of `-v` as `verbose`."""
    for option in (
        click.option("-v", "--verbose", count=True, callback=_start_log, help="Print what is done; with -vv also why."),
        click.option("-q", "--quiet", is_flag=True, help="Print problems only."),
        click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout; messages go to stderr."),
    ):
        function = option(function)
    return function


def site_settings(site_folder: str | None, options: dict[str, object] | None = None) -> Settings:
    """Load the settings of the site that the command line names; options with the value None are ignored.

    In a GitHub workflow, the base URL of a site without one is the address of the repository's GitHub Pages.
    """
    context = click.get_current_context()
    site = site_folder or context.find_root().obj
    overrides = {key: value for key, value in (options or {}).items() if value is not None}
    settings = load_settings(site, options=overrides)
    pages = pages_address(os.environ)
    if not settings.base_url and pages:
        settings = load_settings(site, options={**overrides, "base_url": pages})
    return settings


def message_of(error: FeedtoolError) -> str:
    """Return the message of an error, in which an option is named as it is typed: `--base-url` for `option base_url`."""
    for one in (error, *getattr(error, "problems", ())):
        kind, _, name = one.where.partition(" ")
        if kind == "option":
            one.where = "-C" if name == "site" else f"--{name.replace('_', '-')}"
        one.hint = console.as_typed(one.hint)
    return str(error)


def pages_address(environment: Mapping[str, str]) -> str:
    """Return the GitHub Pages address of the repository whose workflow runs this command, "" outside a workflow."""
    owner, _, name = environment.get("GITHUB_REPOSITORY", "").partition("/")
    if environment.get("GITHUB_ACTIONS") != "true" or not owner or not name:
        return ""
    host = f"{owner.lower()}.github.io"
    return f"https://{host}/" if name.lower() == host else f"https://{host}/{name}/"
