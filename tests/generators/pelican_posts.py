"""Print the articles that Pelican reads from a site as JSON.

Run it in the folder of the site with the Python that has Pelican. The script imports nothing from this project, because
that Python does not have its packages.
"""

import json
import os
import sys
from datetime import timezone

from pelican.generators import ArticlesGenerator
from pelican.settings import read_settings


def main() -> None:
    """Read the articles of the current folder as Pelican does, and write nothing but the JSON."""
    sys.path.insert(0, os.curdir)  # publishconf.py imports pelicanconf.
    file = next(name for name in ("publishconf.py", "pelicanconf.py") if os.path.exists(name))
    settings = read_settings(file, override={"PLUGINS": [], "CACHE_CONTENT": False})
    context = settings.copy()
    context |= {"generated_content": {}, "static_links": set(), "static_content": {}, "localsiteurl": ""}
    generator = ArticlesGenerator(
        context=context, settings=settings, path=settings["PATH"], theme=settings["THEME"], output_path="output"
    )
    generator.generate_context()
    shown = [*generator.articles, *generator.translations]
    others = [
        *generator.hidden_articles,
        *generator.hidden_translations,
        *generator.drafts,
        *generator.drafts_translations,
    ]
    posts = [_post(article, published=True) for article in shown] + [_post(one, published=False) for one in others]
    json.dump(posts, sys.stdout)


def _post(article, *, published):
    return {
        "source": os.path.relpath(article.source_path),
        "address": f"{article.settings['SITEURL']}/{article.url}",
        "title": article.title,
        "date": _instant(article, "date"),
        "updated": _instant(article, "modified"),
        "categories": [article.category.name],
        "tags": [tag.name for tag in getattr(article, "tags", ())],
        "published": published,
    }


def _instant(article, name):
    date = getattr(article, name, None)
    return date.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z") if date else ""  # noqa: UP017


main()
