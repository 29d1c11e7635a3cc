"""Write sites with many articles in the forms that the users of each generator write: dates, zones, titles, keys, line ends."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

from tests.support.site import write

COUNT = 84
TIMES = ((0, 30), (6, 30), (12, 0), (23, 30))
"""Hours and minutes: some fall on another day in another zone."""

# {d}: 2024-02-05, {t}: 06:30, {s}: 06:30:00; the others as in strftime.
DATES = {
    "hexo": (
        "{d} {s}", "{d} {t}", "{d}T{s}", "{d}", "{y}/{m}/{day} {s}", "{y}/{mm}/{dd}", "{d}T{s}+08:00", "{d}T{s}Z", "{d}T{s}.000Z",
        "{d} {s} -05:00", "{d} {s} -0500", "{d}T{s}+0800", "{rfc} GMT", "{rfc} -0800", "{month} {dd}, {y}", "'{d} {s}'",
        '"{d}T{s}+08:00"', "'{d}T{s}Z'", "{d} {s} UTC", "{y}-{mm}-{dd} {t}", "{y}.{m}.{day}",
    ),
    "jekyll": (
        "{d} {s}", "{d} {t}", "{d}T{s}", "{d}", "{y}/{m}/{day} {s}", "{y}/{mm}/{dd}", "{d}T{s}+08:00", "{d}T{s}Z", "{d}T{s}.000Z",
        "{d} {s} -05:00", "{d} {s} -0500", "{d} {s} +0800", "{rfc} GMT", "{rfc} -0800", "{month} {dd}, {y}", "'{d} {s}'",
        '"{d}T{s}+08:00"', "'{d}'", "{d} {s} UTC", "", "{d} {t} +0530",
    ),
    "hugo": (
        "{d} {s}", "{d}T{s}", "{d}", "{d}T{s}+08:00", "{d}T{s}Z", "{d}T{s}.000Z", "{d} {s} -05:00", "{d} {s} -0500",
        "{d}T{s}+0800", "{rfc} GMT", "'{d} {s}'", '"{d}T{s}-08:00"', "'{d}'", "{d} {s} +0000",
    ),
    "pelican": (
        "{d} {s}", "{d} {t}", "{d}T{s}", "{d}", "{y}/{m}/{day} {s}", "{y}/{mm}/{dd}", "{d}T{s}+08:00", "{d}T{s}Z",
        "{d} {s} -05:00", "{d} {s} -0500", "{rfc} GMT", "{rfc} -0800", "{month} {dd}, {y}", "{d} {s} UTC", "{y}-{mm}-{dd} {t}",
    ),
}  # fmt: skip
"""The date formats that the generator reads."""

YAML_TITLES = (
    "Plain {n}", "'[x] y {n}'", '"a: b {n}"', "'@x {n}'", "'\"q\" {n}'", "it's {n}", "'it''s {n}'", "Before {n} #behind",
    "中文：标题 {n}", '"#hash {n}"', "C# and {{x}} {n}", '"tab\\t{n}"', ">-\n  folded\n  {n}", "yes", "12:30", "1.10",
    "'&amp; <b>{n}</b>'",
)  # fmt: skip
META_TITLES = (
    "Plain {n}", "[x] y {n}", "a: b {n}", "@x {n}", '"q" {n}', "it's {n}", "'quoted {n}'", "Before {n} #behind", "中文：标题 {n}",
    "#hash {n}", "- dash {n}", "yes", "12:30", "{{a}} {n}", "&amp; <b>{n}</b>", "> {n}", "100% {n}",
)  # fmt: skip
BROKEN_TITLES = ("[x] y {n}", "a: b {n}", "@x {n}", '"q" and {n}', "'it's {n}'", "%x {n}", "`a` {n}")
"""Titles that are not valid YAML; the authors meant every letter."""
KEYS = (*[("title", "date")] * 6, ("Title", "Date"), ("TITLE", "date"))
EXTRAS = (
    "", "categories: [One, Two]\n", "categories:\n  - One\ntags: [a, b]\n", "updated: {date}\n", "lastmod: {date}\n",
    "published: false\n", "draft: true\n", "last_modified_at: {date}\n", "category: One\ntag: a\n",
    "thumbnail: https://picsum.photos/400/300?random=8\n", "# a comment\n",
)  # fmt: skip
META_EXTRAS = (
    "", "Category: One\n", "Tags: a, b\n", "Modified: {date}\n", "Author: Ada\n", "Status: draft\n", "Status: hidden\n",
    "Summary: [x] In: short\n", "Authors: Ada, Bob\n",
)  # fmt: skip
ENDINGS = ("\n", "\n", "\n", "\r\n")

OTHERS = {
    "hexo": (
        ("source/_posts/json.md", '"title": "JSON",\n"date": "2024-03-05 06:30:00"\n;;;\nText.\n'),
        ("source/_posts/json-z.md", '"title": "JSON",\n"date": "2024-03-04T22:30:00.000Z"\n;;;\nText.\n'),
        ("source/_posts/open.md", "title: Open\ndate: 2024-03-05T06:30:00Z\ncategories: One\n---\nText.\n"),
        ("source/_posts/folder/deep.md", "---\ntitle: Deep\ndate: 2024-03-05 00:10:00\n---\nText.\n"),
        ("source/_posts/中文 名.md", "---\ntitle: 中文\ndate: 2024-03-05 00:10:00\n---\nText.\n"),
    ),
    "jekyll": (
        ("_posts/folder/2024-03-05-deep.md", "---\ntitle: Deep\ndate: 2024-03-05 03:00:00\n---\nText.\n"),
        ("_posts/2024-03-05-html.html", "---\ntitle: HTML\ndate: 2024-03-05 03:00:00\n---\n<p>Text.</p>\n"),
        ("_drafts/draft.md", "---\ntitle: Draft\n---\nText.\n"),
    ),
    "hugo": (
        ("content/posts/toml.md", '+++\ntitle = "TOML"\ndate = 2024-03-05T06:30:00+08:00\n+++\nText.\n'),
        ("content/posts/toml-local.md", '+++\ntitle = "TOML"\ndate = 2024-03-05T06:30:00\n+++\nText.\n'),
        ("content/posts/toml-day.md", '+++\ntitle = "TOML"\ndate = 2024-03-05\nlastmod = 2024-04-05\n+++\nText.\n'),
        (
            "content/posts/toml-text.md",
            '+++\ntitle = "TOML"\ndate = "2024-03-05 06:30:00"\n[params]\nx = 1\n+++\nText.\n',
        ),
        ("content/posts/json.md", '{"title": "JSON", "date": "2024-03-04T22:30:00-05:00"}\nText.\n'),
        (
            "content/posts/later.md",
            "---\ntitle: Later\ndate: 2024-03-05\npublishDate: 2190-01-01 00:30:00\n---\nText.\n",
        ),
    ),
    "pelican": (
        ("content/folder/deep.md", "Title: Deep\nDate: 2024-03-05 00:10\n\nText.\n"),
        ("content/yaml.md", "---\ntitle: YAML-like\ndate: 2024-03-05 00:10\n---\nText.\n"),
        ("content/pages/page.md", "Title: Page\n\nText.\n"),
    ),
}
"""Articles in forms that occur once."""
CONFIGS = {
    "hexo": (
        "_config.yml", "title: Notes\nurl: https://notes.example\npermalink: :year/:month/:day/:title/\n", "timezone: {zone}\n",
    ),
    "jekyll": (
        "_config.yml", "title: Notes\nurl: https://notes.example\npermalink: /:year/:month/:day/:title/\n", "timezone: {zone}\n",
    ),
    "hugo": (
        "hugo.toml",
        'title = "Notes"\nbaseURL = "https://notes.example/"\n[permalinks]\nposts = "/:year/:month/:day/:filename/"\n',
        'timeZone = "{zone}"\n',
    ),
    "pelican": (
        "pelicanconf.py",
        "SITENAME = 'Notes'\nSITEURL = 'https://notes.example'\nPATH = 'content'\nSLUGIFY_SOURCE = 'basename'\n"
        "ARTICLE_URL = '{{date:%Y}}/{{date:%m}}/{{date:%d}}/{{slug}}/'\n",
        "TIMEZONE = '{zone}'\n",
    ),
}  # fmt: skip
FOLDERS = {"hexo": "source/_posts", "jekyll": "_posts", "hugo": "content/posts", "pelican": "content"}


def make(generator: str, folder: Path, *, zone: str, extra: str = "") -> Path:
    """Write a site of COUNT articles and return its folder; `zone` "" leaves the zone to the generator."""
    settings(generator, folder, zone=zone, extra=extra)
    for path, text in (*articles(generator), *OTHERS.get(generator, ())):
        write(folder / path, text)
    return folder


def settings(generator: str, folder: Path, *, zone: str, extra: str = "") -> None:
    """Write the settings file of the generator."""
    name, text, in_zone = CONFIGS[generator]
    zoned = in_zone.format(zone=zone) if zone else ""
    write(folder / name, zoned + text.replace("{{", "{").replace("}}", "}") + extra)
    (folder / FOLDERS[generator]).mkdir(parents=True, exist_ok=True)


def articles(generator: str) -> Iterator[tuple[str, str]]:
    """Yield the path and text of each article; the lengths of the lists determine which forms are combined."""
    is_meta = generator == "pelican"
    titles, extras = cycle(META_TITLES if is_meta else YAML_TITLES), cycle(META_EXTRAS if is_meta else EXTRAS)
    keys, endings, forms = cycle(KEYS), cycle(ENDINGS), cycle(DATES[generator])
    for n in range(COUNT):
        day = n % 28 + 1
        form = next(forms)
        date = dated(form, day, n)
        names = ("Title", "Date") if is_meta else next(keys)
        text = f"{names[0]}: {_filled(next(titles), n)}\n" + (f"{names[1]}: {date}\n" if date else "")
        text += _filled(next(extras), n, date or f"2024-02-{day:02} 12:00:00")
        text = f"{text}\nText.\n" if is_meta else f"---\n{text}---\nText.\n"
        name = f"2024-02-{day:02}-post-{n:02}.md" if generator == "jekyll" else f"post-{n:02}.md"
        yield f"{FOLDERS[generator]}/{name}", text.replace("\n", next(endings))


def broken(generator: str) -> Iterator[tuple[str, str, str]]:
    """Yield the path and text of articles with invalid YAML, and the intended titles."""
    for n, title in enumerate(BROKEN_TITLES):
        name = f"2024-04-{n + 1:02}-broken-{n}.md" if generator == "jekyll" else f"broken-{n}.md"
        meant = _filled(title, n)
        text = f"---\ntitle: {meant}\ndate: 2024-04-{n + 1:02} 12:00:00\ncategories: [One]\n---\nText.\n"
        yield f"{FOLDERS[generator]}/{name}", text, meant.strip("'") if meant[-1] == "'" else meant


def dated(form: str, day: int, n: int) -> str:
    """Return a date of February 2024, a month without a clock change, in a format."""
    hour, minute = TIMES[n % len(TIMES)]
    weekday = ("Wed", "Thu", "Fri", "Sat", "Sun", "Mon", "Tue")[day % 7]  # 2024-02-01 was a Thursday.
    return form.format(
        d=f"2024-02-{day:02}", t=f"{hour:02}:{minute:02}", s=f"{hour:02}:{minute:02}:00", y=2024, m="02", mm=2, dd=day,
        day=f"{day:02}", month="February", rfc=f"{weekday}, {day:02} Feb 2024 {hour:02}:{minute:02}:00",
    )  # fmt: skip


def _filled(text: str, n: int, date: str = "") -> str:
    text = re.sub(r"\{n\}", str(n), text)
    return text.replace("{date}", date)
