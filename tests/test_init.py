"""Test `init` and `new` as processes: whole settings files for sites of every generator, and nothing overwritten."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from datetime import datetime
from pathlib import Path

import pytest

from feedtool.api import read_article
from feedtool.cli import main
from feedtool.config import load_settings, parse_settings
from feedtool.errors import UsageError
from feedtool.scaffold import NewArticle, ScaffoldOptions, detect, new_article, scaffold
from feedtool.scaffold import permalinks as links
from feedtool.scaffold.permalinks import Parts, Sample, UntranslatableError, translate
from tests.support.site import build, command, environment, run, stamps, tree, write

CASES = Path(__file__).parent / "init_cases"
NOW = datetime.fromisoformat("2026-11-23T08:30:15.25+00:00")


def clock() -> datetime:
    """Return the fixed time of these tests."""
    return NOW


@pytest.mark.parametrize("case", sorted(path.name for path in CASES.iterdir()))
def test_settings_are_derived_from_a_generator(
    case: str, tmp_path: Path, accept: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    site = tmp_path / "site"
    shutil.copytree(CASES / case / "site", site)
    before = tree(site)
    assert main.run(["init", str(site), "--json"]) == 0
    report = {key: value for key, value in json.loads(capsys.readouterr().out).items() if key != "site"}
    outputs = {"feedtool.toml": (site / "feedtool.toml").read_text("utf-8"), "report.json": _pretty(report)}
    expected = CASES / case / "expected"
    if accept:
        for name, text in outputs.items():
            write(expected / name, text)
    assert outputs == {name: (expected / name).read_text("utf-8") for name in outputs}
    after = tree(site)
    assert all(after[name].startswith(data) for name, data in before.items() if name == ".gitignore")
    assert all(after[name] == data for name, data in before.items() if name != ".gitignore")


def _pretty(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


@pytest.mark.parametrize("case", ["hexo", "hugo", "hugo-tables", "jekyll", "jekyll-pretty", "pelican"])
def test_links_match_pages_of_the_generator(case: str, tmp_path: Path) -> None:
    shutil.copytree(CASES / case / "site", tmp_path / "site")
    scaffold(str(tmp_path / "site"), detect(str(tmp_path / "site")), ScaffoldOptions(), clock=clock)
    assert build(tmp_path / "site").json["problems"] == []
    feed = json.loads(next((tmp_path / "site").rglob("feed.json")).read_text("utf-8"))
    expected = {
        "hexo": {"https://news.example.net/blog/2022/07/25/notes/one/"},
        "hugo": {"https://hugo.example.net/posts/bundle/", "https://hugo.example.net/posts/two/"},
        "hugo-tables": {"https://hugo.example.net/sub/en/2022/07/one/"},
        "jekyll-pretty": {"http://localhost/a/b/2022/07/25/one/"},
        "jekyll": {"https://ada.example.net/notes/2022/07/25/one.html"},
        "pelican": {"https://pelican.example.net/posts/2022/one.html"},
    }
    assert {item["url"] for item in feed["items"]} == expected[case]


PLAIN = Sample(("one.md",), ("One thing",), ((),))
NOTED = Sample(("one.md",), ("One",), (("notes",),))
ODD = Sample(("One.md",), ("C++!",), (("a", "b"),))
TRANSLATIONS: list[tuple[str, Parts, Sample, str]] = [
    (":year/:title/", links.HEXO, PLAIN, "/b/{year}/{path}/"),
    (":category/:name.html", links.HEXO, PLAIN, "/b/{category}/{stem}.html"),
    (":category/:name.html", links.HEXO, ODD, "not every article has exactly one category"),
    (":hash/", links.HEXO, PLAIN, "feedtool has no :hash"),
    ("/:post_title/", links.HEXO, PLAIN, "/b/{title}/"),
    ("/:post_title/", links.HEXO, ODD, "it is made of titles"),
    ("/:categories/:title:output_ext", links.JEKYLL, PLAIN, "/b/{slug}.html"),
    ("/:categories/:title/", links.JEKYLL, NOTED, "/b/{categories}/{slug}/"),
    ("/:categories/:title/", links.JEKYLL, ODD._replace(categories=((), ("a", "b"))), "/b/{categories}/{slug}/"),
    ("/:categories/:title/", links.JEKYLL, NOTED._replace(categories=(("A",),)), "categories have capitals"),
    (":year/:title/", links.HEXO_DATED, PLAIN, "/b/{year}/{slug}/"),
    (":year/:title/", links.HEXO_DATED, PLAIN._replace(paths=("sub/2022-07-25-one.md",)), "articles in folders"),
    ("/:y_day/:title/", links.JEKYLL, PLAIN, "feedtool has no :y_day"),
    ("/posts/:filename/", links.HUGO, PLAIN, "/b/posts/{path}/"),
    ("/posts/:filename/", links.HUGO, ODD, "files have capitals"),
    ("{slug}.html", links.PELICAN, PLAIN, "/b/{title}.html"),
    ("{slug}.html", links.PELICAN, Sample((), ("中文",), ()), "not in ASCII"),
    ("{slug}.html", links.PELICAN_BY_FILE, PLAIN, "/b/{stem}.html"),
    ("{slug}.html", links.PELICAN_BY_FILE, ODD, "files have characters in their names"),
    ("/posts/:filename/", links.HUGO, PLAIN._replace(paths=("one.en.md",)), "more than one dot"),
    ("{category}/{slug}", links.PELICAN, PLAIN, "feedtool has no {category}"),
    ("{date:%j}/", links.PELICAN, PLAIN, "feedtool has no {date:%j}"),
    ("{a b}/:title/", links.HEXO, PLAIN, "braces of its own"),
    ("/a b/:title/", links.HEXO, PLAIN, "must not contain a space"),
]


@pytest.mark.parametrize(("pattern", "parts", "sample", "expected"), TRANSLATIONS)
def test_permalink_is_translated_or_refused(pattern: str, parts: Parts, sample: Sample, expected: str) -> None:
    if expected.startswith("/"):
        assert translate(pattern, parts, sample, root="/b/") == expected
    else:
        with pytest.raises(UntranslatableError, match=re.escape(expected)):
            translate(pattern, parts, sample, root="/b/")


def test_empty_folder_becomes_a_buildable_site(tmp_path: Path) -> None:
    site = tmp_path / "new" / "site"
    first = run("init", str(site), "--title", "T", "--url", "https://example.org/x", "--timezone", "Asia/Shanghai")
    assert first.exit_code == 0, first.stderr
    assert sorted(tree(site)) == [
        ".github/workflows/feeds.yml",
        ".gitignore",
        "articles/hello.md",
        "feedtool.schema.json",
        "feedtool.toml",
    ]
    assert first.stdout.splitlines()[-2:] == [
        f"preview the site: feedtool serve -C {site}",
        f"build the feeds:  feedtool build -C {site}",
    ]
    before = stamps(site)
    again = run("init", str(site), "--json", "--title", "Other")
    assert again.exit_code == 0
    assert stamps(site) == before
    assert again.json["written"] == again.json["grown"] == []
    assert "feedtool.toml" in again.json["kept"]
    assert again.json["notes"] == ["feedtool.toml existed already and was not changed"]
    built = build(site, "--strict")
    assert built.exit_code == 0, built.stderr
    assert built.json["articles"] == 1


def test_options_are_written_to_the_settings(tmp_path: Path) -> None:
    wishes = ScaffoldOptions(
        title='A "title" \\ ‘x’',
        url="https://example.org/x/",
        language="zh-CN",
        timezone="Asia/Tokyo",
        author="O'Neil",
    )
    scaffolded = scaffold(str(tmp_path), detect(str(tmp_path)), wishes, clock=clock)
    site = load_settings(str(tmp_path), environment={}).site
    assert scaffolded.settings.site == site
    assert (site.title, site.url, site.language, site.timezone) == (
        'A "title" \\ ‘x’',
        "https://example.org/x/",
        "zh-CN",
        "Asia/Tokyo",
    )
    assert site.author is not None
    assert site.author.name == "O'Neil"


def test_example_article_has_a_local_date_and_an_id(tmp_path: Path) -> None:
    scaffold(
        str(tmp_path), detect(str(tmp_path)), ScaffoldOptions(url="https://e.org/", timezone="Asia/Tokyo"), clock=clock
    )
    head = (tmp_path / "articles/hello.md").read_text().split("\n\n")[0].splitlines()
    assert head == [
        "---",
        "title: Hello",
        "categories:",
        " - Notes",
        "date: 2026-11-23T17:30:15+09:00",
        "guid: 'tag:e.org,2026-11-23:hello'",
        "---",
    ]


def test_default_settings_are_valid() -> None:
    text = (Path(__file__).parent.parent / "feedtool/data/scaffold/feedtool.toml").read_text("utf-8")
    assert text.startswith("#:schema ./feedtool.schema.json\n")
    parse_settings(text)
    commented = re.sub(r"^# (?=(\w+ = |\[))", "", text, flags=re.MULTILINE)
    assert parse_settings(commented).articles.generator == "hexo"


def test_gitignore_gets_only_missing_lines(tmp_path: Path) -> None:
    write(tmp_path / ".gitignore", b"/public\nb\xfftes")
    scaffolded = scaffold(str(tmp_path), detect(str(tmp_path)), ScaffoldOptions(), clock=clock)
    assert scaffolded.grown == (".gitignore",)
    assert (tmp_path / ".gitignore").read_bytes() == b"/public\nb\xfftes\n.feedtool/\n"


def test_workflow_is_written_to_the_repository_root(tmp_path: Path) -> None:
    write(tmp_path / ".git/HEAD", "ref: refs/heads/trunk\n")
    site = str(tmp_path / "docs/feeds")
    scaffolded = scaffold(site, detect(site), ScaffoldOptions(), clock=clock)
    assert "../../.github/workflows/feeds.yml" in scaffolded.written
    workflow = (tmp_path / ".github/workflows/feeds.yml").read_text()
    assert 'branches: ["trunk"]' in workflow
    assert 'SITE: "docs/feeds"' in workflow
    assert not re.search("@[A-Z]+@", workflow)


def test_no_workflow_option_writes_no_workflow(tmp_path: Path) -> None:
    assert run("init", str(tmp_path), "--no-workflow").exit_code == 0
    assert not (tmp_path / ".github").exists()


@pytest.mark.parametrize(
    ("option", "value", "complaint"),
    [
        ("--url", "example.org", "--url: must be an http or https URL"),
        ("--timezone", "Asia/Shangai", "--timezone: must be a time zone; did you mean Asia/Shanghai?"),
        ("--language", "zh_CN", '--language: must be a language tag (BCP 47); write "zh-CN"'),
    ],
)
def test_invalid_option_is_refused_before_writing(
    option: str, value: str, complaint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(["init", str(tmp_path / "site"), option, value]) == 2
    assert complaint in capsys.readouterr().err
    assert not (tmp_path / "site").exists()


@pytest.mark.skipif(os.name != "posix", reason="there are no such terminals")
def test_terminal_asks_for_title_and_address(tmp_path: Path) -> None:
    import pty

    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command("init", "site"), cwd=tmp_path, env=environment(), stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    os.write(ours, b"My pages\nexample.org\nhttps://example.org/y\n")
    screen = b""
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:
            break
        if not piece:
            break
        screen += piece
    os.close(ours)
    assert process.wait(10) == 0
    assert b"Title of the site [site]: " in screen
    assert b"must be an http or https URL" in screen
    site = load_settings(str(tmp_path / "site"), environment={}).site
    assert (site.title, site.url) == ("My pages", "https://example.org/y/")


def test_init_reports_invalid_settings_and_stops(tmp_path: Path) -> None:
    write(tmp_path / "feedtool.toml", "[site]\ntitel = 1\n")
    result = run("init", str(tmp_path))
    assert result.exit_code == 2
    assert 'did you mean "title"?' in result.stderr
    assert sorted(tree(tmp_path)) == ["feedtool.toml"]


def test_hostile_generator_settings_are_ignored(tmp_path: Path) -> None:
    hostile = {
        "_config.yml": "a: &a [*a, *a]\n" * 3 + "title: {{{{",
        "pelicanconf.py": "SITENAME = " + "(" * 60_000,
        "hugo.toml": "a = " + "[" * 40_000,
    }
    for number, (name, text) in enumerate(hostile.items()):
        site = tmp_path / str(number)
        for folder in ("source/_posts", "content"):
            (site / folder).mkdir(parents=True)
        write(site / name, text)
        scaffolded = scaffold(str(site), detect(str(site)), ScaffoldOptions(), clock=clock)
        assert any("the defaults of" in note for note in scaffolded.notes), name


# -- new


def _site(folder: Path, more: str = "") -> Path:
    text = f'[site]\nurl = "https://example.org/"\ntimezone = "Asia/Shanghai"\n{more}'
    write(folder / "feedtool.toml", text)
    return folder


def test_new_article_is_never_overwritten(tmp_path: Path) -> None:
    site = _site(tmp_path)
    paths = [run("new", "-C", str(site), "What? A/B: “北京”", "-c", "金融", "-c", "x/y", "--json") for _ in range(2)]
    names = [Path(one.json["path"]).relative_to(site).as_posix() for one in paths]
    assert names == ["articles/金融/What-A-B-“北京”.md", "articles/金融/What-A-B-“北京”-2.md"]
    built = build(site, "--strict")
    assert built.exit_code == 0, built.stderr
    feed = json.loads((site / "public/feed.json").read_text("utf-8"))
    assert {item["title"] for item in feed["items"]} == {"What? A/B: “北京”"}
    assert len({item["id"] for item in feed["items"]}) == 2
    assert all(item["tags"] == ["金融", "x/y"] for item in feed["items"])


def test_new_article_id_equals_the_derived_id(tmp_path: Path) -> None:
    site = _site(tmp_path)
    settings = load_settings(str(site), environment={})
    path = Path(new_article(settings, NewArticle(title="A title"), clock=clock))
    text = path.read_text()
    assert text == (
        "---\ntitle: A title\ndate: 2026-11-23T16:30:15+08:00\nguid: 'tag:example.org,2026-11-23:A-title'\n---\n\n"
    )
    with_id, _ = read_article(path, str(site))
    path.write_text(re.sub("guid.*\n", "", text))
    without, _ = read_article(path, str(site))
    assert with_id is not None
    assert without is not None
    assert without.id == with_id.id


def test_site_without_host_gets_unique_ids(tmp_path: Path) -> None:
    ids = set()
    for name in ("a", "b"):
        write(tmp_path / name / "feedtool.toml", "")
        settings = load_settings(str(tmp_path / name), environment={})
        text = Path(new_article(settings, NewArticle(title="Hello"), clock=clock)).read_text()
        ids.add(re.search("guid: '(urn:uuid:[0-9a-f-]{36})'", text)[1])  # type: ignore[index]
    assert len(ids) == 2


def test_jekyll_article_has_date_in_name_and_draft_key(tmp_path: Path) -> None:
    site = _site(tmp_path, '[articles]\nflavour = "jekyll"\npath = "_posts"\n')
    settings = load_settings(str(site), environment={})
    wishes = NewArticle(title="A title", date="2022-12-25 20:11", draft=True)
    path = Path(new_article(settings, wishes, clock=clock))
    assert path.relative_to(site).as_posix() == "_posts/2022-12-25-A-title.md"
    assert "date: 2022-12-25T20:11:00+08:00\n" in path.read_text()
    assert "published: false\n" in path.read_text()


@pytest.mark.parametrize(
    "title", ["../../etc/passwd", "..", "con", "\ud800\0\n- x: [", "a" * 5000, "\u202e.md", "---\nid: x", "🎉" * 90]
)
def test_any_title_gives_a_readable_article(title: str, tmp_path: Path) -> None:
    settings = load_settings(str(_site(tmp_path)), environment={})
    path = Path(new_article(settings, NewArticle(title=title, categories=(title,)), clock=clock))
    assert path.resolve().is_relative_to(tmp_path / "articles")
    assert len(path.name.encode()) <= 200
    article, problems = read_article(path, str(tmp_path))
    assert article is not None
    assert problems == ()


def test_empty_title_and_invalid_date_are_refused(tmp_path: Path) -> None:
    settings = load_settings(str(_site(tmp_path)), environment={})
    for wishes in (NewArticle(title=" \n"), NewArticle(title="x", date="2022-13-45")):
        with pytest.raises(UsageError):
            new_article(settings, wishes, clock=clock)
    assert tree(tmp_path).keys() == {"feedtool.toml"}
