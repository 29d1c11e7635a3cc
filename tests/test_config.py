"""Test that settings from the file, variables and options give one frozen tree, or every violation with its line."""

from __future__ import annotations

import json
import pickle
import re
import subprocess
import sys
import textwrap
import tomllib
from dataclasses import MISSING
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from feedtool.config import (
    InvalidSettingsError,
    Settings,
    Site,
    SourceSettings,
    load_settings,
    parse_settings,
    settings_schema,
)
from feedtool.config.field_types import ArrayOfTables, Table, TablesByName, toml_repr
from feedtool.config.json_schema import plain
from feedtool.config.positions import key_lines
from feedtool.config.schema import CLASSES
from feedtool.config.tables import keys_of
from feedtool.errors import FeedtoolError, SettingsError
from feedtool.models import Author

CASES = Path(__file__).parent / "settings_cases"
GOOD = sorted((CASES / "good").glob("*.toml"))
BAD = sorted((CASES / "bad").glob("*.toml"))
DEFAULTS = Path(__file__).parent.parent / "feedtool" / "data" / "defaults.toml"
# Rules that JSON Schema cannot express: repeated names, existing zones, expressions, templates, forbidden values.
BEYOND_SCHEMA = {
    "control-characters",
    "not-nested-too-deep",
    "regexes",
    "repeated-names",
    "site-url-with-password",
    "templates",
    "unsafe-attribute",
    "unsafe-element",
    "wrong-port",
    "zone-unknown",
}


def read(path: Path) -> str:
    return path.read_bytes().decode("utf-8")


@pytest.mark.parametrize("case", BAD, ids=lambda case: case.stem)
def test_every_violation_is_reported_with_its_line(case: Path, request: pytest.FixtureRequest) -> None:
    with pytest.raises(SettingsError) as raised:
        parse_settings(read(case))
    message = str(raised.value) + "\n"
    expected = case.with_suffix(".txt")
    if request.config.getoption("--accept", default=False):
        expected.write_text(message, encoding="utf-8")
    assert message == expected.read_text(encoding="utf-8")


@pytest.mark.parametrize("case", GOOD, ids=lambda case: case.stem)
def test_valid_settings_can_be_pickled(case: Path) -> None:
    parsed = parse_settings(read(case))
    again = pickle.loads(pickle.dumps(parsed))
    assert again == parsed
    assert hash(again) == hash(parsed)
    assert again.origins == parsed.origins


def test_seed_site_is_read_correctly() -> None:
    parsed = parse_settings(read(CASES / "good" / "seed-site.toml"))
    assert parsed.site == Site(
        title="财经",
        url="https://example.org/feeds/",
        description="新闻,\neach day.",
        language="zh-CN",
        timezone="Asia/Shanghai",
        author=Author(name="Ada", email="ada@example.org", uri="https://example.org/ada"),
        authority="example.org",
    )
    assert (parsed.feeds.formats, parsed.feeds.max_bytes) == (("atom", "json"), 2_000_000)
    (select,) = parsed.feeds.select
    assert (select.name, select.title_regex, select.since) == ("long", r"^\[long\]", "2022-07-01")
    assert select.exclude is not None
    assert select.exclude.exclude is not None
    assert (select.exclude.tags, select.exclude.exclude.authors) == (("ad",), ("Ada",))
    assert [(each.name, each.slug, each.limit) for each in parsed.categories] == [("金融", "finance", 10)]
    assert parsed.html.attributes == (("*", "data-align"), ("td", "align"))
    assert parsed.html.iframe_hosts == ()
    assert parsed.pages.theme == (("accent", "#0a5"),)
    assert parsed.sources == (
        SourceSettings(
            name="新浪财经",
            url="https://rss.example.org/sina?x=1",
            headers=(("Authorization", "Bearer ${FEED_TOKEN}"),),
        ),
        SourceSettings(name="file", url="../inbox/feed.xml", enabled=False),
    )


@pytest.mark.parametrize("limits", [(o, e, f) for o in (None, 1) for e in ("", "2") for f in (None, 3)])
def test_options_override_variables_and_the_file(
    limits: tuple[int | None, str, int | None],
) -> None:
    option, variable, in_file = limits
    parsed = parse_settings(
        f"[feeds]\nlimit = {in_file}\n" if in_file else "",
        environment={"FEEDTOOL_FEEDS_LIMIT": variable},
        options={"feeds.limit": option},
    )
    value, origin = next(
        (int(limit), origin)
        for limit, origin in (
            (option, "option limit"),
            (variable, "FEEDTOOL_FEEDS_LIMIT"),
            (in_file, "feedtool.toml:2"),
            (50, "default"),
        )
        if limit
    )
    assert (parsed.feeds.limit, parsed.origins["feeds.limit"]) == (value, origin)


VARIABLES = [
    ("FEEDTOOL_SITE_TITLE", " 财经 ", "site", "title", "财经"),
    (
        "FEEDTOOL_SITE_URL",
        "https://例子.example/博客",
        "site",
        "url",
        "https://xn--fsqu00a.example/%E5%8D%9A%E5%AE%A2/",
    ),
    ("FEEDTOOL_SITE_AUTHOR", "Ada", "site", "author", Author(name="Ada")),
    ("FEEDTOOL_FEEDS_FORMATS", "atom, json,", "feeds", "formats", ("atom", "json")),
    ("FEEDTOOL_FEEDS_ARCHIVE", "no", "feeds", "archive", False),
    ("FEEDTOOL_FEEDS_MAX_BYTES", "1.5 MiB", "feeds", "max_bytes", 1_572_864),
    ("FEEDTOOL_INGEST_TIMEOUT", "2.5", "ingest", "timeout", 2.5),
    ("FEEDTOOL_INGEST_MAX_BYTES", "1000", "ingest", "max_bytes", 1000),
    ("FEEDTOOL_PAGES_INDEX", "0", "pages", "index", False),
]


@pytest.mark.parametrize(("name", "text", "table", "key", "value"), VARIABLES, ids=[row[0] for row in VARIABLES])
def test_variable_is_read_with_the_type_of_its_key(name: str, text: str, table: str, key: str, value: object) -> None:
    parsed = parse_settings("", environment={name: text})
    assert getattr(getattr(parsed, table), key) == value
    assert parsed.origins[f"{table}.{key}"] == name


@pytest.mark.parametrize(
    ("environment", "options", "message"),
    [
        ({"FEEDTOOL_FEEDS_TTL": "ten"}, {}, 'FEEDTOOL_FEEDS_TTL: must be a whole number of 0 or more, not "ten"'),
        ({"FEEDTOOL_FEEDS_LIMIT": "-1"}, {}, "FEEDTOOL_FEEDS_LIMIT: must be a whole number of 1 or more, not -1"),
        ({"FEEDTOOL_SITE_TITLE": "\udcff"}, {},
         "FEEDTOOL_SITE_TITLE: must not contain line breaks or control characters; remove them"),
        ({"FEEDTOOL_HTML_ATTRIBUTES": "class"}, {}, 'FEEDTOOL_HTML_ATTRIBUTES: must be a table, not "class"'),
        ({}, {"feeds.limit": 0}, "option limit: must be a whole number of 1 or more, not 0"),
        ({}, {"base_url": "x"}, 'option base_url: must be an http or https URL, not "x"; for example https://example.org/'),
        ({}, {"feeds.limt": 1}, 'option limt: there is no setting "feeds.limt"'),
    ],
)  # fmt: skip
def test_invalid_variable_or_option_is_named(
    environment: dict[str, str], options: dict[str, object], message: str
) -> None:
    with pytest.raises(SettingsError) as raised:
        parse_settings("", environment=environment, options=options)
    assert str(raised.value) == message


def test_base_url_never_changes_the_authority() -> None:
    text = '[site]\nurl = "https://example.org/a"\n'
    assert parse_settings(text).base_url == "https://example.org/a/"
    moved = parse_settings(text, options={"base_url": "http://localhost:8000"})
    assert (moved.base_url, moved.site.url) == ("http://localhost:8000/", "https://example.org/a/")
    assert moved.site.authority == "example.org"


def test_all_problems_are_reported_in_line_order() -> None:
    with pytest.raises(InvalidSettingsError) as raised:
        parse_settings(read(CASES / "bad" / "unknown-keys.toml"))
    problems = raised.value.problems
    lines = [problem.line or 0 for problem in problems]
    assert lines == sorted(lines)
    assert len(problems) > 5
    assert str(pickle.loads(pickle.dumps(raised.value))) == str(raised.value)


def test_digest_covers_only_output_settings() -> None:
    plain = parse_settings("")
    assert plain.digest() == Settings(folder="/elsewhere", file="x").digest()
    assert plain.digest() == parse_settings('[[sources]]\nname = "a"\nurl = "a.xml"\n[ingest]\ntimeout = 3').digest()
    changed = [
        parse_settings(text) for text in ("feeds.limit = 3", 'site.title = "\U0001fae8"', 'categories.a.slug = "b"')
    ]
    assert len({each.digest() for each in (plain, *changed)}) == 4
    assert plain.digest("html") == changed[0].digest("html") != plain.digest("feeds")


# --- The lines of keys -----------------------------------------------------------------------------------------------

LAYOUTS: list[tuple[str, dict[tuple[str | int, ...], int]]] = [
    ("a = 1\nb = 2\n", {("a",): 1, ("b",): 2}),
    ("\r\n# [x]\r\n[a]\r\nb = 1\r\n", {("a",): 3, ("a", "b"): 4}),
    ("[a.b]\nc = 1\n[a]\nd = 2", {("a",): 3, ("a", "b"): 1, ("a", "b", "c"): 2, ("a", "d"): 4}),
    ("[ a . \"b.c\" . 'd' ] # x\n e . \"f\" = 1", {("a", "b.c", "d"): 1, ("a", "b.c", "d", "e", "f"): 2}),
    ('"\\u0061\\"\\n" = 1', {('a"\n',): 1}),
    ('a = """\nb = 1\n[c]\n\\"""\n""""" \nd = 2', {("a",): 1, ("d",): 6}),
    ("a = '''\nb = 1\n'''''\nd = 2", {("a",): 1, ("d",): 4}),
    ('a = "# \\" [x]" # b = 1\nc = \'\\\'\nd = ""\ne = 1', {("a",): 1, ("c",): 2, ("d",): 3, ("e",): 4}),
    ("a = [\n[1, 2], # x\n 3,\n]\nb = 1", {("a",): 1, ("a", 0): 2, ("a", 0, 1): 2, ("a", 1): 3, ("b",): 5}),
    ("a = { b = 1, c.d = [ { e = 2 } ], f = 3 }\ng = 1", {("a", "c", "d", 0, "e"): 1, ("a", "f"): 1}),
    ("a = [\n{ b = 1 },\n{ b = [\n1\n], c = 2 } ]\nd = 1", {("a", 1, "b"): 3, ("a", 1, "c"): 5, ("d",): 6}),
    ("[[a]]\nb = 1\n[[a]]\nb = 2\n[a.c]\nd = 1\n", {("a", 0, "b"): 2, ("a", 1, "b"): 4, ("a", 1, "c", "d"): 6}),
    ("[[a]]\n[[a.b]]\nc=1\n[[a]]\n[[a.b]]\nc=2", {("a", 0, "b", 0, "c"): 3, ("a", 1): 4, ("a", 1, "b", 0, "c"): 6}),
    ("a = 3.14\nb = 1979-05-27T07:32:00.5Z\nc = -inf", {("a",): 1, ("b",): 2, ("c",): 3}),
    ("3.14 = 1\n1234 = 2", {("3", "14"): 1, ("1234",): 2}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "lines"), LAYOUTS, ids=range(len(LAYOUTS)))
def test_key_line_is_found_in_every_layout(text: str, lines: dict[tuple[str | int, ...], int]) -> None:
    tomllib.loads(text)
    line_of = key_lines(text)
    assert {path: line_of.get(path) for path in lines} == lines


def paths(value: object, path: tuple[str | int, ...] = ()) -> set[tuple[str | int, ...]]:
    own = {path} if path else set()
    if isinstance(value, dict):
        return own.union(*(paths(item, (*path, key)) for key, item in value.items()))
    if isinstance(value, list):
        return own.union(*(paths(item, (*path, number)) for number, item in enumerate(value)))
    return own


KEYS = st.one_of(st.sampled_from(["a", "b", "c-d", "1"]), st.text(max_size=4)).filter(lambda key: "\x7f" not in key)
WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)
VALUES = st.recursive(
    st.one_of(st.integers(-9, 9), st.booleans(), WORDS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=12,
)


def quoted(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def toml(value: object, broken: bool) -> str:
    gap = "\n # ] }\n" if broken else ""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quoted(key)} = {toml(item, False)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(gap + toml(item, broken) for item in value) + gap + "]"
    if isinstance(value, str) and broken and value.isalnum():
        return f"'''\n{value} = [\n'''"
    return quoted(value)


@given(tables=st.dictionaries(KEYS, st.dictionaries(KEYS, VALUES, max_size=4), max_size=4), broken=st.booleans())
def test_every_toml_key_has_a_line(tables: dict[str, dict[str, Any]], broken: bool) -> None:
    lines: list[str] = []
    expected: dict[tuple[str, ...], int] = {}
    for name, table in tables.items():
        lines.append(f"[{quoted(name)}]")
        expected[(name,)] = "\n".join(lines).count("\n") + 1
        for key, value in table.items():
            lines.append(f"{quoted(key)} = {toml(value, broken)}")
            expected[(name, key)] = "\n".join(lines[:-1]).count("\n") + 2
    text = "\n".join(lines)
    line_of = key_lines(text)
    assert {path: line_of.get((*path,)) for path in expected} == expected
    assert set(line_of) == paths(tomllib.loads(text))


def test_earlier_names_of_settings_are_read() -> None:
    parsed = parse_settings('[articles]\npath = "posts"\nflavour = "hexo"\n')
    assert (parsed.articles.generator, parsed.origins["articles.generator"]) == ("hexo", "feedtool.toml:3")
    assert parse_settings(environment={"FEEDTOOL_ARTICLES_FLAVOUR": "hugo"}).articles.generator == "hugo"
    assert parse_settings(options={"articles.flavour": "jekyll"}).articles.generator == "jekyll"
    with pytest.raises(InvalidSettingsError, match="FEEDTOOL_ARTICLES_FLAVOUR: "):
        parse_settings(environment={"FEEDTOOL_ARTICLES_FLAVOUR": "Hugoo"})
    both = {"FEEDTOOL_ARTICLES_FLAVOUR": "hugo", "FEEDTOOL_ARTICLES_GENERATOR": "hexo"}
    assert parse_settings(environment=both).articles.generator == "hexo"


def test_earlier_names_have_the_line_of_their_key() -> None:
    with pytest.raises(InvalidSettingsError) as caught:
        parse_settings('[articles]\npath = "posts"\nflavour = "Hugoo"\n')
    assert str(caught.value).startswith("feedtool.toml:3: [articles] generator must be")


# --- The schema and the reference ------------------------------------------------------------------------------------


def as_json(value: object) -> object:
    if isinstance(value, dict):
        return {key: as_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_json(item) for item in value]
    return str(value) if isinstance(value, (date, datetime, time)) else value


def test_schema_is_valid_and_accepts_the_defaults() -> None:
    jsonschema.Draft202012Validator.check_schema(settings_schema())
    json.dumps(settings_schema(), allow_nan=False)
    jsonschema.validate(tomllib.loads(read(DEFAULTS)), settings_schema())


@pytest.mark.parametrize(
    "case", [*GOOD, *(case for case in BAD if not case.stem.startswith("toml-"))], ids=lambda case: case.stem
)
def test_schema_and_reader_agree(case: Path) -> None:
    data = as_json(tomllib.loads(read(case).removeprefix("\ufeff")))
    passes = jsonschema.Draft202012Validator(settings_schema()).is_valid(data)
    assert passes == (case in GOOD or case.stem in BEYOND_SCHEMA)


def test_every_key_is_documented_in_one_sentence() -> None:
    for name, cls in CLASSES.items():
        for word, key in keys_of(cls).items():
            assert re.fullmatch(r"[A-Z].{5,200}\.", key.doc), (name, word)


def reference() -> str:
    """Return `data/defaults.toml`: every key with its description and default.

    A key without a default is a comment that shows an example value.
    """
    top = [line for word, key in keys_of(Settings).items() if key.in_file and not isinstance(key.type, Table)
           for line in entry(word, key)]  # fmt: skip
    lines = [
        *comment(
            "All settings of feedtool.toml with their defaults. A site's own file only needs the settings that differ."
        ),
        *comment("A line that begins with # and no space shows an example of a setting that has no default."),
        "",
        *top,
    ]
    for word, key in keys_of(Settings).items():
        if isinstance(key.type, Table):
            lines += section(word, key.type, key.doc)
    return "\n".join(lines) + "\n"


def section(path: str, kind: Table, doc: str) -> list[str]:
    optional = isinstance(kind, (TablesByName, ArrayOfTables))
    header = (
        f"[[{path}]]"
        if isinstance(kind, ArrayOfTables)
        else f'[{path}."NAME"]'
        if isinstance(kind, TablesByName)
        else f"[{path}]"
    )
    lines = ["", "", *comment(doc), "#" + header if optional else header]
    keys = keys_of(CLASSES[kind.settings])
    for word, key in keys.items():
        if not isinstance(key.type, Table) or key.name == "not":
            lines += ["", *entry(word, key, shown_only=optional)]
    for word, key in keys.items():
        if isinstance(key.type, TablesByName):
            lines += section(f"{path}.{word}", key.type, key.doc)
    return lines


def entry(word: str, key: Any, *, shown_only: bool = False) -> list[str]:
    has_none = key.default in (None, MISSING)
    value = key.example if shown_only or has_none else literal(plain(key.type, key.default))
    value = value or (literal(plain(key.type, key.default)) if not has_none else '"NAME"' if word == "name" else "50")
    lines = [*comment(key.doc), f"{'#' if shown_only or has_none else ''}{word} = {value}"]
    return lines if shown_only or has_none or not key.example else [*lines, f"# such as {key.example}"]


def literal(default: Any) -> str:
    if isinstance(default, dict):
        return "{}"
    if isinstance(default, list):
        joined = "[" + ", ".join(map(toml_repr, default)) + "]"
        return joined if len(joined) < 90 else "[\n" + "".join(f"    {toml_repr(item)},\n" for item in default) + "]"
    return toml_repr(default)


def comment(text: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(text, 100, break_on_hyphens=False)]


def test_settings_reference_is_up_to_date(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--accept", default=False):
        DEFAULTS.write_text(reference(), encoding="utf-8")
    assert read(DEFAULTS) == reference()


def test_reference_lists_the_defaults() -> None:
    parsed = parse_settings(read(DEFAULTS))
    assert parsed == Settings()
    assert not set(parse_settings("").origins) - set(parsed.origins)


def test_commented_reference_is_valid() -> None:
    text = re.sub(r"^#(?=[\w\[])", "", read(DEFAULTS), flags=re.MULTILINE)
    parsed = parse_settings(text)
    assert (len(parsed.sources), len(parsed.categories), len(parsed.feeds.select)) == (1, 1, 1)


# --- Finding the file ------------------------------------------------------------------------------------------------


def site(folder: Path, title: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "feedtool.toml").write_text(f'[site]\ntitle = "{title}"\n', encoding="utf-8")
    return folder


def test_site_folder_is_found_in_order(tmp_path: Path) -> None:
    named, from_variable, around = (site(tmp_path / name, name) for name in ("named", "told", "here"))
    deep = around / "a" / "b"
    deep.mkdir(parents=True)
    (tmp_path / "empty").mkdir()
    below = site(tmp_path / "repository" / "feeds", "below")
    variable = {"FEEDTOOL_SITE": "../../../told"}
    for arguments, environment, cwd, folder in [
        ("../../../named", variable, deep, named),
        (str(named / "feedtool.toml"), {}, deep, named),
        (None, variable, deep, from_variable),
        ("", variable, deep, from_variable),
        (None, {}, deep, around),
        (None, {}, around, around),
        (None, {}, below.parent, below),
    ]:
        loaded = load_settings(arguments, environment=environment, options={}, cwd=str(cwd))
        assert (loaded.folder, loaded.file, loaded.site.title) == (str(folder), str(folder / "feedtool.toml"), folder.name
                if folder != below else "below")  # fmt: skip
    bare = load_settings(str(tmp_path / "empty"), environment={}, cwd=str(tmp_path))
    assert (bare.folder, bare.file, bare.site.title) == (str(tmp_path / "empty"), "", "Feeds")


@pytest.mark.parametrize(
    ("named", "environment", "message"),
    [
        ("gone", {}, "option site: there is no folder {}/gone; name the folder that contains feedtool.toml"),
        (None, {"FEEDTOOL_SITE": "x"},
         "FEEDTOOL_SITE: there is no folder {}/x; name the folder that contains feedtool.toml"),
        (None, {}, "there is no feedtool.toml in this folder, in any folder above it or in ./feeds; "
                   "name the site folder, or create a site with: feedtool init"),
        ("latin", {}, "latin/feedtool.toml:2:11: is not UTF-8; save it as UTF-8"),
        ("folder", {}, ""),
    ],
)  # fmt: skip
def test_unreadable_site_is_reported(
    tmp_path: Path, named: str | None, environment: dict[str, str], message: str
) -> None:
    (tmp_path / "latin").mkdir()
    (tmp_path / "latin" / "feedtool.toml").write_bytes('[site]\ntitle = "é'.encode() + b'\xe9"\n')
    (tmp_path / "folder" / "feedtool.toml").mkdir(parents=True)
    if not message:
        assert load_settings(named, environment=environment, cwd=str(tmp_path)).file == ""
        return
    with pytest.raises(FeedtoolError) as raised:
        load_settings(named, environment=environment, cwd=str(tmp_path))
    assert str(raised.value) == message.format(tmp_path)


def test_messages_name_the_relative_file(tmp_path: Path) -> None:
    (site(tmp_path / "a", "x") / "feedtool.toml").write_text("limit = 1\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"^a/feedtool\.toml:1: unknown key"):
        load_settings("a", environment={}, cwd=str(tmp_path))


# --- Laws ------------------------------------------------------------------------------------------------------------

SNIPPETS = [line for case in (*GOOD, *BAD) for line in read(case).splitlines() if len(line) < 200]
WILD = {"not": {"not": {}}, "name": "x", "url": "a.xml", "author": {"name": 3}, "": {}, "sources": [{}], "a": [[]]}


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(SNIPPETS), st.text(max_size=20)), max_size=12).map("\n".join))
@example("a." * 4000 + "b = 1")
@example("a." * 400_000 + "b = 1")
@example("[feeds.select.a" + ".not" * 3000 + "]")
@example("[[sources]]\n" * 2000)
@example("\ufeff\ufeff")
@example('"' * 100_000)
@example("[site]\ntimezone = '\ud800'")
@example("x = " + "{a=" * 400)
def test_any_text_gives_settings_or_an_error(text: str) -> None:
    try:
        assert isinstance(parse_settings(text), Settings)
        message = "feedtool.toml"
    except SettingsError as error:
        message = str(error)
    assert message.startswith("feedtool.toml")


LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.dates(), st.datetimes(),
    st.builds(lambda: 10**5000), st.sampled_from(["https://[::1]:8/", "https://[", "(?P<a", "UTC", "#fff", "{", "2MB"]),
)  # fmt: skip
WORDS_OF_FILE = sorted({word for cls in CLASSES.values() for word in keys_of(cls)})
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=2), st.dictionaries(st.sampled_from(WORDS_OF_FILE), inner, max_size=4)
    ),
    max_leaves=10,
)


@settings(max_examples=150, deadline=None)
@given(table=st.sampled_from(sorted(keys_of(Settings))), key=st.sampled_from(WORDS_OF_FILE), value=TREES)
def test_any_value_gives_settings_or_an_error(table: str, key: str, value: object) -> None:
    from feedtool.config.parse import _Parser

    for data in ({table: {key: value}}, {table: [{key: value}]}, {table: value}, {table: {"x": {key: value}}}):
        reading = _Parser("feedtool.toml", {})
        parsed = reading.table(Settings, data, ())
        assert all(str(problem) for problem in reading.problems)
        assert isinstance(parsed, Settings)


def test_settings_import_no_heavy_library() -> None:
    code = "import sys, feedtool.config as s; s.parse_settings(''); print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"tomllib", "difflib", "json", "urllib.parse", "pathlib", "zoneinfo", "hashlib"}
    assert not heavy & set(done.stdout.split())
