"""Test that repairs of a feed are reported by ingest, status and add until the feed is valid."""

from __future__ import annotations

import json

import pytest

from tests.support.server import page, serve
from tests.support.site import make_site, run, tree, write

ITEM = (
    '<item><guid isPermaLink="false">{0}</guid><title>T{0}</title><pubDate>Mon, 01 Jan 2024 00:00:00 GMT</pubDate>'
    "<description>{1}</description></item>"
)
FEED = (
    '<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0"><channel><title>A blog</title>'
    "<link>https://blog.example.org/</link><description>d</description>\n{}\n</channel></rss>\n"
)
SOUND = FEED.format(ITEM.format("a", "words"))
SOURCES = "".join(f'[[sources]]\nname = "{name}"\nurl = "{name}.xml"\n' for name in ("open", "bytes", "sound"))
OPEN_TAG = "its XML is malformed and was repaired: line 3: <br> without an end tag"
OTHER_CHARSET = "it is declared as utf-8 but is cp1252"
MALFORMED = {
    "a raw ampersand": ("Q & A", 'line 3: a "&" that does not start a reference'),
    "an unknown entity": ("a&nbsp;b", "line 3: &nbsp; is not declared"),
    "a raw angle bracket": ("a < b", 'line 3: a "<" that does not start a tag'),
    "a stray end tag": ("a</b>", "line 3: </b> without a start tag"),
    "an end of CDATA": ("a ]]> b", 'line 3: "]]>" in text'),
    "an open comment": ("a <!-- b", "line 3: a comment has no end"),
    "an open CDATA section": ("<![CDATA[a", "line 3: a CDATA section has no end"),
    "hyphens in a comment": ("a<!-- b -- c -->", 'line 3: a comment with "--" in it'),
    "an attribute without a value": ("<i a='1' b>x</i>", "line 3: a malformed attribute of <i>"),
    "an attribute without quotes": ("<i a=1>x</i>", "line 3: an attribute of <i> without quotes"),
    "a double attribute": ("<i a='1' a='2'>x</i>", "line 3: a malformed attribute of <i>"),
    "a control character": ("a\x01b", "line 3: a character that XML forbids"),
    "an impossible reference": ("a&#0;b", "line 3: a reference to a character that XML forbids"),
    "a prefix of nobody": ("<dc:x>a</dc:x>", "line 3: the prefix dc is not declared"),
}


@pytest.fixture
def site(tmp_path):
    folder = make_site(tmp_path, {}, SOURCES)
    write(folder / "open.xml", FEED.format(ITEM.format("a", "line<br>two")))
    write(folder / "bytes.xml", FEED.format(ITEM.format("b", "Un café très agréable, l’été fut long")).encode("cp1252"))
    write(folder / "sound.xml", SOUND)
    return folder


def _warnings(answer: dict) -> dict[str, list[str]]:
    return {one["source"]: one["warnings"] for one in answer["sources"]}


def test_ingest_warns_about_repaired_feeds(site):
    done = run("ingest", "-C", str(site), "--verbose")
    assert done.exit_code == 0
    lines = [line for line in done.stderr.splitlines() if "warning" in line]
    assert lines == [f"warning: open: {OPEN_TAG}", f"warning: bytes: {OTHER_CHARSET}"]
    expected = {"open": [OPEN_TAG], "bytes": [OTHER_CHARSET], "sound": []}
    # An unchanged feed is not parsed again, and is still warned about.
    for more in ([], ["--force"]):
        again = run("ingest", "-C", str(site), "--json", *more)
        assert (again.exit_code, again.json["ok"], again.json["problems"]) == (0, True, [])
        assert _warnings(again.json) == expected
    assert "warning" not in run("ingest", "-C", str(site), "--force").stderr


def test_status_warns_until_the_feed_is_valid(site):
    assert run("ingest", "-C", str(site), "--json").exit_code == 0
    status = run("status", "-C", str(site))
    assert status.exit_code == 0
    assert [line.strip() for line in status.stdout.splitlines() if "warning" in line] == [
        f"warning: {OTHER_CHARSET}",
        f"warning: {OPEN_TAG}",
    ]
    status_json = run("status", "-C", str(site), "--json").json
    assert status_json["ok"] is True
    assert _warnings(status_json) == {"open": [OPEN_TAG], "bytes": [OTHER_CHARSET], "sound": []}
    write(site / "open.xml", FEED.format(ITEM.format("a", "line two")))
    write(site / "bytes.xml", FEED.format(ITEM.format("b", "Un café")))
    assert run("ingest", "-C", str(site), "--json").exit_code == 0
    assert not any(_warnings(run("status", "-C", str(site), "--json").json).values())
    assert "warnings" not in (site / "feedtool.state").read_text()


def test_older_state_is_read_and_kept(site):
    strange = '{"kind": "later", "key": "k", "fact": [1]}\n'
    old = '{"kind": "source", "key": "open", "digest": "0", "good": "2024-01-01T00:00:00Z"}\n'
    write(site / "feedtool.state", strange + old)
    assert _warnings(run("status", "-C", str(site), "--json").json)["open"] == []
    assert run("ingest", "-C", str(site), "--json").exit_code == 0
    records = [json.loads(line) for line in (site / "feedtool.state").read_text().splitlines()]
    assert json.loads(strange) in records
    assert [one["warnings"] for one in records if one["key"] == "open"] == [[OPEN_TAG]]


@pytest.mark.parametrize("name", MALFORMED)
def test_each_fault_has_its_message(name, site):
    text, words = MALFORMED[name]
    write(site / "open.xml", FEED.format(ITEM.format("a", text)))
    done = run("ingest", "-C", str(site), "--json", "open")
    assert done.exit_code == 0
    (warning,) = _warnings(done.json)["open"]
    assert warning.startswith(f"its XML is malformed and was repaired: {words}")


def test_open_cdata_section_hides_no_entry(site):
    items = [ITEM.format(number, f"<![CDATA[<p>Text {number}</p>]]>") for number in range(4)]
    write(site / "open.xml", FEED.format("\n".join(items)))
    assert run("ingest", "-C", str(site), "--json", "open").json["new"] == 4
    before = tree(site / "articles")
    items[1] = items[1].replace("]]>", "")
    write(site / "open.xml", FEED.format("\n".join(items)))
    done = run("ingest", "-C", str(site), "--json", "open")
    assert (done.exit_code, done.json["unchanged"], done.json["new"]) == (0, 4, 0)
    assert tree(site / "articles") == before
    assert _warnings(done.json)["open"] == ["its XML is malformed and was repaired: line 4: a CDATA section has no end"]


def test_entries_without_text_are_counted(site):
    items = [ITEM.format("a", "words"), ITEM.format("b", ""), ITEM.format("c", "")]
    write(site / "sound.xml", FEED.format("".join(items)))
    done = run("ingest", "-C", str(site), "--json", "sound")
    assert done.exit_code == 0
    assert _warnings(done.json) == {"sound": ["2 of 3 entries have no text"]}
    assert _warnings(run("status", "-C", str(site), "--json").json)["sound"] == []


def test_add_warns_about_repaired_feeds(site):
    allow = '[ingest]\nallow_private_hosts = ["127.0.0.1"]\n'
    with serve({"/open": page(FEED.format(ITEM.format("a", "a<br>b"))), "/sound": page(SOUND)}) as server:
        folder = make_site(site, {}, allow)
        done = run("add", "-C", str(folder), server.url("/open"), "--name", "Open")
        assert done.exit_code == 0, done.stderr
        assert [line for line in done.stderr.splitlines() if "warning" in line] == [f"warning: Open: {OPEN_TAG}"]
        for path, warnings in (("/open", [OPEN_TAG]), ("/sound", [])):
            make_site(site, {}, allow)
            assert run("add", "-C", str(folder), server.url(path), "--json").json["warnings"] == warnings


TITLES = {
    "short": ("<p>Good morning!</p>", "Good morning!"),
    "between words": (
        "<p>Three pictures of a walk by the river, taken this morning before it began to rain hard</p>",
        "Three pictures of a walk by the river, taken this morning before it began to…",
    ),
    "no comma before an ellipsis": (
        "<p>" + "word " * 14 + "ending, and so on for a while</p>",
        ("word " * 14 + "ending…"),
    ),
    "no words": ("<p>" + "上海" * 50 + "</p>", "上海" * 39 + "上…"),
    "one long word": ("<p>" + "x" * 100 + "</p>", "x" * 79 + "…"),
    "eighty letters": ("<p>" + "x" * 80 + "</p>", "x" * 80),
    "a described picture": ("<img src='https://x.example.com/1.jpg' alt='A bridge'>", "A bridge"),
}


@pytest.mark.parametrize("name", TITLES)
def test_untitled_entry_gets_its_first_words(name, site):
    body, title = TITLES[name]
    item = ITEM.format("a", f"<![CDATA[{body}]]>").replace("<title>Ta</title>", "")
    write(site / "sound.xml", FEED.format(item))
    assert run("ingest", "-C", str(site), "--json", "sound").json["new"] == 1
    (text,) = tree(site / "articles").values()
    assert f"title: '{title}'" in text.decode() or f"title: {title}" in text.decode()
