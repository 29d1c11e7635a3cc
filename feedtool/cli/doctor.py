"""Run `feedtool doctor`: check the installation and the site, and print what has to be fixed."""

from __future__ import annotations

from itertools import groupby

import click

from feedtool.cli import console, options
from feedtool.config import Settings
from feedtool.doctor import Finding, examine
from feedtool.errors import SettingsError

SYMBOLS = {True: ("ok", "green"), False: ("!!", "red"), None: ("", "")}


@click.command()
@options.site
@options.output_options
def command(site: str | None, as_json: bool, quiet: bool, verbose: int) -> int:
    """Check the installation and the site: versions, settings and their origins, folders, lock, index.

    Show the settings that differ from the defaults, or all of them with -v. Nothing is changed. The exit code is 1 if
    something has to be fixed.

    \b
    Examples:
      feedtool doctor
      feedtool doctor -v
    """
    settings, errors = _settings(site)
    findings = [*examine(settings), *errors]
    failed = any(one.well is False for one in findings)
    if as_json:
        console.print_json({"ok": not failed, "findings": [_facts(one) for one in findings]})
        return 1 if failed else 0
    shown = [one for one in findings if one.well is False or (not quiet and (verbose or not one.detail))]
    for group, members in groupby(shown, key=lambda one: one.group):
        console.echo(click.style(group, bold=True))
        for one in members:
            _print_finding(one)
    if not quiet:
        console.echo("")
        console.echo("some checks failed: fix the lines marked !!" if failed else "all checks passed")
    return 1 if failed else 0


def _settings(site: str | None) -> tuple[Settings | None, list[Finding]]:
    """Return the settings of the site; if they cannot be read, return findings instead."""
    try:
        return options.site_settings(site), []
    except SettingsError as error:
        lines = options.message_of(error).splitlines()
        hint = "" if error.where else "or create a site with: feedtool init"
        return None, [Finding(group="site", name="settings", value=line, well=False, hint=hint) for line in lines]


def _facts(one: Finding) -> dict[str, object]:
    return {
        "group": one.group,
        "name": console.plain(one.name),
        "value": console.plain(one.value),
        "ok": one.well,
        "hint": console.plain(one.hint),
    }


def _print_finding(one: Finding) -> None:
    symbol, colour = SYMBOLS[one.well]
    hint = f"; {console.plain(one.hint)}" if one.hint else ""
    styled = click.style(symbol.rjust(3), fg=colour, bold=True) if symbol else "   "
    console.echo(f"{styled} {console.plain(one.name)}: {console.plain(one.value)}{hint}")
