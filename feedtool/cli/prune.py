"""`feedtool prune`: bounds in, old articles of sources deleted for good out; what a person wrote is never touched."""

from __future__ import annotations

import re

import click

from feedtool.cli import console, options
from feedtool.errors import UsageError


@click.command()
@options.site
@click.option("--older-than", metavar="AGE", help="Articles older than this: 365d, 12w, 2y.")
@click.option("--keep-last", type=click.IntRange(0), metavar="N", help="All but the newest N of each source.")
@click.option(
    "--source", "names", multiple=True, metavar="NAME", help="Only of this source; may be given several times."
)
@click.option("-n", "--dry-run", is_flag=True, help="Say what would be deleted, and delete nothing.")
@options.manners
def command(
    site: str | None,
    older_than: str | None,
    keep_last: int | None,
    names: tuple[str, ...],
    dry_run: bool,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> int:
    """Delete old articles that came from sources; they leave tombstones, so that ingest does not bring them back.

    Only files that ingest wrote are looked at. With both bounds, an article goes when either says so.

    \b
    Examples:
      feedtool prune --older-than 365d --dry-run
      feedtool prune --keep-last 200 --source "A friend"
    """
    from datetime import UTC, datetime

    from feedtool.ingesting.prune import Bounds, prune

    if older_than is None and keep_last is None:
        raise UsageError("say what is to go", hint="give --older-than 365d or --keep-last 1000")
    settings = options.settings_of(site)
    bounds = Bounds(days=_days(older_than) if older_than else None, keep=keep_last, sources=names)
    gone = prune(settings, bounds, now=datetime.now(UTC), dry_run=dry_run)
    if as_json:
        console.print_json({"ok": True, "deleted": [console.plain(path) for path in gone], "dry_run": dry_run})
        return 0
    for path in gone if verbose or dry_run else ():
        shown = console.plain(f"{settings.articles.path.rstrip('/')}/{path}")
        console.say(f"{'would delete' if dry_run else 'deleted'} {shown}")
    if not quiet:
        count = f"{len(gone):,} article{'' if len(gone) == 1 else 's'}"
        console.say(f"{count} {'would be deleted' if dry_run else 'deleted'}")
    return 0


def _days(text: str) -> int:
    found = re.fullmatch(r"(\d{1,5})\s*(d|w|m|y)?(?:ays?|eeks?|onths?|ears?)?", text.strip().lower(), re.ASCII)
    if found is None:
        raise UsageError(f'--older-than: cannot read "{text}"', hint="write it such as 365d, 12w or 2y")
    return int(found[1]) * {"d": 1, "w": 7, "m": 30, "y": 365}[found[2] or "d"]
