"""Write a site of generated articles; the same arguments give the same bytes on every machine.

The files look like those of a Hexo site that ingests feeds (`<category>/<source>/<feed>/<title>.md`), with the quirks
of such sites at realistic rates: Chinese and English mixed, three categories each.
"""

from __future__ import annotations

import argparse
import os
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Literal, NamedTuple

Flavour = Literal["hexo", "clean"]
"""`hexo` has the quirks of Hexo sites; `clean` leaves out blank first lines, dates and YAML that other generators refuse."""

START = datetime(2020, 7, 25, tzinfo=UTC)
SPAN = timedelta(days=730)
POOL = 512
SUBJECTS = (
    "上海",
    "北京",
    "央行",
    "财政部",
    "新能源汽车",
    "半导体",
    "港股",
    "沪指",
    "创业板",
    "国务院",
    "多家银行",
    "民航局",
)
VERBS = (
    "召开专题会议",
    "发布最新公告",
    "回应市场关切",
    "公布二季度数据",
    "启动试点工作",
    "下调利率",
    "收涨",
    "扩大开放",
)
OBJECTS = ("以快制快处置新发情况", "涉及数十家公司", "分析师看好下半年", "机构：影响有限", "净利润同比增长", "多地跟进")
NOUNS = ("market", "city", "river", "library", "engine", "council", "harbour", "forecast", "railway", "orchestra")
ACTIONS = ("opens", "delays", "doubles", "reviews", "explains", "measures", "rebuilds", "closes", "studies")
CHINESE = (
    "会议指出，要把各项工作抓细抓实，确保平稳有序。",
    "数据显示，上半年同比增长百分之五点二，好于预期。",
    "业内人士认为，这一变化将带动上下游产业。",
    "记者从现场了解到，相关部门已经着手准备。",
    "《办法》自发布之日起施行，有效期五年。",
    "“我们会继续跟进。”负责人表示。",
    "截至收盘，两市成交额合计九千三百亿元。",
    "此前，该公司曾公告拟回购部分股份。",
)
ENGLISH = (
    "The figures were better than most people had feared. ",
    "Nobody in the room expected the vote to be that close. ",
    "Prices rose by 3.4% & trading volumes fell. ",
    "A spokesperson said the work would take about a year. ",
    "It is the third such change since 2019, and the largest. ",
    "What happens next depends on the weather, she added. ",
)
STYLE = (
    "<style>.appendQr_wrap&#123;border:1px solid #E6E6E6;padding:8px;&#125; "
    ".appendQr_normal&#123;float:left;&#125;</style> "
    '<div class="appendQr_wrap"><div class="appendQr_normal">'
    '<img src="https://n.sinaimg.cn/finance/cece9e13/20200514/343233024.png" referrerpolicy="no-referrer"></div>'
    '<div class="appendQr_normal_txt">24小时滚动播报最新的财经资讯和视频，'
    "更多粉丝福利扫描二维码关注（sinafinance）</div></div>\n"
).encode()
SETTINGS = """[site]
title = "Generated 生成"
url = "https://example.org/bench/"
description = "Articles made by a generator."
language = "zh-CN"
timezone = "Asia/Shanghai"
"""


class Folder(NamedTuple):
    """A folder of articles: its categories from the widest to the narrowest, which are also the parts of its path."""

    categories: tuple[str, ...]
    chinese: bool


class Head(NamedTuple):
    """The file's stem and its front matter, including the fences."""

    stem: str
    text: str


def generate(
    folder: str | os.PathLike[str],
    count: int,
    *,
    seed: int = 1,
    categories: int = 40,
    body: tuple[int, int] = (2_000, 30_000),
    flavour: Flavour = "hexo",
    dated_from: datetime = START,
) -> None:
    """Write `feedtool.toml` and `count` articles below `folder`.

    `body` has the bounds of the body sizes in bytes; small bodies are more frequent.
    """
    rng = random.Random(seed)
    root = os.path.join(os.fspath(folder), "articles")
    folders = _folders(categories)
    for place in folders:
        os.makedirs(os.path.join(root, *place.categories), exist_ok=True)
    _write(os.path.join(os.fspath(folder), "feedtool.toml"), SETTINGS.encode())
    pools = {chinese: _paragraphs(rng, chinese=chinese) for chinese in (True, False)}
    for number, date in enumerate(_dates(rng, count, dated_from)):
        place = folders[rng.randrange(len(folders))]
        head = _head(rng, number, date, place, quirks=flavour == "hexo")
        size = int(rng.triangular(body[0], body[1], body[0]))
        data = head.text.encode() + _body(rng, pools[place.chinese], size)
        _write(os.path.join(root, *place.categories, head.stem + ".md"), data)


def main() -> None:
    """Generate the site that the command line describes."""
    parser = argparse.ArgumentParser(description="Write a site of generated articles.")
    parser.add_argument("folder")
    parser.add_argument("count", type=int)
    parser.add_argument("--small", action="store_true", help="bodies of about 1 kB")
    parser.add_argument("--clean", action="store_true", help="nothing that stops other generators")
    parser.add_argument("--categories", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dated-from", type=_day, default=START, metavar="YYYY-MM-DD")
    options = parser.parse_args()
    generate(
        options.folder,
        options.count,
        seed=options.seed,
        categories=options.categories,
        body=(800, 1_200) if options.small else (2_000, 30_000),
        flavour="clean" if options.clean else "hexo",
        dated_from=options.dated_from,
    )


def _day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _folders(categories: int) -> list[Folder]:
    """Return the narrowest categories, each inside its source inside its section, with `categories` names in all."""
    tops = max(1, categories // 5)
    sources = max(1, categories * 3 // 10) if categories > 1 else 0
    feeds = max(1, categories - tops - sources) if categories > 2 else 0
    folders = []
    for number in range(max(feeds, sources, tops)):
        chinese = number % 3 != 2
        place: tuple[str, ...] = (_section(number % sources % tops if sources else number),)
        if sources:
            place += (f"来源{number % sources:02}",)
        if feeds:
            place += (f"来源{number % sources:02}－國内{number:02}" if chinese else f"Wire {number:02}",)
        folders.append(Folder(place, chinese))
    return folders


def _section(number: int) -> str:
    return f"{('金融', '科技', '国际', 'World', '体育', 'C++', '文化', 'Science')[number % 8]}{number // 8 or ''}"


def _dates(rng: random.Random, count: int, start: datetime) -> Iterator[datetime]:
    """Yield dates in random order over two years; some repeat the one before."""
    date = start
    for number in range(count):
        if number == 0 or rng.random() >= 0.02:
            date = start + timedelta(seconds=rng.randrange(int(SPAN.total_seconds())))
        yield date


def _head(rng: random.Random, number: int, date: datetime, place: Folder, *, quirks: bool) -> Head:
    """Return front matter with the keys in the order that the Hexo theme writes."""
    title = _title(rng, number, chinese=place.chinese)
    stem = title.replace("/", "-")
    quoted = "'" + title.replace("'", "''") + "'"
    if quirks and rng.random() < 0.01:
        stem = f'"{stem}"'
    if quirks and rng.random() < 0.01:
        quoted = f"'It's \"{title}\"'"
    thumbnail = _picture(rng, number)
    lines = [
        *([""] if quirks else ()),
        "---",
        f"title: {quoted}",
        "categories: ",
        *(f" - {name}" for name in place.categories),
    ]
    if thumbnail is not None:
        lines.append(f"headimg: '{thumbnail}'")
    lines += [f"author: {place.categories[-1]}", "comments: false", f"date: {_date(rng, date, quirks=quirks)}"]
    if thumbnail is not None:
        lines.append(f"thumbnail: '{thumbnail}'")
    if rng.random() < 0.1:
        url = f"https://news.example.com/{date:%Y}/{number}.shtml"
        lines += [f"link: {url}", f"guid: {url}?from=rss"]
    return Head(stem, "\n".join([*lines, "---", "", ""]))


def _title(rng: random.Random, number: int, *, chinese: bool) -> str:
    if chinese:
        subject, verb, tail = rng.choice(SUBJECTS), rng.choice(VERBS), rng.choice(OBJECTS)
        return f"{subject}{verb}：{tail}（{number}）"
    return f"The {rng.choice(NOUNS)} {rng.choice(ACTIONS)} a {rng.choice(NOUNS)}, it's said ({number})"


def _date(rng: random.Random, date: datetime, *, quirks: bool) -> str:
    """Return the date in one of the formats that Hexo sites contain; formats without a zone are local to Asia/Shanghai."""
    local = date + timedelta(hours=8)
    form = rng.random()
    if not quirks:
        return f"{local:%Y-%m-%dT%H:%M:%S}+08:00"
    if form < 0.005:
        return "Invalid Date"
    if form < 0.2:
        return f"{local:%Y-%m-%d %H:%M:%S}"
    if form < 0.28:
        return f"{local:%Y-%m-%dT%H:%M:%S}+08:00"
    if form < 0.3:
        return f"{local.year}年{local.month}月{local.day}日 {local:%H:%M}"
    return format_datetime(date, usegmt=True)


def _picture(rng: random.Random, number: int) -> str | None:
    form = rng.random()
    if form < 0.1:
        return ""
    if form < 0.2:
        return f"https://picsum.photos/400/300?random={number % 100}"
    if form < 0.3:
        return f"https://cors.example.dev/?http://img.example.com/{number}.png"
    if form < 0.4:
        return None
    return f"https://n.sinaimg.cn/finance/{number:08x}/20220725/{number}.png"


def _paragraphs(rng: random.Random, *, chinese: bool) -> list[bytes]:
    """Return a pool of paragraphs; one in eight has a picture, in one of the forms that need repair."""
    return [_paragraph(rng, number, chinese=chinese).encode() for number in range(POOL)]


def _paragraph(rng: random.Random, number: int, *, chinese: bool) -> str:
    sentences = rng.choices(CHINESE if chinese else ENGLISH, k=rng.randint(2, 7))
    text = "".join(sentences).replace("&", "&amp;")
    picture = (
        f'<img src="https://n.sinaimg.cn/news/{number}.jpg" referrerpolicy="no-referrer">',
        f'<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=" data-src="//img.example.com/{number}.jpg">',
        f'<img src="https://cors.example.dev/?http://img.example.com/{number}.png" alt="图{number}">',
        f'<a href="/topic/{number}"><img src="/images/{number}.webp"></a>',
    )
    if number % 8 == 0:
        return f"<p>{rng.choice(picture)}</p>\n"
    if number % 16 == 1:
        return f'<p cms-style="font-L"><font cms-style="font-L strong-Bold">{text}</font></p>\n'
    return f'<p cms-style="font-L">{"　　" if chinese else ""}{text}</p>\n'


def _body(rng: random.Random, pool: list[bytes], size: int) -> bytes:
    """Return a body of about `size` bytes."""
    average = sum(map(len, pool[:32])) // 32
    parts = rng.choices(pool, k=max(1, size // average))
    if size > 1_500 and rng.random() < 0.3:
        parts.append(STYLE)
    return b"<div>   \n" + b"".join(parts) + b"</div>\n"


def _write(path: str, data: bytes) -> None:
    with open(path, "wb") as file:
        file.write(data)


if __name__ == "__main__":
    main()
