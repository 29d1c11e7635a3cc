"""Test the meaning of the keys and values of front matter row by row."""

from __future__ import annotations

import re
import tomllib
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from feedtool.articles import Head, Rules, front_matter, read_article, read_head
from feedtool.articles.provenance import Stamp
from feedtool.articles.writer import new_file
from feedtool.dates.parse import iso
from feedtool.dialects.hexo import Hexo
from feedtool.dialects.jekyll import Jekyll
from feedtool.models import Article

TABLES = Path(__file__).parent / "data" / "tables"
KEYS: dict[str, dict[str, Any]] = tomllib.loads((TABLES / "front_matter.toml").read_text("utf-8"))
VALUES: dict[str, Any] = tomllib.loads((TABLES / "values.toml").read_text("utf-8"))
ORDERED = [(meaning, *pair) for meaning, row in KEYS.items() for pair in combinations(row["keys"].split(), 2)]
DATED = re.compile(rf'(?im)^"?(?:{KEYS["published"]["keys"].replace(" ", "|")})"?:')


def read(front: str, **options: Any) -> Article:
    """Return the article with this front matter, and check that its head has the same facts."""
    rules = Rules(**options)
    dated = "" if DATED.search(front) else "date: 2022-07-25\n"
    data = f"---\n{front}\n{dated}---\nText.\n".encode()
    article, _ = read_article("a.md", data, rules)
    assert article is not None
    head = read_head("a.md", data, lambda: data, rules)
    # Date keys may set the start of publication later than the date itself.
    assert facts_of(head._replace(hidden=0) if isinstance(head.hidden, tuple) else head) == facts_of(article)
    return article


def facts_of(one: Article | Head) -> tuple[object, ...]:
    """Return the facts that both an article and its head contain."""
    if isinstance(one, Head):
        return (
            one.id,
            one.published,
            one.updated,
            one.categories,
            one.tags,
            one.authors,
            one.source,
            one.hidden,
            one.linked,
        )
    source = (one.source.title or one.source.url or "") if one.source else ""
    moments = int(one.published.timestamp()), int(one.updated.timestamp())
    names = tuple(author.name for author in one.authors)
    return (one.id, *moments, one.categories, one.tags, names, source, one.draft, one.link is not None)


def value_of(article: Article, meaning: str) -> str:
    """Return an article's value of one meaning in the form of the table."""
    value = getattr(article, meaning)
    if meaning in ("published", "updated"):
        value = iso(value)
    elif meaning == "authors":
        value = tuple(author.name for author in value)
    elif meaning == "enclosures":
        value = tuple(enclosure.url for enclosure in value)
    elif meaning == "source":
        value = (value.title, value.url, value.id)
    return repr(value)


def shapes(key: str) -> tuple[str, ...]:
    """Return the spellings of a key that people use."""
    return (key, key.upper(), key.title(), key.replace("_", "-"), f'"{key}"')


@pytest.mark.parametrize("meaning", KEYS)
def test_every_key_has_its_meaning(meaning: str) -> None:
    for key in KEYS[meaning]["keys"].split():
        for value, expected in KEYS[meaning]["values"]:
            for shape in shapes(key):
                assert value_of(read(f"{shape}: {value}"), meaning) == expected, shape


@pytest.mark.parametrize(("meaning", "first", "second"), ORDERED)
def test_first_key_with_a_value_wins(meaning: str, first: str, second: str) -> None:
    (one, one_read), (two, two_read) = KEYS[meaning]["values"]
    for front, expected in (
        (f"{first}: {one}\n{second}: {two}", one_read),
        (f"{second}: {two}\n{first}: {one}", one_read),
        (f"{second}: {one}\n{first}: {two}", two_read),
        (f"{first}:\n{second}: {two}", two_read),
        (f"{first}: ''\n{second}: {two}", two_read),
        (f"{first}: []\n{second}: {two}", two_read),
        (f"{first}: ~\n{second}: {one}", one_read),
    ):
        assert value_of(read(front), meaning) == expected, front


@pytest.mark.parametrize(
    "front",
    [
        "date: tomorrow\npublished: 2021-02-03", "date: 0\npubdate: 2021-02-03", "published: true\ncreated: 2021-02-03",
        "published: yes\ndate: 2021-02-03", "date: [2021-02-03, 2020-01-01]",
    ],
)  # fmt: skip
def test_unreadable_date_falls_back_to_the_next_key(front: str) -> None:
    assert iso(read(front).published) == "2021-02-03T00:00:00Z"


def test_invalid_link_falls_back_to_the_next_key() -> None:
    assert read("link: /a\nsource_url: ftp://e.org/\npermalink: https://e.org/p").link == "https://e.org/p"


@pytest.mark.parametrize("word", [*VALUES["yes"].split(), *VALUES["no"].split(), "maybe", "2", "null"])
def test_draft_and_published_words_hide_articles(word: str) -> None:
    for spelling in (word, word.upper(), word.title(), f'"{word}"'):
        assert read(f"draft: {spelling}").draft == (word in VALUES["yes"].split()), spelling
        front = f"published: {spelling}\ncreated: 2022-07-25"
        assert read(front).draft == (word in VALUES["no"].split()), spelling


@pytest.mark.parametrize("word", [*VALUES["yes"].split(), *VALUES["no"].split()])
def test_negative_words_disable_the_thumbnail(word: str) -> None:
    expected = "" if word in VALUES["no_picture"].split() else "b.png" if word in VALUES["yes"].split() else word
    for spelling in (word, word.upper()):
        thumbnail = read(f"thumbnail: {spelling}\ncover: b.png").thumbnail
        assert (thumbnail or "").lower() == expected
        assert thumbnail is not None


@pytest.mark.parametrize("word", VALUES["text"].split())
def test_yaml_typed_words_stay_text(word: str) -> None:
    assert read(f"title: {word}").title == word
    assert read(f"tags: [{word}]").tags == (word,)
    assert read(f"categories:\n - {word}\n - x").categories == (word, "x")
    assert read(f"author: {word}").authors[0].name == word


@pytest.mark.parametrize("word", VALUES["absent"].split())
def test_null_words_are_empty_unless_quoted(word: str) -> None:
    assert read(f"title: {word}\ntags: [{word}]\ncategories:\n - {word}\nauthor: {word}").title == "a"
    absent = read(f"title: x\ntags: [{word}]\ncategories:\n - {word}\nauthor: {word}\nlang: {word}")
    assert (absent.tags, absent.categories, absent.authors, absent.language) == ((), (), (), None)
    quoted = read(f"title: '{word}'\ntags: [\"{word}\"]\ncategories:\n - '{word}'\n")
    assert (quoted.title, quoted.tags, quoted.categories) == (word, (word,), (word,))


@pytest.mark.parametrize(
    "word", [*VALUES["quoted"].split(), "a: b", "a #b", " a", "a ", "", "[a]", "{a}", "'a'", '"a"']
)
def test_non_string_words_are_written_in_quotes(word: str) -> None:
    for text in {word, word.upper(), word.title()}:
        quoted = "'" + text.replace("'", "''") + "'"
        assert front_matter({"author": text, "tags": [text]}) == f"---\nauthor: {quoted}\ntags:\n - {quoted}\n---\n"
        assert yaml.safe_load(f"a: {quoted}") == {"a": text}
        if text.strip():
            spelling = new_file({"author": text, "tags": [text]}, "", Stamp("s"))
            assert spelling.startswith(f"---\nauthor: {quoted}\ntags:\n - {quoted}\n")


@pytest.mark.parametrize("word", [*VALUES["bare"].split(), "Ada Lovelace", "上海 一"])
def test_plain_words_are_written_without_quotes(word: str) -> None:
    assert front_matter({"author": word, "tags": [word]}) == f"---\nauthor: {word}\ntags:\n - {word}\n---\n"
    assert new_file({"author": word, "title": word}, "", Stamp("s")).startswith(
        f"---\ntitle: '{word}'\nauthor: {word}\n"
    )
    assert yaml.safe_load(f"a: {word}") == {"a": word}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("中\tb", '"中\\tb"'), ("a\nb", '"a\\nb"'), ("中\u2028", '"中\\L"'), ("e\u0301\u3000x", "'e\u0301\u3000x'"),
        ("x" * 200 + "\t" + "y z " * 50 + "!", '"' + "x" * 200 + "\\t" + "y z " * 50 + '!"'),
    ],
)  # fmt: skip
def test_unprintable_value_is_written_on_one_line(text: str, line: str) -> None:
    assert front_matter({"title": text}) == f"---\ntitle: {line}\n---\n"
    assert yaml.safe_load(f"title: {line}") == {"title": text}


@pytest.mark.parametrize("row", VALUES["categories"], ids=lambda row: row["yaml"])
def test_categories_are_read_in_each_form(row: dict[str, Any]) -> None:
    flat = tuple(row["flat"])
    assert read(row["yaml"]).categories == flat
    assert read(row["yaml"], dialect=Hexo()).categories == flat
    assert read(row["yaml"], dialect=Jekyll()).categories == tuple(row.get("jekyll", flat))
    assert read(row["yaml"], hierarchy=True).categories == tuple(row.get("hierarchy", flat))


@pytest.mark.parametrize("row", VALUES["tags"], ids=lambda row: row["yaml"])
def test_tags_are_read_in_each_form(row: dict[str, Any]) -> None:
    assert read(row["yaml"]).tags == tuple(row["names"])


@pytest.mark.parametrize("row", VALUES["authors"], ids=lambda row: row["yaml"])
def test_authors_are_read_in_each_form(row: dict[str, Any]) -> None:
    people = [[one.name, one.email or "", one.uri or ""] for one in read(row["yaml"]).authors]
    assert people == row["people"]


@pytest.mark.parametrize("row", VALUES["thumbnail"], ids=lambda row: row["yaml"])
def test_thumbnail_is_read_in_each_form(row: dict[str, Any]) -> None:
    assert read(row["yaml"]).thumbnail == {"": None, "-": ""}.get(row["picture"], row["picture"])


@pytest.mark.parametrize("row", VALUES["source"], ids=lambda row: row["yaml"])
def test_source_is_read_in_each_form(row: dict[str, Any]) -> None:
    source = read(row["yaml"]).source
    assert ([source.title or "", source.url or "", source.id or ""] if source else []) == row["parts"]


@pytest.mark.parametrize("row", VALUES["enclosures"], ids=lambda row: row["yaml"])
def test_enclosures_are_read_in_each_form(row: dict[str, Any]) -> None:
    files = [
        [one.url, one.type, one.length if one.length is not None else "", one.duration or "", one.title or ""]
        for one in read(row["yaml"]).enclosures
    ]
    assert files == row["files"]


@pytest.mark.parametrize(("ending", "kind"), VALUES["types"].items())
def test_file_name_gives_the_enclosure_type(ending: str, kind: str) -> None:
    for address in (
        f"https://e.org/a.{ending}",
        f"https://e.org/a.{ending.upper()}?b=c.xyz",
        f"https://e.org/a.{ending}#t=1.5",
    ):
        assert [one.type for one in read(f"enclosure: {address}").enclosures] == [kind], address


@pytest.mark.parametrize("count", [99, 100, 101])
def test_at_most_a_hundred_names_are_read(count: int) -> None:
    names = ", ".join(f"n{number}" for number in range(count))
    files = ", ".join(f"https://e.org/{number}.mp3" for number in range(count))
    article = read(f"tags: [{names}]\ncategories: [{names}]\nauthors: [{names}]\nenclosures: [{files}]")
    counts = {len(values) for values in (article.tags, article.categories, article.authors, article.enclosures)}
    assert counts == {min(count, 100)}
    assert len(
        read(f"categories: [{', '.join(f'[n{number}]' for number in range(count))}]", hierarchy=True).categories
    ) == (min(count, 100))


@pytest.mark.parametrize(
    ("front", "expected"),
    [
        ("title: A\ntitle: B\ndate: 2022-07-25", ["3 FT008"]),
        ("title: A # b\ndate: 2022-07-25", ["2 FT008"]),
        ("title: a: b\ndate: 2022-07-25", ["2 FT007"]),
        ("date: never\npubdate: 2022-07-25\ntitle: A\ntitle: B", ["2 FT011", "5 FT008"]),
        (f"tags: [{', '.join(map(str, range(101)))}]\ntitle: A\ntitle: B\ndate: 2022-07-25", ["2 FT018", "4 FT008"]),
        ("title: A\ntitle: B\ntitle: C\ndate: never\ncreated: 2022-07-25", ["3 FT008", "4 FT008", "5 FT011"]),
    ],
)
def test_warnings_follow_the_order_of_lines(front: str, expected: list[str]) -> None:
    data = f"---\n{front}\n---\nText.\n".encode()
    article, problems = read_article("a.md", data, Rules())
    assert article is not None
    head = read_head("a.md", data, lambda: data, Rules())
    for of_it in (problems, head.problems):
        assert [f"{problem.line} {problem.code}" for problem in of_it] == expected
        assert {(problem.file, problem.severity) for problem in of_it} == {("articles/a.md", "warning")}
