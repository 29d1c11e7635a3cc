"""Run the command line; each command is imported only when it is called or its help is shown."""

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
    "init": "Create a site in a folder.",
    "new": "Create an article.",
    "build": "Turn the articles into feeds.",
    "serve": "Preview the site in a browser, and rebuild it when a file changes.",
    "check": "List and fix problems, or compare the last build with the published feeds.",
    "explain": "Show how an article is read and published, or explain a problem code.",
    "ingest": "Turn feeds into article files, and update those files.",
    "status": "Show the health of every source.",
    "add": "Add a source by the address of a feed or of a page that links to one.",
    "opml": "Import subscriptions from a feed reader, or export them.",
    "prune": "Delete old articles that came from sources.",
    "schema": "Print the JSON Schema of feedtool.toml.",
    "doctor": "Check the installation and the site: versions, settings, folders, index.",
    "completion": "Print a script for shell completion.",
}
CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class _Commands(click.Group):
    """A group that lists its commands by name and imports a command when it is needed."""

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
    "-C", "--site", type=click.Path(), metavar="DIR", help="Folder of the site, which contains feedtool.toml."
)
@click.version_option(__version__, "-V", "--version", message="feedtool %(version)s")
@click.pass_context
def feedtool(ctx: click.Context, site: str | None) -> None:
    """Turn a folder of article files into Atom, RSS and JSON feeds.

    A site is a folder with a feedtool.toml and article files. Create one with `feedtool init`.

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
        return _exit_code(arguments)
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    except OSError as error:
        if not _is_output_error(error):
            raise
        console.error(f"cannot write the output: {error.strerror or error}")
        with suppress(AttributeError, ValueError, OSError):
            # Otherwise Python would write the buffered rest at exit, and report the error again in its own words.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _exit_code(arguments: Sequence[str] | None) -> int:
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
        from feedtool.cli.options import message_of

        console.error(message_of(error))
        return 2
    except (click.Abort, KeyboardInterrupt):
        console.error("stopped")
        return interrupts.exit_code()
    return code if isinstance(code, int) else 0


def _is_output_error(error: OSError) -> bool:
    """Return True if writing to the console raised the error, as when standard output goes to a disk that is full."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and trace.tb_frame.f_code is click.echo.__code__
