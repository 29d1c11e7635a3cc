"""`feedtool doctor`: the installation and the site in, how they do out, with what to mend."""

from __future__ import annotations

from itertools import groupby

import click

from feedtool.cli import console, options
from feedtool.config import Settings
from feedtool.doctor import Finding, examine
from feedtool.errors import SettingsError

MARKS = {True: ("ok", "green"), False: ("!!", "red"), None: ("", "")}


@click.command()
@options.site
@options.manners
def command(site: str | None, as_json: bool, quiet: bool, verbose: bool) -> int:
    """Look at the installation and the site: versions, settings and where each comes from, folders, lock, index.

    Shows the settings that are not the defaults; -v shows all of them. Nothing is changed. Exits with 1 when something has
    to be mended.

    \b
    Examples:
      feedtool doctor
      feedtool doctor -v
    """
    settings, trouble = _settings(site)
    findings = [*examine(settings), *trouble]
    failed = any(one.well is False for one in findings)
    if as_json:
        console.print_json({"ok": not failed, "findings": [_facts(one) for one in findings]})
        return 1 if failed else 0
    shown = [one for one in findings if one.well is False or (not quiet and (verbose or not one.detail))]
    for group, members in groupby(shown, key=lambda one: one.group):
        console.say(click.style(group, bold=True))
        for one in members:
            _say(one)
    if not quiet:
        console.say("")
        console.say("something has to be mended: see !! above" if failed else "all is well")
    return 1 if failed else 0


def _settings(site: str | None) -> tuple[Settings | None, list[Finding]]:
    """Settings that can't be read are a finding: a doctor does not refuse the sick."""
    try:
        return options.settings_of(site), []
    except SettingsError as error:
        lines = str(error).splitlines()
        hint = "" if error.where else "or begin a site with: feedtool init"
        return None, [Finding(group="site", name="settings", value=line, well=False, hint=hint) for line in lines]


def _facts(one: Finding) -> dict[str, object]:
    return {
        "group": one.group,
        "name": console.plain(one.name),
        "value": console.plain(one.value),
        "ok": one.well,
        "hint": console.plain(one.hint),
    }


def _say(one: Finding) -> None:
    mark, colour = MARKS[one.well]
    hint = f"; {console.plain(one.hint)}" if one.hint else ""
    styled = click.style(mark.rjust(3), fg=colour, bold=True) if mark else "   "
    console.say(f"{styled} {console.plain(one.name)}: {console.plain(one.value)}{hint}")
