"""Run `feedtool schema`: print the JSON Schema of feedtool.toml."""

from __future__ import annotations

import json

import click


@click.command()
def command() -> int:
    """Print the JSON Schema of feedtool.toml.

    Editors use it to complete and check settings. Save it beside feedtool.toml, whose first line names it:
    `#:schema ./feedtool.schema.json`.

    \b
    Examples:
      feedtool schema > feedtool.schema.json
    """
    from feedtool.config import settings_schema

    click.echo(json.dumps(settings_schema(), indent=2, ensure_ascii=True))
    return 0
