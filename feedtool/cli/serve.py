"""Run `feedtool serve`: serve a preview of the site, and rebuild it after every edit until Ctrl-C."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from feedtool.cli import console, options
from feedtool.errors import FeedtoolError, UsageError

if TYPE_CHECKING:
    from feedtool.config import Settings
    from feedtool.preview import Outcome, Preview, PreviewServer

PORT = 8000


@click.command()
@options.site
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    metavar="N",
    help="Port to listen on; default: 8000, or the next free port.",
)
@click.option(
    "--host",
    default="127.0.0.1",
    metavar="ADDRESS",
    help="Address to listen on; default: reachable from this machine only.",
)
@click.option("--prefix", metavar="PATH", help="Path of the site in URLs; default: the path of [site] url.")
@click.option("--drafts", is_flag=True, help="Also show drafts.")
@click.option("--future", is_flag=True, help="Also show articles dated in the future.")
@click.option("--open", "is_opened", is_flag=True, help="Open the site in the browser.")
def command(
    site: str | None,
    port: int | None,
    host: str,
    prefix: str | None,
    drafts: bool,
    future: bool,
    is_opened: bool,
) -> int:
    """Build a preview of the site and serve it; when a file is saved, rebuild the site and reload the page.

    The preview is in .feedtool/preview; the output folder is not changed. Problems are shown on the terminal and on the page.
    If a build fails, the last good preview stays. Stop with Ctrl-C.

    \b
    Examples:
      feedtool serve --drafts --open
    """
    from feedtool.preview import Preview, bind
    from feedtool.publish import Choices, utc_now

    settings = options.site_settings(site)
    server = bind(host, PORT if port is None else port, exact=port is not None)
    try:
        root = _prefix(settings, prefix)
        address = f"http://{_url_host(host)}:{server.port}{root}"
        choices = Choices(drafts=drafts, future=future)
        preview = Preview(settings, base_url=address, choices=choices, clock=utc_now)
        _run(server, preview, settings, root, address, is_opened=is_opened)
    except KeyboardInterrupt:
        return 0
    finally:
        server.server_close()
    return 0


def _run(
    server: PreviewServer, preview: Preview, settings: Settings, prefix: str, address: str, *, is_opened: bool
) -> None:
    from feedtool.preview import Watch
    from feedtool.workers import mapper

    watch = Watch(lambda: preview.settings)
    watch.has_changed()
    # Start worker processes only here, before there are threads that a fork could interrupt halfway.
    with mapper() as engine:
        outcome = preview.build(mapper=engine, settings=settings)
    if outcome.error:
        raise FeedtoolError(outcome.error)
    server.publish(preview.output, outcome)
    server.start(prefix)
    try:
        _print_report(outcome, preview)
        console.echo(f"serving {address} (stop with Ctrl-C)")
        if is_opened:
            click.launch(address)
        while True:
            time.sleep(watch.pause)
            if watch.has_changed():
                outcome = preview.build()
                server.publish(preview.output, outcome)
                _print_report(outcome, preview)
    finally:
        server.stop()


def _print_report(outcome: Outcome, preview: Preview) -> None:
    console.show_problems(outcome.problems, preview.settings.folder)
    if outcome.report is None:
        console.error(outcome.error)
        console.echo("still serving the last good preview", err=True)
        return
    report = outcome.report
    articles = f"{report.articles:,} article{'' if report.articles == 1 else 's'}"
    changed = report.written + report.removed
    console.echo(f"{articles} in {report.feeds:,} feeds, {changed:,} files changed ({outcome.seconds:.2f} s)")


def _prefix(settings: Settings, option: str | None) -> str:
    """Return the path of the site in URLs, with "/" at both ends."""
    path = urlsplit(settings.base_url).path if option is None else option
    inner = path.strip("/")
    if any(part in ("", ".", "..") or set(part) & set('?#\\%"<> ') for part in inner.split("/")) and inner:
        if option is None:
            return "/"
        raise UsageError("must be a plain path", where="--prefix", hint='for example "/repo/"')
    return f"/{inner}/" if inner else "/"


def _url_host(host: str) -> str:
    """Return the host part of the URL of a server that is bound to an address."""
    if host in ("0.0.0.0", ""):  # noqa: S104 - bound to every address, including this one
        return "127.0.0.1"
    return "[::1]" if host == "::" else f"[{host}]" if ":" in host else host
