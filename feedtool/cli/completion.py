"""`feedtool completion`: the name of a shell in, the script that makes it complete feedtool's words out."""

from __future__ import annotations

import os

import click

from feedtool.errors import UsageError

SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", required=False, type=click.Choice(SHELLS))
def command(shell: str | None) -> int:
    """Print what makes a shell complete commands, options and paths; the shell is your own where none is named.

    \b
    bash: eval "$(feedtool completion bash)"    in ~/.bashrc (4.4 or later)
    zsh:  eval "$(feedtool completion zsh)"     in ~/.zshrc
    fish: feedtool completion fish > ~/.config/fish/completions/feedtool.fish

    \b
    Examples:
      feedtool completion bash > feedtool.bash
      eval "$(feedtool completion bash)"
    """
    from click.shell_completion import get_completion_class

    everything = click.get_current_context().find_root().command
    chosen = shell or os.path.basename(os.environ.get("SHELL", ""))
    kind = get_completion_class(chosen) if chosen in SHELLS else None
    if kind is None:
        raise UsageError("cannot tell which shell is yours", hint=f"name one: {', '.join(SHELLS)}")
    script = kind(everything, {}, "feedtool", "_FEEDTOOL_COMPLETE")
    click.echo(script.source_template % script.source_vars())
    return 0
