"""Run `feedtool explain`: print how an article is read and published, or what a problem code means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from feedtool.cli import console, options
from feedtool.dates.parse import iso
from feedtool.errors import UsageError
from feedtool.problems import CODES, CodeExplanation, explanations, is_code

if TYPE_CHECKING:
    from feedtool.explaining import Explanation


@click.command()
@click.argument("file", metavar="FILE", type=click.Path())
@options.site
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
def command(file: str, site: str | None, as_json: bool) -> int:
    """Show how an article is read and published.

    Print the keys that were used, the id, date, link and thumbnail, the HTML that was removed and why, and the feeds that
    contain the article.

    Given a problem code such as FT011 instead of a file, print what it means, why it matters and how to fix it. FT lists
    all codes.

    \b
    Examples:
      feedtool explain articles/hello.md
      feedtool explain FT011
    """
    if is_code(file):
        return _print_codes(_matching(file), as_json=as_json)
    from feedtool.explaining import explain
    from feedtool.publish import utc_now

    settings = options.site_settings(site)
    explanation = explain(settings, file, utc_now())
    console.show_problems(explanation.problems, settings.folder)
    facts = _facts(explanation)
    if as_json:
        console.print_json(facts)
    else:
        _print_facts(facts)
    return 1 if explanation.article is None else 0


def _facts(explanation: Explanation) -> dict[str, Any]:
    article, entry, shown = explanation.article, explanation.entry, explanation.shown
    facts: dict[str, Any] = {
        "file": console.plain(explanation.path),
        "front_matter": shown.form,
        "encoding": shown.encoding,
        "recovered": shown.recovered,
        "keys": shown.used,
    }
    if article is not None and entry is not None:
        facts |= {
            "id": entry.id,
            "title": entry.title,
            "published": iso(article.published),
            "updated": iso(article.updated),
            "categories": list(article.categories),
            "tags": list(article.tags),
            "authors": [author.name for author in article.authors],
            "link": entry.url,
            "language": article.language,
            "enclosures": [enclosure.url for enclosure in entry.enclosures],
            "thumbnail": entry.image,
            "thumbnail_is": explanation.explained.thumbnail,
            "summary": entry.summary,
            "content_bytes": len(entry.content.encode()),
            "removed": [
                {"what": one.what, "detail": one.detail} for one in (*shown.hidden, *explanation.explained.removals)
            ],
        }
    facts["feeds"] = [path or "(site)" for path in explanation.feeds]
    facts["not_published"] = console.as_typed(explanation.why_not)
    facts["problems"] = [console.problem_as_json(problem) for problem in explanation.problems]
    return facts


def _matching(text: str) -> tuple[CodeExplanation, ...]:
    """Return the explanations of the codes that begin with a text; raise UsageError if there is none."""
    prefix = text.upper()
    matching = explanations(prefix)
    if not matching:
        near = ", ".join(code for code in CODES if code.startswith(prefix[:3]))
        hint = "`feedtool explain FT` lists all codes"
        raise UsageError(
            f"there is no problem code {prefix}", hint=f"similar codes are {near}; {hint}" if near else hint
        )
    return matching


def _print_codes(codes: tuple[CodeExplanation, ...], *, as_json: bool) -> int:
    """Print the full explanation of a single code, or the titles of several codes."""
    if as_json:
        facts = [{"code": one.code, "title": one.title, "text": one.text, "example": one.example} for one in codes]
        console.print_json({"codes": facts})
    elif len(codes) > 1:
        for one in codes:
            console.echo(f"{click.style(one.code, bold=True)}  {one.title}")
    else:
        console.echo(click.style(f"{codes[0].code}: {codes[0].title}", bold=True))
        console.echo("")
        console.echo(codes[0].text.replace("**", ""))
    return 0


_NAMES = {
    "front_matter": "front matter",
    "content_bytes": "content",
    "thumbnail_is": "thumbnail is",
    "not_published": "not published",
}


def _print_facts(facts: dict[str, Any]) -> None:
    for name, value in facts.items():
        if name in ("problems", "keys", "removed", "recovered") or value in (None, "", []):
            continue
        shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        if name == "content_bytes":
            shown = f"{value:,} bytes of clean HTML"
        key = facts["keys"].get({"link": "link", "id": "id"}.get(name, name))
        origin = f"  (from `{console.plain(key)}`)" if isinstance(key, str) and key != name else ""
        console.echo(f"{click.style(_NAMES.get(name, name).rjust(18), bold=True)}  {console.plain(shown)}{origin}")
    removed = facts.get("removed") or []
    if removed:
        console.echo(click.style("removed".rjust(18), bold=True))
        for one in removed:
            console.echo(f"{'':20}{console.plain(one['what'])}: {console.plain(one['detail'])}")
    elif facts.get("id"):
        console.echo(f"{click.style('removed'.rjust(18), bold=True)}  nothing")
