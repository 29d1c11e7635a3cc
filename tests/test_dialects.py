"""Test that feedtool publishes the same articles of a site as Hexo, Jekyll, Hugo and Pelican."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.generators import GENERATORS
from tests.support.site import build, run, write

Files = Mapping[str, str]

HEXO: Files = {
    "_config.yml": "title: S\nurl: https://site.example.org\ntimezone: Asia/Shanghai\npermalink: :year/:month/:day/:title/\n"
    "post_asset_folder: true\nskip_render: ['_posts/ex/**']\nignore: ['**/*.skip.md']\n",
    "source/_posts/open.md": "---\ntitle: open\ndate: 2024-03-05 06:30:00\n---\nW\n",
    "source/_posts/gmt.md": "---\ntitle: gmt\ndate: Mon, 04 Mar 2024 22:30:00 GMT\n---\nW\n",
    "source/_posts/slash.md": "---\ntitle: slash\ndate: 2024/03/07 01:00:00\n---\nW\n",
    "source/_posts/day.md": "---\ntitle: day\ndate: 2024-03-08\n---\nW\n",
    "source/_posts/quoted.md": "---\ntitle: quoted\ndate: '2024-03-09 23:30:00'\n---\nW\n",
    "source/_posts/off.md": "---\ntitle: off\npublished: false\ndate: 2024-03-05 01:00:00\n---\nsecret\n",
    "source/_posts/_wip.md": "---\ntitle: wip\ndate: 2024-03-05 02:00:00\n---\nsecret\n",
    "source/_posts/_kept/a.md": "---\ntitle: kept\ndate: 2024-03-05 03:00:00\n---\nsecret\n",
    "source/_posts/ex/a.md": "---\ntitle: excluded\ndate: 2024-03-05 03:00:00\n---\nsecret\n",
    "source/_posts/x.skip.md": "---\ntitle: skipped\ndate: 2024-03-05 03:00:00\n---\nsecret\n",
    "source/_posts/asset.html": "---\ntitle: asset\ndate: 2024-03-05 04:00:00\n---\nsecret\n",
    "source/_posts/sub/b.md": "---\ntitle: in a folder\ndate: 2024-03-05 05:00:00\n---\nW\n",
}
JEKYLL: Files = {
    "_config.yml": "title: S\nurl: https://site.example.org\ntimezone: America/New_York\npermalink: /:year/:month/:day/:title/\n"
    "exclude: [_posts/ex]\ndefaults:\n"
    "  - scope: {path: '', type: posts}\n    values: {author: Robin, tags: [t0]}\n"
    "  - scope: {path: _posts/private}\n    values: {published: false}\n"
    "  - scope: {path: '_posts/*/kept'}\n    values: {published: false}\n"
    "  - scope: {path: _posts, type: pages}\n    values: {published: false}\n"
    "  - scope: {path: _posts/own, type: posts}\n    values: {permalink: '/p/:title/'}\n",
    "_posts/2024-01-09-plain.md": "---\ntitle: plain\ndate: 2024-01-09 03:00:00\n---\nW\n",
    "_posts/2024-01-09-quoted.md": "---\ntitle: quoted\ndate: '2024-01-09 03:00:00'\n---\nW\n",
    "_posts/2024-01-09-minutes.md": "---\ntitle: minutes\ndate: 2024-01-09 03:00\n---\nW\n",
    "_posts/2024-01-09-day.md": "---\ntitle: day\ndate: 2024-01-09\n---\nW\n",
    "_posts/2024-01-09-none.md": "---\ntitle: none\n---\nW\n",
    "_posts/2024-01-09-east.md": "---\ntitle: east\ndate: 2024-01-09 03:00:00 +0900\n---\nW\n",
    "_posts/2024-01-09-t.md": "---\ntitle: t\ndate: 2024-01-09T03:00:00\n---\nW\n",
    "_posts/2024-01-09-gmt.md": "---\ntitle: gmt\ndate: Tue, 09 Jan 2024 03:00:00 GMT\n---\nW\n",
    "_posts/2024-01-09-single.md": "---\ntitle: single\ndate: 2024-1-9 3:00:00\n---\nW\n",
    "_posts/2024-01-09-fraction.md": "---\ntitle: fraction\ndate: 2024-01-09 03:00:00.5\n---\nW\n",
    "_posts/private/2024-01-09-own.md": "---\ntitle: says otherwise\npublished: true\n---\nW\n",
    "_posts/private/2024-01-09-kept.md": "---\ntitle: private\n---\nsecret\n",
    "_posts/x/kept/2024-01-09-glob.md": "---\ntitle: glob\n---\nsecret\n",
    "_posts/own/2024-01-09-address.md": "---\ntitle: address\n---\nW\n",
    "_posts/_kept/2024-01-09-special.md": "---\ntitle: special\n---\nsecret\n",
    "_posts/a/_kept/2024-01-09-deeper.md": "---\ntitle: deeper\n---\nW\n",
    "_posts/ex/2024-01-09-excluded.md": "---\ntitle: excluded\n---\nsecret\n",
    "_posts/undated.md": "---\ntitle: no post\ndate: 2024-01-09\n---\nsecret\n",
    "_posts/2024-01-09-off.md": "---\ntitle: off\npublished: no\n---\nsecret\n",
}
HUGO: Files = {
    "hugo.toml": 'baseURL = "https://site.example.org/"\ntitle = "S"\ntimeZone = "Asia/Tokyo"\nignoreFiles = ["\\\\.tmp\\\\.md$"]\n'
    '[[cascade]]\ndraft = true\n[cascade._target]\npath = "/posts/old/**"\n',
    "content/posts/_index.md": "---\ntitle: All\ndate: 2024-03-09\n---\nW\n",
    "content/posts/open.md": "---\ntitle: open\ndate: 2024-03-05\n---\nW\n",
    "content/posts/embargo.md": "---\ntitle: embargo\ndate: 2024-03-05\npublishDate: 2099-01-01\n---\nsecret\n",
    "content/posts/pubdate.md": "---\ntitle: pubdate\ndate: 2024-03-05\npubdate: 2099-01-01\n---\nsecret\n",
    "content/posts/published.md": "---\ntitle: published\ndate: 2024-03-05\npublished: 2099-01-01\n---\nsecret\n",
    "content/posts/past.md": "---\ntitle: past\ndate: 2024-03-05\npublishDate: 2024-01-01\nexpiryDate: 2099-01-01\n---\nW\n",
    "content/posts/expired.md": "---\ntitle: expired\ndate: 2024-03-05\nexpiryDate: 2024-04-01\n---\nsecret\n",
    "content/posts/unpublish.md": "---\ntitle: unpublish\ndate: 2024-03-05\nunpublishdate: 2024-04-01\n---\nsecret\n",
    "content/posts/draft.md": "---\ntitle: draft\ndate: 2024-03-05\ndraft: true\n---\nsecret\n",
    "content/posts/toml.md": '+++\ntitle = "toml"\ndate = 2024-03-05T10:00:00\nexpiryDate = 2024-04-01\n+++\nsecret\n',
    "content/posts/json.md": '{\n"title": "json",\n"date": "2024-03-05",\n"draft": true\n}\nsecret\n',
    "content/posts/headless/index.md": "---\ntitle: headless\ndate: 2024-03-05\nheadless: true\n---\nsecret\n",
    "content/posts/single.md": "---\ntitle: no bundle\ndate: 2024-03-05\nheadless: true\n---\nW\n",
    "content/posts/never.md": "---\ntitle: never\ndate: 2024-03-05\n_build: {list: never}\n---\nsecret\n",
    "content/posts/local.md": "---\ntitle: local\ndate: 2024-03-05\n_build:\n  list: local\n---\nsecret\n",
    "content/posts/always.md": "---\ntitle: always\ndate: 2024-03-05\n_build: {list: always, render: always}\n---\nW\n",
    "content/posts/x.tmp.md": "---\ntitle: ignored\ndate: 2024-03-05\n---\nsecret\n",
    "content/posts/old/a.md": "---\ntitle: cascade of the site\ndate: 2000-03-05\n---\nsecret\n",
    "content/posts/bundle/index.md": "---\ntitle: bundle\ndate: 2024-03-06\n---\nW\n",
    "content/posts/bundle/notes.md": "---\ntitle: resource\ndate: 2024-03-07\n---\nsecret\n",
    "content/posts/bundle/deep/notes.md": "---\ntitle: deep resource\ndate: 2024-03-07\n---\nsecret\n",
    "content/posts/bundle/deep/index.md": "---\ntitle: index in a bundle\ndate: 2024-03-07\n---\nsecret\n",
    "content/posts/lang/index.en.md": "---\ntitle: bundle with a language\ndate: 2024-03-07\n---\nW\n",
    "content/posts/lang/notes.md": "---\ntitle: its resource\ndate: 2024-03-07\n---\nsecret\n",
    "content/posts/later/_index.md": "---\ntitle: Later\ncascade:\n  draft: true\n---\n",
    "content/posts/later/x.md": "---\ntitle: draft by cascade\ndate: 2024-03-08\n---\nsecret\n",
    "content/posts/later/deep/y.md": "---\ntitle: deeper draft\ndate: 2024-03-08\n---\nsecret\n",
    "content/posts/later/own.md": "---\ntitle: in a hidden section\ndate: 2024-03-08\ndraft: false\n---\nsecret\n",
    "content/posts/pages/_index.md": "---\ntitle: P\ncascade:\n- _target: {kind: page}\n  draft: true\n---\n",
    "content/posts/pages/x.md": "---\ntitle: a page's draft\ndate: 2024-03-08\n---\nsecret\n",
    "content/posts/pages/own.md": "---\ntitle: its own word\ndate: 2024-03-08\ndraft: false\n---\nW\n",
    "content/posts/some/_index.md": "---\ntitle: S\ncascade:\n- _target: {path: '/posts/some/x*'}\n  _build: {list: never}\n"
    "- tags: [given]\n---\n",
    "content/posts/some/x1.md": "---\ntitle: by path\ndate: 2024-03-08\n---\nsecret\n",
    "content/posts/some/y1.md": "---\ntitle: other path\ndate: 2024-03-08\n---\nW\n",
    "content/posts/off/_index.md": "---\ntitle: O\ndraft: true\n---\n",
    "content/posts/off/x.md": "---\ntitle: in a draft\ndate: 2024-03-08\n---\nsecret\n",
    "content/posts/soon/_index.md": "---\ntitle: O\npublishDate: 2099-01-01\n---\n",
    "content/posts/soon/x.md": "---\ntitle: in a section of the future\ndate: 2024-03-08\n---\nsecret\n",
    "content/posts/over/_index.md": "---\ntitle: O\nexpiryDate: 2001-01-01\n---\n",
    "content/posts/over/deep/x.md": "---\ntitle: in an expired section\ndate: 2024-03-08\n---\nsecret\n",
    "content/posts/unlisted/_index.md": "---\ntitle: U\n_build: {list: never}\n---\n",
    "content/posts/unlisted/x.md": "---\ntitle: in an unlisted section\ndate: 2024-03-08\n---\nW\n",
}
PELICAN: Files = {
    "pelicanconf.py": "SITENAME = 'S'\nSITEURL = 'https://site.example.org'\nPATH = 'content'\nTIMEZONE = 'Europe/Paris'\n"
    "PAGE_PATHS = ['pages', 'about']\nARTICLE_EXCLUDES = ['kept']\nIGNORE_FILES = ['.*', '_*']\n"
    "ARTICLE_URL = '{date:%Y}/{slug}/'\nARTICLE_SAVE_AS = '{date:%Y}/{slug}/index.html'\n"
    "DEFAULT_METADATA = {'status': 'draft'}\n"
    "EXTRA_PATH_METADATA = {'sure': {'status': 'published'}, 'sure/not': {'status': 'hidden'}}\n"
    "PATH_METADATA = r'(?P<status>skip)s/.*'\n",
    "content/open.md": "Title: open\nDate: 2024-03-01\nStatus: published\n\nW\n",
    "content/upper.md": "Title: upper\nDate: 2024-03-01 10:00\nStatus: Published\n\nW\n",
    "content/brackets.md": "Title: [x] ten notes\nDate: 2024-03-02\nStatus: published\n\nW\n",
    "content/colon.md": "title: Talk: an hour\ndate: 2024-03-02\nstatus: published\n\nW\n",
    "content/quotes.md": "Title: 'single'\nDate: 2024-03-02\nStatus: published\n\nW\n",
    "content/fenced.md": '---\ntitle: "double"\ndate: 2024-03-02\nstatus: published\n---\nW\n',
    "content/default.md": "Title: draft by default\nDate: 2024-03-02\n\nsecret\n",
    "content/draft.md": "Title: draft\nDate: 2024-03-02\nStatus: draft\n\nsecret\n",
    "content/hidden.md": "Title: hidden\nDate: 2024-03-03\nStatus: hidden\n\nsecret\n",
    "content/skip.md": "Title: skip\nDate: 2024-03-04\nStatus: skip\n\nsecret\n",
    "content/yaml.md": "---\ntitle: yaml\ndate: 2024-03-04\nstatus: draft\n---\nsecret\n",
    "content/unknown.md": "Title: unknown\nDate: 2024-03-04\nStatus: secret\n\nsecret\n",
    "content/sure/a.md": "Title: by its path\nDate: 2024-03-04\n\nW\n",
    "content/sure/not/b.md": "Title: hidden by its path\nDate: 2024-03-04\n\nsecret\n",
    "content/skips/c.md": "Title: skipped by its path\nDate: 2024-03-04\n\nsecret\n",
    "content/pages/about.md": "Title: page\nDate: 2024-03-05\nStatus: published\n\nsecret\n",
    "content/about/me.md": "Title: other page\nDate: 2024-03-05\nStatus: published\n\nsecret\n",
    "content/kept/x.md": "Title: excluded\nDate: 2024-03-05\nStatus: published\n\nsecret\n",
    "content/_x.md": "Title: ignored\nDate: 2024-03-05\nStatus: published\n\nsecret\n",
    "content/head.html": "<html><head><title>in HTML</title><meta name='date' content='2024-03-06'>"
    "<meta name='status' content='published'></head><body><p>W</p></body></html>\n",
    "content/2024-03-07-kept.html": "<html><head><title>kept in HTML</title><meta name='status' content='draft'></head>"
    "<body><p>secret</p></body></html>\n",
}
SITES = {"hexo": HEXO, "jekyll": JEKYLL, "hugo": HUGO, "pelican": PELICAN}


def initialised(folder: Path, files: Files) -> Path:
    """Write a site's files and run `init` on it."""
    for name, text in files.items():
        write(folder / name, text)
    assert run("init", "-q", str(folder)).exit_code == 0
    return folder


def published(site: Path) -> dict[str, tuple[str, datetime]]:
    """Return the path of the page and the publication time of each entry in the site's feed, by title."""
    done = build(site)
    assert done.exit_code in (0, 1), done.stderr
    (feed,) = (path for path in site.rglob("feed.json") if "categories" not in path.parts)
    return {
        item["title"]: (unquote(urlsplit(item["url"]).path), datetime.fromisoformat(item["date_published"]))
        for item in json.loads(feed.read_bytes())["items"]
    }


@pytest.mark.parametrize("name", SITES)
def test_feeds_hold_the_articles_of_the_generator(name: str, tmp_path: Path) -> None:
    site = initialised(tmp_path, SITES[name])
    posts = [post for post in GENERATORS[name](site).values() if post.published]
    ours = published(site)
    assert sorted(ours) == sorted(post.title for post in posts)
    for post in posts:
        address, instant = ours[post.title]
        assert instant.astimezone(UTC) == datetime.fromisoformat(post.date), post.title
        # If one permalink pattern cannot give the addresses of all articles, feedtool writes its own pages.
        assert address.startswith("/feeds/articles/") or address == post.address, post.title


@pytest.mark.parametrize("name", SITES)
def test_output_contains_no_withheld_text(name: str, tmp_path: Path) -> None:
    site = initialised(tmp_path, SITES[name])
    published(site)
    output = next(site.rglob(".feedtool-manifest")).parent
    leaks = [path.name for path in output.rglob("*") if path.is_file() and b"secret" in path.read_bytes()]
    assert not leaks


@pytest.mark.parametrize("name", SITES)
def test_explain_gives_a_reason_for_withheld_articles(name: str, tmp_path: Path) -> None:
    site = initialised(tmp_path, SITES[name])
    for path, text in SITES[name].items():
        if "secret" not in text:
            continue
        done = run("explain", "-C", str(site), "--json", str(site / path))
        assert done.exit_code == 2 or json.loads(done.stdout)["not_published"], path
        assert done.exit_code != 2 or "does not treat this file as an article" in done.stderr, path
