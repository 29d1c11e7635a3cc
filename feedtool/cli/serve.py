"""`feedtool serve`: a site in, its preview in the browser out, following every edit until ctrl-C."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from feedtool.cli import console, options
from feedtool.errors import FeedtoolError, UsageError

if TYPE_CHECKING:
    from feedtool.config import Settings
    from feedtool.preview import Bound, Outcome, Preview

PORT = 8000


@click.command()
@options.site
@click.option(
    "--port", type=click.IntRange(0, 65535), metavar="N", help="Port to serve on; 8000, or the next free one."
)
@click.option(
    "--host", default="127.0.0.1", metavar="ADDRESS", help="Address to serve on; this machine alone by default."
)
@click.option("--prefix", metavar="PATH", help="Path that the site begins at; that of [site] url by default.")
@click.option("--drafts", is_flag=True, help="Show drafts too.")
@click.option("--future", is_flag=True, help="Show articles dated in the future too.")
@click.option("--open", "is_opened", is_flag=True, help="Open it in the browser.")
def command(
    site: str | None,
    port: int | None,
    host: str,
    prefix: str | None,
    drafts: bool,
    future: bool,
    is_opened: bool,
) -> int:
    """Build the site for a look, serve it on this machine, and follow: every saved file rebuilds and reloads the page.

    The output folder is not touched: the preview is in .feedtool/preview. Problems are shown here and on the page; what can't
    be built leaves the last good state. Ctrl-C ends it.

    \b
    Examples:
      feedtool serve --drafts --open
    """
    from feedtool.preview import Preview, bind
    from feedtool.publish import Choices, utc_now

    settings = options.settings_of(site)
    server = bind(host, PORT if port is None else port, exact=port is not None)
    try:
        begin = _prefix(settings, prefix)
        address = f"http://{_shown(host)}:{server.port}{begin}"
        choices = Choices(drafts=drafts, future=future)
        preview = Preview(settings, base_url=address, choices=choices, clock=utc_now)
        _run(server, preview, settings, begin, address, is_opened=is_opened)
    except KeyboardInterrupt:
        return 0
    finally:
        server.server_close()
    return 0


def _run(server: Bound, preview: Preview, settings: Settings, prefix: str, address: str, *, is_opened: bool) -> None:
    from feedtool.preview import Watch
    from feedtool.workers import mapper

    watch = Watch(lambda: preview.settings)
    watch.has_changed()
    # Other processes are started here only, while there are no threads that a fork could catch halfway.
    with mapper() as engine:
        outcome = preview.build(mapper=engine, settings=settings)
    if outcome.error:
        raise FeedtoolError(outcome.error)
    server.publish(preview.output, outcome)
    server.start(prefix)
    try:
        _say(outcome, preview)
        console.say(f"serving {address} (ctrl-C ends)")
        if is_opened:
            click.launch(address)
        while True:
            time.sleep(watch.pause)
            if watch.has_changed():
                outcome = preview.build()
                server.publish(preview.output, outcome)
                _say(outcome, preview)
    finally:
        server.stop()


def _say(outcome: Outcome, preview: Preview) -> None:
    console.show(outcome.problems, preview.settings.folder)
    if outcome.report is None:
        console.error(outcome.error)
        console.say("still serving the last good state", err=True)
        return
    report = outcome.report
    articles = f"{report.articles:,} article{'' if report.articles == 1 else 's'}"
    changed = report.written + report.removed
    console.say(f"{articles} in {report.feeds:,} feeds, {changed:,} files changed ({outcome.seconds:.2f} s)")


def _prefix(settings: Settings, given: str | None) -> str:
    """Return the path that the site begins at, "/" at both its ends."""
    path = urlsplit(settings.base_url).path if given is None else given
    inner = path.strip("/")
    if any(part in ("", ".", "..") or set(part) & set('?#\\%"<> ') for part in inner.split("/")) and inner:
        if given is None:
            return "/"
        raise UsageError("must be a plain path", where="--prefix", hint='write it such as "/repo/"')
    return f"/{inner}/" if inner else "/"


def _shown(host: str) -> str:
    """Return how an address bound to stands in a URL."""
    if host in ("0.0.0.0", ""):  # noqa: S104 - every address has this one
        return "127.0.0.1"
    return "[::1]" if host == "::" else f"[{host}]" if ":" in host else host
