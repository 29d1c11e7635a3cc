"""A site with pictures, long and short titles, two writing systems and every kind of text, to be viewed in a browser."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.support.behaviours import Behaviour, page
from tests.support.site import article, make_site

SETTINGS = """[site]
title = "Field notes 田野笔记"
url = "https://notes.example.org/"
description = "What we read, build and grow: notes in two languages."
language = "en"
timezone = "UTC"
author = "Ada"
rights = "© 2024 Ada, CC BY 4.0"

[feeds]
limit = 20

[pages]
articles = "all"
"""
WORDS = "Notes from this week, with what worked and what did not, and where to read more. "
TITLES = [
    ("Bread with a longer rest", "Kitchen", 1),
    ("How a feed reader knows what it has seen", "Code", 2),
    ("城市里的鸟：四月观察", "Birds", 4),
    ("A map of the old harbour", "Walks", 5),
    ("Mending a bicycle in an evening", "Workshop", 7),
    ("三种泡茶的方法", "Kitchen", 9),
    ("Reading a large file in pieces", "Code", 11),
    ("The swifts are back", "Birds", 14),
    ("Along the canal to the lock", "Walks", 19),
    ("A shelf without screws", "Workshop", 23),
]
COLOURS = ("#2f5d62", "#a63d40", "#e9b872", "#6494aa", "#90a959", "#5b4b8a")
CHINESE = "四月的第一个周末，我们沿着河走了两个小时，记下了看到的每一种鸟：「白鹭」、『翠鸟』，还有一只没认出来的。"
RICH = """<p>{chinese}</p>
<figure><img src="{picture}" alt="河边" width="1200" height="800"><figcaption>河边，早上七点</figcaption></figure>
<h2>怎么看</h2>
<p>带上 <a href="https://example.org/guide">一本图鉴</a>，用 <code>grep 鸟名 notes.txt</code> 找旧的记录；
<ruby>鹭<rt>lù</rt></ruby>最常见。</p>
<ul><li>早上六点到八点</li><li>风小的日子，<strong>安静地</strong>等</li></ul>
<blockquote><p>The swifts come back in the last week of April, screaming.</p></blockquote>
<h3>记录</h3>
<table><thead><tr><th>日期</th><th>鸟</th><th>只数</th><th>地点，也就是在哪一座桥的哪一边看到的</th></tr></thead>
<tbody><tr><td>2024-04-06</td><td>白鹭</td><td>12</td><td>旧桥以东</td></tr>
<tr><td>2024-04-07</td><td>翠鸟</td><td>1</td><td>averyveryverylongnamewithoutanyplacetobreak-it-at-all</td></tr></tbody></table>
<pre><code class="language-python">for bird, count in sorted(seen.items(), key=lambda pair: -pair[1]):
    print(f"{{bird}}: {{count}}")  # a line that is much longer than the column in which it stands on a telephone
</code></pre>
<hr>
<p>{chinese}{chinese}</p>
<details><summary>更多</summary><p>{chinese}</p></details>
"""


def pictures() -> Mapping[str, Behaviour]:
    """Return the routes of the test server for the pictures of the site."""
    sizes = [(1200, 800), (800, 1200), (640, 360), (300, 300), (1600, 500)]
    routes = {}
    for n in range(len(TITLES)):
        colour = COLOURS[n % len(COLOURS)]
        wide, high = sizes[n % len(sizes)]
        routes[f"/{n}.svg"] = page(
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{high}" viewBox="0 0 {wide} {high}">'
            f'<rect width="{wide}" height="{high}" fill="{colour}"/>'
            f'<circle cx="{wide // 2}" cy="{high // 2}" r="{min(wide, high) // 4}" fill="#fff" fill-opacity=".7"/>'
            f'<path d="M0 {high}L{wide // 3} {high // 2}L{wide // 2} {high * 3 // 4}L{wide} {high // 3}V{high}Z" '
            'fill="#000" fill-opacity=".35"/></svg>',
            type="image/svg+xml",
        )
    return routes


def make_gallery(folder: Path, host: str) -> Path:
    """Make the site in `folder` and return it; its pictures are at the address `host`, which ends in `/`."""
    articles = {}
    for n, (title, category, back) in enumerate(TITLES):
        latin = title.isascii()
        front = f"categories: [{category}]\ntags: [field, {category.lower()}]\n" + ("" if latin else "lang: zh-CN\n")
        front += f"thumbnail: {host}{n}.svg\n" if n not in (2, 5) else ""
        body = f"<p>{WORDS}</p>\n" * 3 if latin else f"<p>{CHINESE}</p>\n"
        articles[f"{n}.md"] = article(title, date=f"2024-04-{30 - back:02}T08:00:00Z", front=front, body=body)
    front = f"categories: [Birds, 鸟类观察]\nlang: zh-CN\nauthor: 张三\nthumbnail: {host}4.svg\nlink: https://example.org/b\n"
    articles["rich.md"] = article(
        "城市里的鸟：「白鹭」与『翠鸟』，以及一只到最后也没有认出来的鸟（四月观察）",
        date="2024-04-30T08:00:00Z",
        front=front,
        body=RICH.format(chinese=CHINESE, picture=f"{host}0.svg"),
    )
    front = (
        "categories: [Radio]\nenclosures: [{url: 'https://example.org/1.mp3', type: audio/mpeg, length: 12345678}]\n"
    )
    articles["radio.md"] = article(
        "Episode 1: the canal", date="2024-04-27T06:00:00Z", front=front, body=f"<p>{WORDS}</p>\n"
    )
    return make_site(folder, articles, SETTINGS)
