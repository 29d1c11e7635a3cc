"""Test that unusual front matter, sections and settings are read as their generator reads them, or hide the article."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from feedtool.articles import Rules, read_article
from feedtool.articles.dialect import NO_FOLDER_VALUES, NOT_HIDDEN, PLAIN, Dialect
from feedtool.dialects.hugo import Hugo
from feedtool.dialects.jekyll import Jekyll, load
from feedtool.dialects.pelican import Pelican
from feedtool.slugs import file_name

META = "<meta name='date' content='2024-03-05'>"
DRAFT = "<meta name='status' content='draft'>"
NOW = datetime(2024, 9, 1, tzinfo=UTC)
PELICAN = Rules(dialect=Pelican())


@pytest.mark.parametrize(
    "text",
    [
        f"<html><head><title>t</title>{META}<![x {DRAFT}</head><body>x</body></html>",
        f"<html><head><title>t</title>{META}<!-- <body> -->{DRAFT}</head><body>x</body></html>",
        f"<html><head><title>t</title>{META}<script>'<body>'</script>{DRAFT}</head><body>x</body></html>",
        f"<html><head><title>t</title>{META}{DRAFT}</head>x</html>",
        f"<html><head><title>t</title>{META}{'<meta>' * 20_000}{DRAFT}</head><body>x</body></html>",
    ],
)
def test_draft_in_odd_html_is_withheld(text: str) -> None:
    article, problems = read_article("2024-03-05-a.html", text.encode(), PELICAN)
    assert article.draft if article is not None else [one.severity for one in problems] == ["error"]


def test_html_body_begins_after_its_tag() -> None:
    text = f"<html>\r\n<head><title>t</title>\n{META}</head>\n\n<body\n class='a'>kept</body></html>"
    article, _ = read_article("a.html", text.encode(), PELICAN)
    assert article is not None
    assert (article.title, article.body) == ("t", "kept</body></html>")


def is_unpublished(text: str, dialect: Dialect) -> bool:
    """Return True if an article with this text and a date in its name is in no feed."""
    article, _ = read_article("2024-03-05-a.md", text.encode(), Rules(dialect=dialect))
    return article is None or bool(article.withheld) or max(article.shown_from or NOW, article.published) > NOW


@pytest.mark.parametrize(
    "line",
    [
        "password: 0", "password: '0'", "password: no", "password: off", "password: n", "password: none", "encrypt: x",
        "encrypt: {password: x}", "encrypt: [a]", "encryptPassword: x", "excludeFromFeed: true", "hideFromFeed: yes", "draft: t",
    ],
)  # fmt: skip
def test_every_spelling_of_a_password_protects(line: str) -> None:
    assert is_unpublished(f"---\ntitle: t\n{line}\n---\nx\n", PLAIN)


@pytest.mark.parametrize(
    "line", ["password:", "password: false", "password: ''", "password: ~", "encrypt: false", "encrypt: no"]
)
def test_empty_password_protects_nothing(line: str) -> None:
    assert not is_unpublished(f"---\ntitle: t\n{line}\n---\nx\n", PLAIN)


def test_pelican_reads_only_the_first_line_of_a_value() -> None:
    text = b"Title: t\nDate: 2024-03-05 10:00\n    x\nStatus: published\n    draft\nTags: a, b\n    c\n\nx\n"
    article, problems = read_article("a.md", text, PELICAN)
    assert article is not None
    assert (article.tags, article.withheld, problems) == (("a", "b"), "", ())


@pytest.mark.parametrize(
    ("section", "is_hidden"),
    [
        ("date: 2099-01-01", True), ("cascade: {date: 2099-01-01}", True), ("d: &d {draft: true}\ncascade: *d", True),
        ("d: &d {draft: true}\ncascade:\n  <<: *d", True), ("cascade:\n- _target: {path: '/POSTS/**'}\n  draft: true", True),
        ("cascade:\n- _target: {environment: '{production,staging}'}\n  draft: true", True),
        ("cascade:\n- _target: {environment: 'staging'}\n  draft: true", False), ("date: 2024-01-01", False),
        ("cascade:\n- _target: {path: '/news/**'}\n  draft: true", False),
    ],
)  # fmt: skip
def test_hugo_sections_hide_their_pages(section: str, is_hidden: bool) -> None:
    hugo = Hugo(below="posts/")
    values = hugo.section(NO_FOLDER_VALUES, "_index.md", f"---\ntitle: S\n{section}\n---\n".encode(), UTC)
    assert is_unpublished("---\ntitle: t\n---\nx\n", Hugo(below="posts/", folder_values=values)) is is_hidden


def test_an_empty_section_file_hides_nothing() -> None:
    assert Hugo().section(NO_FOLDER_VALUES, "_index.md", b"\n", UTC).hidden == NOT_HIDDEN


def test_index_txt_makes_no_bundle() -> None:
    names = ["a.md", "index.txt"]
    assert Hugo().sort("", names, []).articles == ["a.md"]


def test_jekyll_toml_defaults_and_empty_published_hide() -> None:
    config = b"[[defaults]]\nvalues = {published = false}\n[defaults.scope]\npath = ''\n"
    rules = load(lambda name: config if name == "_config.toml" else None, "_posts")
    assert is_unpublished("---\ntitle: t\n---\nx\n", rules)
    assert is_unpublished("---\ntitle: t\npublished:\n---\nx\n", Jekyll())
    assert not is_unpublished("---\ntitle: t\n---\nx\n", Jekyll())


@pytest.mark.parametrize("title", ["---", "...", "", " ", "中文", "It's"])
def test_new_jekyll_files_are_posts(title: str) -> None:
    name = file_name(Jekyll().file_title(title, NOW, UTC), limit=100)
    assert Jekyll().sort("", [name], []).articles == [name]
