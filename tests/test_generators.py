"""Test the harness of generators: each generator's own dates, addresses, drafts and names reach the tests."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.generators import GENERATORS, Post, hexo, hugo, jekyll, pelican
from tests.generators.corpus import COUNT, make
from tests.support.site import write

pytestmark = pytest.mark.slow

HEXO_CONFIG = "url: https://example.org\ntimezone: Asia/Shanghai\npermalink: :year/:month/:day/:title/\n"


def hexo_site(folder: Path) -> Path:
    write(folder / "_config.yml", HEXO_CONFIG)
    write(
        folder / "source/_posts/早.md",
        "---\ntitle: 'a: b'\ndate: 2024-03-05 06:30:00\ncategories: [A, B]\ntags: t\nupdated: 2024-03-06\n---\nx\n",
    )
    write(folder / "source/_posts/gmt.md", "---\ntitle: gmt\ndate: Mon, 04 Mar 2024 22:30:00 GMT\n---\nx\n")
    write(folder / "source/_posts/undated.md", "---\ntitle: undated\n---\nx\n")
    write(folder / "source/_posts/kept.md", "---\ntitle: kept\ndate: 2024-03-05\npublished: false\n---\nx\n")
    return folder


def test_hexo_reads_posts_in_the_zone_of_the_site(tmp_path: Path) -> None:
    assert hexo(hexo_site(tmp_path)) == {
        "source/_posts/早.md": Post(
            "/2024/03/05/早/",
            "a: b",
            "2024-03-04T22:30:00.000Z",
            ("A", "A/B"),
            ("t",),
            True,
            "2024-03-05T16:00:00.000Z",
        ),
        "source/_posts/gmt.md": Post("/2024/03/05/gmt/", "gmt", "2024-03-04T22:30:00.000Z", (), (), True),
        "source/_posts/undated.md": Post("", "undated", "", (), (), True),
        "source/_posts/kept.md": Post("/2024/03/05/kept/", "kept", "2024-03-04T16:00:00.000Z", (), (), False),
    }


def test_hexo_depends_on_the_zone_of_its_machine(tmp_path: Path) -> None:
    posts = hexo(hexo_site(tmp_path), machine_zone="UTC")
    early, gmt = posts["source/_posts/早.md"], posts["source/_posts/gmt.md"]
    assert (early.address, early.date) == ("/2024/03/04/早/", "2024-03-04T22:30:00.000Z")
    assert (gmt.address, gmt.date) == ("/2024/03/04/gmt/", "2024-03-04T14:30:00.000Z")


def test_hugo_lists_pages_of_each_language_and_drafts(tmp_path: Path) -> None:
    config = 'baseURL = "https://example.org/x/"\ntimeZone = "Asia/Shanghai"\n[languages.en]\n[languages.fr]\n'
    write(tmp_path / "hugo.toml", config)
    write(tmp_path / "layouts/shortcodes/own.html", "kept")
    write(tmp_path / "content/posts/one.md", "---\ntitle: One\ndate: 2024-03-05\ncategories: A\n---\n{{< own >}}\n")
    write(tmp_path / "content/posts/one.fr.md", '+++\ntitle = "Un"\ndate = 2024-03-05T01:00:00Z\ntags = ["t"]\n+++\n')
    write(tmp_path / "content/posts/two/index.md", "---\ntitle: Two\ndraft: true\n---\nx\n")
    assert hugo(tmp_path) == {
        "content/posts/one.md": Post(
            "/x/posts/one/", "One", "2024-03-04T16:00:00.000Z", ("A",), (), True, "2024-03-04T16:00:00.000Z"
        ),
        "content/posts/one.fr.md": Post(
            "/x/fr/posts/one/", "Un", "2024-03-05T01:00:00.000Z", (), ("t",), True, "2024-03-05T01:00:00.000Z"
        ),
        "content/posts/two/index.md": Post("/x/posts/two/", "Two", "", (), (), False),
    }


def test_jekyll_reads_posts_drafts_and_the_future(tmp_path: Path) -> None:
    write(tmp_path / "_config.yml", "timezone: America/New_York\nbaseurl: /b\nplugins: [not-installed]\ntheme: none\n")
    write(tmp_path / "_posts/2024-01-09-a.md", "---\ntitle: A\ndate: 2024-01-09 03:00:00\ncategories: c d\n---\nx\n")
    write(tmp_path / "news/_posts/2024-01-09-n.md", "---\ntags: [t]\n---\nx\n")
    write(tmp_path / "_posts/2999-01-01-f.md", "---\ntitle: F\n---\nx\n")
    write(tmp_path / "_drafts/d.md", "---\ntitle: D\n---\nx\n")
    posts = jekyll(tmp_path)
    assert posts["_posts/2024-01-09-a.md"] == Post(
        "/b/c/d/2024/01/08/a.html", "A", "2024-01-09T03:00:00.000Z", ("c", "d"), (), True
    )
    assert posts["news/_posts/2024-01-09-n.md"] == Post(
        "/b/news/2024/01/09/n.html", "N", "2024-01-09T05:00:00.000Z", ("news",), ("t",), True
    )
    write(tmp_path / "_posts/2024-01-09-a.md", "---\ntitle: [x] broken\n---\nx\n")
    assert jekyll(tmp_path)["_posts/2024-01-09-a.md"].title == ""
    future, draft = posts["_posts/2999-01-01-f.md"], posts["_drafts/d.md"]
    assert (future.date, future.published) == ("2999-01-01T05:00:00.000Z", False)
    assert (draft.title, draft.date, draft.published) == ("D", "", False)


def test_pelican_reads_metadata_status_and_zone(tmp_path: Path) -> None:
    write(tmp_path / "pelicanconf.py", "PATH = 'content'\nTIMEZONE = 'Asia/Shanghai'\nSITEURL = ''\n")
    write(tmp_path / "publishconf.py", "from pelicanconf import *\nSITEURL = 'https://example.org/x'\n")
    write(
        tmp_path / "content/news/a.md", "Title: [x] A\nDate: 2024-03-05 10:00\nModified: 2024-03-06\nTags: t, u\n\nx\n"
    )
    write(tmp_path / "content/b.md", "Title: B\nDate: 2024-03-05T10:00:00Z\nStatus: draft\n\nx\n")
    write(tmp_path / "content/pages/about.md", "Title: About\n\nx\n")
    assert pelican(tmp_path) == {
        "content/news/a.md": Post(
            "/x/x-a.html", "[x] A", "2024-03-05T02:00:00.000Z", ("news",), ("t", "u"), True, "2024-03-05T16:00:00.000Z"
        ),
        "content/b.md": Post("/x/drafts/b.html", "B", "2024-03-05T10:00:00.000Z", ("misc",), (), False),
    }


def test_generators_do_not_change_a_site(tmp_path: Path) -> None:
    folder = hexo_site(tmp_path)
    before = sorted(path.name for path in folder.rglob("*"))
    hexo(folder)
    assert sorted(path.name for path in folder.rglob("*")) == before


@pytest.mark.parametrize("generator", GENERATORS)
def test_two_runs_give_equal_results(generator: str, tmp_path: Path) -> None:
    site = make(generator, tmp_path / "site", zone="America/New_York")
    posts = GENERATORS[generator](site)
    assert len(posts) >= COUNT
    assert len({post.address for post in posts.values()}) > COUNT / 2
    shutil.copytree(site, tmp_path / "copy")
    assert GENERATORS[generator](tmp_path / "copy") == posts
