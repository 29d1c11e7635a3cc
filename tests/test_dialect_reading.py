"""Front matter, sections and settings in odd forms are read as their generator reads them, or keep the article back."""

from __future__ import annotations

import pytest

from feedtool.article import Rules, read_article
from feedtool.dialects.pelican import Pelican

META = "<meta name='date' content='2024-03-05'>"
DRAFT = "<meta name='status' content='draft'>"
PELICAN = Rules(dialect=Pelican())


@pytest.mark.parametrize(
    "text",
    [
        f"<html><head><title>t</title>{META}<![x {DRAFT}</head><body>x</body></html>",
        f"<html><head><title>t</title>{META}<!-- <body> -->{DRAFT}</head><body>x</body></html>",
        f"<html><head><title>t</title>{META}<script>'<body>'</script>{DRAFT}</head><body>x</body></html>",
        f"<html><head><title>t</title>{META}{DRAFT}</head>x</html>",
    ],
)
def test_a_draft_in_odd_html_is_kept_back(text: str) -> None:
    article, problems = read_article("2024-03-05-a.html", text.encode(), PELICAN)
    assert article.draft if article is not None else [one.severity for one in problems] == ["error"]


def test_the_body_of_html_begins_behind_its_tag() -> None:
    text = f"<html>\r\n<head><title>t</title>\n{META}</head>\n\n<body\n class='a'>kept</body></html>"
    article, _ = read_article("a.html", text.encode(), PELICAN)
    assert article is not None
    assert (article.title, article.body) == ("t", "kept</body></html>")
