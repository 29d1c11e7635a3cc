"""Run `feedtool completion`: print the script that enables completion in a shell."""

from __future__ import annotations

import os

import click

from feedtool.errors import UsageError

SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", required=False, type=click.Choice(SHELLS))
def command(shell: str | None) -> int:
    """Print the script that makes a shell complete commands, options and paths.

    Without an argument, print the script for your login shell.

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

    root = click.get_current_context().find_root().command
    name = shell or os.path.basename(os.environ.get("SHELL", ""))
    completion = get_completion_class(name) if name in SHELLS else None
    if completion is None:
        raise UsageError("your shell is unknown or has no completion script", hint=f"name one: {', '.join(SHELLS)}")
    script = completion(root, {}, "feedtool", "_FEEDTOOL_COMPLETE")
    click.echo(script.source_template % script.source_vars())
    return 0
