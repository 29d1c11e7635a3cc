"""Test with independent parsers that hostile texts are written correctly into articles, settings and state."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

import pytest
import yaml
from lxml import etree, html

from feedtool import read_article
from feedtool.articles.provenance import read_stamp
from feedtool.cli.settings_file import append_sources
from feedtool.config import load_settings
from feedtool.config.edit import with_sources
from feedtool.errors import UsageError
from feedtool.scaffold import NewArticle, new_article
from feedtool.state import VERSION_RECORD, dump_state, parse_state
from tests.hostile_world.texts import NEVER, TEXTS, line, same
from tests.support.site import build, make_site, run, tree, write

KEYS = {
    "title", "categories", "author", "date", "link", "guid", "source", "updated", "language", "summary", "enclosures", "tags",
    "rights", "thumbnail", "feedtool",
}  # fmt: skip
FEED = "feeds/hostile.json"
NAME = 'it\'s # a: "source" [x]'


def feed(texts: list[str]) -> str:
    """Return a JSON feed with each text in every field of an item."""
    items = [
        {
            "id": f"id-{number}",
            "url": f"https://example.org/{number}",
            "title": text,
            "summary": f"{text} said so",
            "content_html": f"<p>Number {number}.</p><p>{escape(text)}</p>" + f"<p>{number} words of its own.</p>" * 3,
            "date_published": f"2022-07-25T{number // 60:02}:{number % 60:02}:00+08:00",
            "tags": [text],
            "authors": [{"name": text}],
            "attachments": [{"url": f"https://example.org/{number}.mp3", "mime_type": "audio/mpeg", "title": text}],
        }
        for number, text in enumerate(texts)
    ]
    return json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "A hostile feed", "items": items})


def front_matter(text: str) -> tuple[dict[str, Any], str]:
    """Return front matter with the types of YAML 1.1, and the body; fences are lines of exactly three dashes."""
    first, _, rest = text.partition("\n")
    assert first == "---"
    matter, fence, body = rest.partition("\n---\n")
    assert fence, text[:200]
    documents = list(yaml.safe_load_all(matter))
    assert len(documents) == 1
    assert isinstance(documents[0], dict)
    return documents[0], body


def ingested(folder: Path, texts: list[str], name: str = "hostile") -> Path:
    settings = f"[[sources]]\nname = {json.dumps(name)}\nurl = {json.dumps(FEED)}\nlimit = 10000\n"
    site = make_site(folder, {}, settings)
    write(site / FEED, feed(texts))
    done = run("ingest", "-C", str(site), "--json")
    assert (done.exit_code, done.json["new"]) == (0, len(texts)), (done.stdout[-1000:], done.stderr[-1000:])
    return site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ingested(tmp_path_factory.mktemp("hostile"), list(TEXTS))


def articles(site: Path) -> dict[int, str]:
    files = {}
    for file in sorted((site / "articles").rglob("*.md")):
        text = file.read_bytes().decode()
        files[int(front_matter(text)[0]["guid"].removeprefix("id-"))] = text
    return files


@pytest.mark.fault_class("text.yaml")
def test_ingested_front_matter_equals_the_entry(site: Path, tally: Callable[[int], None]) -> None:
    files = articles(site)
    assert sorted(files) == list(range(len(TEXTS)))
    for number, text in enumerate(TEXTS):
        values, body = front_matter(files[number])
        expected = line(text)
        assert set(values) <= KEYS, (text, set(values) - KEYS)
        assert same(values["title"].strip(), text, limit=500) if expected else values["title"].startswith("Number"), (
            text
        )
        assert all(same(name, text, limit=500) for name in values.get("categories", [])), text
        assert len(values.get("categories", [])) == bool(expected), text
        assert same(values.get("author", "").strip(), expected.strip(" ,;"), limit=500), text
        assert same(values["enclosures"][0].get("title", "").strip(), text, limit=500), text
        assert all(isinstance(value, str) for value in (values["feedtool"], values["guid"], values["source"]["title"]))
        shown = html.fromstring(body).xpath("string(//p[2])")
        assert same(line(shown), text), text
    tally(len(TEXTS) * 5)


@pytest.mark.fault_class("text.yaml")
def test_article_lines_contain_no_control_characters(site: Path, tally: Callable[[int], None]) -> None:
    for text in articles(site).values():
        matter, body = text.split("\n---\n", 1)
        assert not NEVER.search(matter), matter
        assert not set(body) & {chr(code) for code in range(32)} - {"\n", "\t"}
    tally(len(TEXTS))


@pytest.mark.fault_class("text.yaml")
def test_second_ingest_and_build_change_no_article(site: Path, tally: Callable[[int], None]) -> None:
    before = tree(site / "articles")
    again = run("ingest", "-C", str(site), "--json", "--force")
    assert (again.exit_code, again.json["new"], again.json["updated"]) == (0, 0, 0)
    assert tree(site / "articles") == before
    built = build(site)
    assert (built.exit_code, built.json["articles"]) == (0, len(TEXTS)), built.stderr[-2000:]
    tally(len(TEXTS))


@pytest.mark.fault_class("text.yaml")
def test_new_writes_the_requested_metadata(tmp_path: Path, tally: Callable[[int], None]) -> None:
    settings = load_settings(str(make_site(tmp_path, {})))
    for text in TEXTS:
        expected = " ".join(text.split())
        try:
            path = Path(new_article(settings, NewArticle(title=text, categories=[text], author=text), clock=_noon))
        except UsageError:
            assert not expected
            continue
        values, _ = front_matter(path.read_bytes().decode())
        assert set(values) == {"title", "categories", "author", "date", "guid"}, text
        assert [values["title"], *values["categories"]] == [_written(expected), _written(expected)]
        assert values["author"] == _written(text)
        assert path.resolve().is_relative_to((tmp_path / "articles").resolve())
    tally(len(TEXTS) * 3)


def _noon() -> datetime:
    return datetime(2022, 7, 25, 12, tzinfo=UTC)


def _written(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


@pytest.mark.fault_class("text.yaml")
def test_fixed_articles_read_as_before_in_any_parser(tmp_path: Path, tally: Callable[[int], None]) -> None:
    lines = [text for text in TEXTS if "\n" not in text and "\r" not in text and len(text) < 2000]
    files = {
        f"{number}.md": f"---\ntitle: {text}\ndate: Mon, 25 Jul 2022 12:11:30 GMT\nauthor: {text}\n---\n<p>{number}</p>\n"
        for number, text in enumerate(lines)
    }
    site = make_site(tmp_path, files)
    before = {name: _values_in(site / "articles" / name) for name in files}
    done = run("check", "-C", str(site), "--fix", "--json")
    assert done.exit_code in (0, 1), done.stderr[-1000:]
    fixed = {Path(name).name for name in done.json["fixed"]}
    assert len(fixed) > len(lines) / 2
    for name in fixed:
        data = (site / "articles" / name).read_bytes()
        assert _values_in(site / "articles" / name) == before[name], data
        assert data.endswith(f"---\n<p>{name[:-3]}</p>\n".encode())
        assert data.count(b"\nguid: ") == 1
    tally(len(lines))


def _values_in(file: Path) -> tuple[str, str, tuple[str, ...]]:
    article, _ = read_article(str(file))
    return (
        ("", "", ()) if article is None else (article.title, article.body, tuple(one.name for one in article.authors))
    )


@pytest.mark.fault_class("text.yaml")
def test_provenance_keeps_any_source_name(tmp_path: Path, tally: Callable[[int], None]) -> None:
    names = [text for text in dict.fromkeys(map(line, TEXTS)) if text and len(text) < 1000][::6]
    tables = [{"name": name, "url": f"feeds/{number}.json"} for number, name in enumerate(names)]
    site = make_site(tmp_path, {}, with_sources("", tables))
    for number, _ in enumerate(names):
        write(site / f"feeds/{number}.json", feed([f"Title {number}"]).replace("id-0", f"id-{number}"))
    first = run("ingest", "-C", str(site), "--json")
    assert (first.exit_code, first.json["new"]) == (0, len(names)), first.stderr[-1000:]
    for number, text in articles(site).items():
        assert read_stamp(front_matter(text)[0]["feedtool"]).source == names[number]
    again = run("ingest", "-C", str(site), "--json", "--force")
    assert (again.exit_code, again.json["new"], again.json["updated"]) == (0, 0, 0), again.stdout[-2000:]
    tally(len(names))


OLD = '# mine\n[site]\ntitle = "Mine" # a "title"\nurl = "https://example.org/"\n'


@pytest.mark.fault_class("text.toml")
def test_added_sources_keep_existing_settings(tmp_path: Path, tally: Callable[[int], None]) -> None:
    expected = [
        {"name": f"{line(text)} {number}", "url": f"https://example.org/{number}", "categories": [line(text), "Plain"]}
        for number, text in enumerate(TEXTS)
        if line(text) and len(text) < 5000
    ]
    for old in (OLD, f"{OLD}sources = [ ]\n".replace("[site]", "").replace("title", "#title").replace("url", "#url")):
        site = tmp_path / str(len(old))
        write(site / "feedtool.toml", old)
        append_sources(load_settings(str(site)), expected)
        text = (site / "feedtool.toml").read_bytes().decode()
        read = tomllib.loads(text)
        assert read.pop("sources") == expected
        assert read == {name: value for name, value in tomllib.loads(old).items() if name != "sources"}
        assert text.startswith(old.partition(" ]")[0])
    tally(2 * len(expected) * 2)


@pytest.mark.fault_class("text.toml")
def test_opml_round_trip_keeps_subscription_names(tmp_path: Path, tally: Callable[[int], None]) -> None:
    names = [text for text in TEXTS if line(text) and len(text) < 5000 and _fits_xml(text)]
    root = etree.Element("opml", version="2.0")
    body = etree.SubElement(root, "body")
    for number, name in enumerate(names):
        folder = etree.SubElement(body, "outline", text=name)
        etree.SubElement(folder, "outline", text=name, title=name, type="rss", xmlUrl=f"https://example.org/{number}")
    site = make_site(tmp_path / "site", {})
    (tmp_path / "in.opml").write_bytes(etree.tostring(root, encoding="utf-8", xml_declaration=True))
    done = run("opml", "import", "-C", str(site), str(tmp_path / "in.opml"), "--json")
    assert (done.exit_code, done.json["added"]) == (0, len(names)), done.stderr[-1000:]
    read = tomllib.loads((site / "feedtool.toml").read_text("utf-8"))["sources"]
    assert [one["categories"] for one in read] == [[line(name)] for name in names]
    # The second of two equal names gets a number.
    assert all(one["name"].startswith(line(name)) for one, name in zip(read, names, strict=True))
    run("opml", "export", "-C", str(site), "-o", str(tmp_path / "out.opml"))
    out = etree.fromstring((tmp_path / "out.opml").read_bytes())
    feeds = {one.get("xmlUrl"): one for one in out.iter("outline") if one.get("xmlUrl")}
    for number, name in enumerate(names):
        actual = feeds[f"https://example.org/{number}"]
        parent = actual.getparent()
        assert parent is not None
        original = read[number]["name"]
        assert (actual.get("text"), actual.get("title"), parent.get("text")) == (original, original, line(name))
    tally(len(names) * 4)


def _fits_xml(text: str) -> bool:
    try:
        etree.Element("x").text = text
    except ValueError:
        return False
    return True


@pytest.mark.fault_class("text.json")
def test_state_has_one_object_per_line_and_reads_back(tally: Callable[[int], None]) -> None:
    state = {(kind, text): {"note": text, "list": [text]} for kind in ("tombstone", "source") for text in TEXTS}
    text = dump_state(state)
    lines = text.removesuffix("\n").split("\n")
    assert [(one["kind"], one["key"]) for one in map(json.loads, lines)] == [VERSION_RECORD, *sorted(state)]
    assert parse_state(text) == state
    assert parse_state(text.replace("\n", "\r\n")) == state
    tally(len(state) * 3)
