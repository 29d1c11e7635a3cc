"""Run `feedtool prune`: delete old articles that came from sources, and never articles that a person wrote."""

from __future__ import annotations

import re

import click

from feedtool.cli import console, options
from feedtool.errors import UsageError


@click.command()
@options.site
@click.option("--older-than", metavar="AGE", help="Delete articles older than this, such as 365d, 12w or 2y.")
@click.option(
    "--keep-last", type=click.IntRange(0), metavar="N", help="Delete all but the newest N articles of each source."
)
@click.option(
    "--source", "names", multiple=True, metavar="NAME", help="Delete only articles of this source; may be repeated."
)
@click.option("-n", "--dry-run", is_flag=True, help="Report what would be deleted, but delete nothing.")
@options.output_options
def command(
    site: str | None,
    older_than: str | None,
    keep_last: int | None,
    names: tuple[str, ...],
    dry_run: bool,
    as_json: bool,
    quiet: bool,
    verbose: int,
) -> int:
    """Delete old articles that came from sources, and record the deletion so that ingest does not write them again.

    Only files that ingest wrote are considered. With both --older-than and --keep-last, an article is deleted if either
    applies.

    \b
    Examples:
      feedtool prune --older-than 365d --dry-run
      feedtool prune --keep-last 200 --source "A friend"
    """
    from datetime import UTC, datetime

    from feedtool.ingesting.prune import Bounds, prune

    if older_than is None and keep_last is None:
        raise UsageError("no limit is given", hint="use --older-than 365d or --keep-last 1000, for example")
    settings = options.site_settings(site)
    bounds = Bounds(days=_days(older_than) if older_than else None, keep=keep_last, sources=names)
    deleted = prune(settings, bounds, now=datetime.now(UTC), dry_run=dry_run)
    if as_json:
        console.print_json({"ok": True, "deleted": [console.plain(path) for path in deleted], "dry_run": dry_run})
        return 0
    for path in deleted if verbose or dry_run else ():
        file = console.plain(f"{settings.articles.path.rstrip('/')}/{path}")
        console.echo(f"{'would delete' if dry_run else 'deleted'} {file}")
    if not quiet:
        count = f"{len(deleted):,} article{'' if len(deleted) == 1 else 's'}"
        console.echo(f"{count} {'would be deleted' if dry_run else 'deleted'}")
    return 0


def _days(text: str) -> int:
    match = re.fullmatch(r"(\d{1,5})\s*(d|w|m|y)?(?:ays?|eeks?|onths?|ears?)?", text.strip().lower(), re.ASCII)
    if match is None:
        raise UsageError(f'--older-than: cannot read "{text}"', hint="for example 365d, 12w or 2y")
    return int(match[1]) * {"d": 1, "w": 7, "m": 30, "y": 365}[match[2] or "d"]
