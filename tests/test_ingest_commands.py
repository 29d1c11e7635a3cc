"""Test `opml`, `status`, `prune` and the settings file: their arguments, output and exit codes."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime, timedelta

import listparser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedtool.cli.main import run
from feedtool.cli.settings_file import append_sources
from feedtool.config import load_settings, parse_settings
from feedtool.config.edit import free_name, with_sources
from feedtool.errors import FeedtoolError, SettingsError
from feedtool.feedparse.opml import Outline, read_opml
from feedtool.ingesting.memory import Memory
from feedtool.ingesting.schedule import Health, Visit, after_failure, after_success
from tests.support.site import SETTINGS, make_site

OPML = """<?xml version="1.0" encoding="utf-8"?>
<opml version="2.0"><head><title>T</title></head><body>
<outline text="金融"><outline text="Inner &amp; more">
 <outline type="rss" text="A" title="Feed A" xmlUrl="https://a.example.org/feed"/>
</outline><outline text="B" xmlUrl="https://b.example.org/feed" category="/Tech/Web,News"/></outline>
<outline text="Loose" xmlUrl="https://c.example.org/feed"/>
<outline text="Again"><outline text="A again" xmlUrl="https://a.example.org/feed"/></outline>
<outline text="Bad" xmlUrl="file:///etc/passwd"/>
</body></opml>"""
SOURCE = '[[sources]]\nname = "Wire"\nurl = "https://w.example.org/feed"\ncategories = ["News", "金融"]\n'


def test_opml_folders_become_categories():
    assert read_opml(OPML.encode()) == (
        Outline(title="Feed A", url="https://a.example.org/feed", folders=("金融", "Inner & more", "Again")),
        Outline(title="B", url="https://b.example.org/feed", folders=("金融", "Tech", "Web", "News")),
        Outline(title="Loose", url="https://c.example.org/feed"),
        Outline(title="Bad", url="file:///etc/passwd"),
    )


ENTITIES = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
REFUSED = [
    b"",
    b"<html/>",
    b"not xml",
    b"<opml><body>",
    f'<!DOCTYPE opml [<!ENTITY l0 "ha">{ENTITIES}]><opml><body><outline text="&l9;"/></body></opml>'.encode(),
    b'<!DOCTYPE opml [<!ENTITY x SYSTEM "file:///etc/passwd">]><opml><body><outline text="&x;"/></body></opml>',
    b"<opml>" * 5000,
    b" " * 10_000_001,
]


@pytest.mark.parametrize("data", REFUSED, ids=[repr(data[:20]) for data in REFUSED])
def test_invalid_opml_is_refused(data):
    with pytest.raises(FeedtoolError):
        read_opml(data)


@given(st.binary(max_size=200))
def test_opml_reader_accepts_any_bytes(data):
    for whole in (data, b"<opml><body>" + data + b"</body></opml>"):
        with contextlib.suppress(FeedtoolError):
            read_opml(whole)


def test_opml_import_and_export_round_trip(tmp_path, capfdbinary):
    site = make_site(tmp_path, {}, "# mine\r\n" + SOURCE)
    before = (site / "feedtool.toml").read_bytes()
    (tmp_path / "in.opml").write_text(OPML)
    assert run(["opml", "import", "-C", str(site), str(tmp_path / "in.opml")]) == 1  # one address is not a URL
    after = (site / "feedtool.toml").read_bytes()
    assert after.startswith(before)
    assert run(["opml", "import", "-C", str(site), str(tmp_path / "in.opml"), "--json"]) == 1
    assert (site / "feedtool.toml").read_bytes() == after
    capfdbinary.readouterr()
    assert run(["opml", "export", "-C", str(site)]) == 0
    exported = capfdbinary.readouterr().out
    loaded = load_settings(str(site), environment={})
    assert [(one.title, one.url, one.folders) for one in read_opml(exported)] == sorted(
        ((one.name, one.url, one.categories) for one in loaded.sources), key=lambda one: one[2] == ()
    )
    outline = listparser.parse(exported)
    assert not outline.bozo
    assert {one.url for one in outline.feeds} == {one.url for one in loaded.sources}


@given(
    st.text(min_size=1).filter(str.strip),
    st.lists(st.text(min_size=1).filter(str.strip), max_size=2, unique_by=str.strip),
)
def test_any_source_name_reads_back(name, categories):
    legal = [text.encode("utf-8", "replace").decode() for text in (name, *categories)]
    text = with_sources(SETTINGS, [{"name": name, "url": "https://x.org/feed", "categories": categories}])
    assert text.startswith(SETTINGS)
    try:
        (source,) = parse_settings(text, file="feedtool.toml", environment={}, options={}).sources
    except SettingsError:
        return  # settings refuse control characters in names, before anything is written
    assert source.name == legal[0].strip()
    assert source.categories == tuple(one.strip() for one in legal[1:])


@pytest.mark.parametrize(
    "text", ["", "# only a comment", SETTINGS, SETTINGS + SOURCE, (SETTINGS + SOURCE).replace("\n", "\r\n")]
)
def test_source_is_appended_to_the_settings(tmp_path, text):
    (tmp_path / "feedtool.toml").write_bytes(text.encode())
    append_sources(
        load_settings(str(tmp_path), environment={}), [{"name": "N", "url": "https://x.org/", "categories": ["a"]}]
    )
    after = (tmp_path / "feedtool.toml").read_bytes().decode()
    assert after.startswith(text)
    assert ("\r\n" in after) == ("\r\n" in text)
    source = load_settings(str(tmp_path), environment={}).sources[-1]
    assert (source.name, source.url, source.categories) == ("N", "https://x.org/", ("a",))


LISTS = {
    "one line": (
        'sources = [{ name = "W", url = "https://w.org/" }] # mine',
        '}, { name = "N", url = "https://x.org/" }] # mine',
    ),
    "empty": ("sources = []", 'sources = [{ name = "N", url = "https://x.org/" }]'),
    "lines": (
        'sources = [\n  { name = "W", url = "https://w.org/[a]" }, # mine ]\n]',
        '}, # mine ]\n    { name = "N", url = "https://x.org/" },\n]',
    ),
    "no last comma": (
        'sources = [\n  { name = "W", url = "https://w.org/" } # mine\n  ]',
        '} # mine\n      ,{ name = "N", url = "https://x.org/" },\n  ]',
    ),
    "trap": ("sources = [ # a ] here\n  # and ] here\n]", 'here\n    { name = "N", url = "https://x.org/" },\n]'),
}


@pytest.mark.parametrize("name", LISTS)
def test_source_is_appended_to_an_inline_array(tmp_path, name):
    listed, expected = LISTS[name]
    text = f"# first\n{listed}\n{SETTINGS}# last ]\n"
    (tmp_path / "feedtool.toml").write_text(text)
    before = load_settings(str(tmp_path), environment={}).sources
    append_sources(load_settings(str(tmp_path), environment={}), [{"name": "N", "url": "https://x.org/"}])
    after = (tmp_path / "feedtool.toml").read_text()
    assert f"{expected}\n{SETTINGS}# last ]\n" in after
    assert not set(text.splitlines()) - set(after.splitlines()) - {listed}
    loaded = load_settings(str(tmp_path), environment={}).sources
    assert [one.name for one in loaded] == [*(one.name for one in before), "N"]


def test_unsuitable_settings_file_is_unchanged(tmp_path):
    text = f"{SETTINGS}sources.limit = 3\n"
    (tmp_path / "feedtool.toml").write_text(SETTINGS)
    settings = load_settings(str(tmp_path), environment={})
    (tmp_path / "feedtool.toml").write_text(text)
    with pytest.raises(SettingsError):
        append_sources(settings, [{"name": "N", "url": "https://x.org/"}])
    assert (tmp_path / "feedtool.toml").read_text() == text
    assert free_name("W", ["W", "W 2"]) == "W 3"


def test_status_lists_failing_sources_first(tmp_path, capfd):
    names = ("Good", "Dead", "Failing", "Stale", "New")
    urls = {name: f"https://{name.lower()}.example.org/" for name in names}
    site = make_site(tmp_path, {}, "".join(f'[[sources]]\nname = "{name}"\nurl = "{urls[name]}"\n' for name in names))
    now, memory = datetime.now(UTC), Memory(str(site))
    good = after_success(Health(url=urls["Good"]), Visit(), now, new=7)
    memory.keep_health("Good", good)
    memory.keep_health("Stale", after_success(Health(url=urls["Stale"]), Visit(), now - timedelta(weeks=8), new=1))
    memory.keep_health("Failing", after_failure(Health(url=urls["Failing"]), "timeout", "no answer \x1b[31m", now))
    memory.keep_health("Dead", after_failure(Health(url=urls["Dead"]), "gone", "410 Gone", now))
    memory.save()
    assert run(["status", "-C", str(site), "--json"]) == 1
    listed = json.loads(capfd.readouterr().out)["sources"]
    order = [(one["source"], one["condition"]) for one in listed]
    assert order == [(name, name.lower()) for name in ("Dead", "Failing", "Stale", "New", "Good")]
    assert listed[-1]["new_per_week"] == [0] * 11 + [7]
    assert run(["status", "-C", str(site)]) == 1
    words = capfd.readouterr().out
    assert "·" * 11 + "█  Good: 7 new in 12 weeks" in words
    assert "\x1b" not in words


def test_missing_file_is_a_failing_source(tmp_path, capfd):
    site = make_site(tmp_path, {}, '[[sources]]\nname = "Disk"\nurl = "wire.xml"\n')
    assert run(["status", "-C", str(site)]) == 1
    assert "there is no file wire.xml" in capfd.readouterr().out
    (site / "wire.xml").write_text('<rss version="2.0"><channel><title>Wire</title></channel></rss>')
    assert run(["status", "-C", str(site)]) == 0
    assert capfd.readouterr().out.startswith("new ")


def test_early_ingest_reports_the_next_visit(tmp_path, capfd):
    site = make_site(tmp_path, {}, '[[sources]]\nname = "Wire"\nurl = "https://wire.example.org/"\n')
    memory = Memory(str(site))
    health = after_success(Health(url="https://wire.example.org/"), Visit(max_age=7200), datetime.now(UTC))
    memory.keep_health("Wire", health)
    memory.save()
    (site / "articles/a.md").write_text("---\ntitle: A\n---\n")
    assert run(["ingest", "-C", str(site)]) == 0
    assert "the next visit is due in 1 hour; use feedtool ingest --force to visit now" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["prune"], 2),
        (["prune", "--older-than", "soon"], 2),
        (["prune", "--older-than", "12w"], 0),
        (["prune", "--keep-last", "5", "--dry-run", "--json"], 0),
        (["ingest"], 0),
        (["ingest", "nowhere"], 2),
        (["ingest", "--since", "never"], 2),
        (["status"], 0),
        (["opml", "import", "nowhere.opml"], 2),
        (["add", "ftp://x.org/"], 2),
    ],
)
def test_commands_return_their_exit_codes(tmp_path, arguments, code):
    site = make_site(tmp_path, {})
    assert run(["-C", str(site), *arguments]) == code
