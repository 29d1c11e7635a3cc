"""Words typed in, one command run: commands are imported only when they are called or described."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module

import click

from feedtool import __version__, interrupts
from feedtool.cli import console
from feedtool.errors import FeedtoolError

COMMANDS = {
    "init": "Make a folder a site.",
    "new": "Begin an article.",
    "build": "Turn the articles into feeds.",
    "serve": "Show the site as you write: build, serve, watch.",
    "check": "List every problem; mend what can be mended; compare with what is published.",
    "explain": "Show what becomes of an article, or what a problem's code means.",
    "ingest": "Turn feeds into article files, and keep those true.",
    "status": "Show how every source does.",
    "add": "Add a source: a feed, or a page that has one.",
    "opml": "Take subscriptions over from a feed reader, or give them to one.",
    "prune": "Delete old articles that came from sources.",
    "schema": "Print the JSON Schema of feedtool.toml.",
    "doctor": "Look at the installation and the site: versions, settings, folders, index.",
    "completion": "Print what makes a shell complete commands, options and paths.",
}
CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class _Commands(click.Group):
    """A group that knows its commands by name and loads the one that is wanted."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in COMMANDS:
            return None
        command = import_module(f"feedtool.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(name, COMMANDS, 1)
            hint = f'; did you mean "{near[0]}"?' if near else "; see feedtool --help"
            raise click.UsageError(f'there is no command "{name}"{hint}', ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=_Commands, context_settings=CONTEXT, no_args_is_help=True)
@click.option(
    "-C", "--site", type=click.Path(), metavar="DIR", help="The site's folder: the one that holds feedtool.toml."
)
@click.version_option(__version__, "-V", "--version", message="feedtool %(version)s")
@click.pass_context
def feedtool(ctx: click.Context, site: str | None) -> None:
    """Turn a folder of article files into Atom, RSS and JSON feeds.

    A site is a folder with a feedtool.toml and its articles: `feedtool init` makes one.

    \b
    Examples:
      feedtool init my-site
      feedtool -C my-site build
      feedtool build --help
    """
    ctx.obj = site


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code."""
    try:
        return _ended(arguments)
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    except OSError as error:
        if not _is_output_error(error):
            raise
        console.error(f"what was to be said here cannot be written: {error.strerror or error}")
        with suppress(AttributeError, ValueError, OSError):
            # What is left of it would be tried again at the very end, and told of in Python's words.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _ended(arguments: Sequence[str] | None) -> int:
    try:
        code = feedtool.main(
            args=None if arguments is None else list(arguments), prog_name="feedtool", standalone_mode=False
        )
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return 2
    except click.ClickException as error:
        console.error(error.format_message())
        return 2
    except FeedtoolError as error:
        console.error(str(error))
        return 2
    except (click.Abort, KeyboardInterrupt):
        console.error("stopped")
        return interrupts.exit_code()
    return code if isinstance(code, int) else 0


def _is_output_error(error: OSError) -> bool:
    """Say whether an error came of saying something, as where the disk that standard output goes to is full."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and trace.tb_frame.f_code is click.echo.__code__
