"""Small entries, feeds, heads and dates, whose results are recorded (see `tests/support/recorded.py`)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from feedtool.feeds.entries import EntryRules
from feedtool.html import Policy
from feedtool.models import Article, Author, Category, Enclosure, Entry, Feed, SafeHtml, Source, Tombstone

SHANGHAI = ZoneInfo("Asia/Shanghai")
NAIVE = datetime(2022, 7, 25)  # noqa: DTZ001
MOMENT = datetime(2022, 7, 25, 20, 11, 30, tzinfo=SHANGHAI)
IDS = [
    "",
    "x",
    "tag:e.org,2005:x",
    "urn:uuid:x",
    "https://e.org/x",
    "http://e.org/%41",
    "http://e.org/%4",
    "http://e.org/%zz",
    "http://e.org/é",
    "http://e.org/ x",
    "javascript:x",
    "VBScript:x",
    "data:x",
    "x:",
    "x:y",
    "1:y",
    "x:y z",
    "12345",
    " x ",
    "a\x00:b",
    "x:[y]",
    "mailto:a@b",
    "x:é",
    "tag:",
    "urn:",
    "http:",
    "tag:a%2",
    "tag:a%2gb",
    "tag:a\nb",
    "tag:a#b",
    "-:x",
    "ta+g.-:x",
    "javascript:",
    "\ud800",
]
ADDRESSES = [
    "a+b://é.org/x",*IDS, "https://", "https:///x", "https://?x", "https://#x", "http:x", "http:/x", "https://e.org",
    "HTTPS://e.org/é?é#é", "https://é.org/x", "https://[::1]/x", "https://[::1]:8/x", "https://[x]/y", "https://e.org/a%b",
        "about:x", "blob:x", "file:x", "ftp://é/x", "https://" + "é" * 70 + "/x", "//e.org/x", "/x", "https://e.org/[x]",
        "https://e.org/a|b", "tel:1", "https://u@é.org/", "https://e.org?é"]  # fmt: skip
TEXTS = [
    "",
    "a",
    "a & b",
    "a &amp; b",
    "a &x b",
    "<b>",
    "< b",
    "a<",
    "<!x",
    "<?x",
    "</x",
    "R&D2",
    "a\rb\nc\td",
    "a\x00b",
    "\"'>",
    "&#65;",
    "&lt",
    "\ud800",
    "é\u2028",
    "中 &",
]
AUTHORS = [
    Author(name="A"),
    Author(name=""),
    Author(name=" ", email="a@b.org"),
    Author(name="", email="no mail", uri="https://e.org/a"),
    Author(name="A & <b>", email="a@b.org", uri="https://e.org/é"),
    Author(name="A", email="a@b"),
    Author(name="A", email="a@b-c.d-e", uri="javascript:x"),
    Author(name="", uri="x"),
    Author(name="A", email="x" * 64 + "@b.c"),
    Author(name="A", email="x" * 65 + "@b.c"),
]
ENCLOSURES = [
    Enclosure(url="https://e.org/a.mp3", type="Audio/MPEG; x", length=5, duration=62, title=" T & u "),
        Enclosure(url="https://e.org/a.mp3", type="audio/mpeg", length=0, duration=0),
        Enclosure(url="https://e.org/b.ogg", type="audio/ogg", duration=3),
        Enclosure(url="https://e.org/b.mp4", type="video/mp4", length=-1, duration=-1),
        Enclosure(url="https://e.org/b.pdf", type="nonsense"), Enclosure(url="javascript:x", type="a/b"),
        Enclosure(url="ftp://e.org/x", type="image/png", length=3),
        Enclosure(url="https://e.org/c.jpg", type="image/jpeg", length=9), Enclosure(url="https://e.org/c.m4v?x", type="video/mp4"),
]  # fmt: skip
PLAIN = Entry(id="tag:e.org,2005:x", title="Title", published=MOMENT, updated=MOMENT)
FULL = replace(
    PLAIN, url="https://e.org/x", content=SafeHtml("<p>a & b \"c\" \\ \r\n\t</p>"), summary="Sum & <b>",
        image="https://e.org/i.jpg", authors=tuple(AUTHORS),
    categories=(Category(name="C & d", scheme="https://e.org/categories/"), Category(name=" "),
        Category(name="n", scheme="javascript:x")), enclosures=tuple(ENCLOSURES), language="zh_CN", rights="(c) <x>",
        source=Source(title="S", url="https://s.org/f", id="sid"), updated=MOMENT + timedelta(days=1),
)  # fmt: skip
ENTRIES: dict[str, Entry] = {
    "plain": PLAIN, "full": FULL, "no title": replace(PLAIN, title=" "),
        "a title of markup": replace(FULL, title="<b> & &amp;"), "summary as title": replace(FULL, summary="Title"),
        "summary as title alone": replace(PLAIN, summary=" Title "),
        "summary and address": replace(PLAIN, summary="s & <x>", url="https://e.org/"),
        "address alone": replace(PLAIN, url="https://e.org/"),
    "number": replace(PLAIN, id="12345678"), "long number": replace(PLAIN, id="123456789"), "no id": replace(PLAIN, id=" "),
        "script": replace(PLAIN, id="javascript:x"), "id is address": replace(PLAIN, id="https://e.org/", url="https://e.org/"),
        "id is another": replace(PLAIN, id="https://e.org/", url="https://e.org/x"),
        "id is no web address": replace(PLAIN, id="ftp://e.org/", url="ftp://e.org/"),
        "bad language": replace(PLAIN, language="x y"), "bad picture": replace(PLAIN, image="x"),
    "source without address": replace(PLAIN, source=Source(title="S & <b>")),
        "source without title": replace(PLAIN, source=Source(url="https://s.org/")),
        "source of nothing": replace(PLAIN, source=Source(url="x")),
        "source by id": replace(PLAIN, source=Source(id="i", url="javascript:x")),
        "source by ftp": replace(PLAIN, source=Source(url="ftp://s.org/", title="x")),
        "source of odd title": replace(PLAIN, source=Source(title="a\x00 b")),
    **{f"enclosure {number}": replace(PLAIN, enclosures=(one,), image="https://e.org/i.jpg") for number,
    one in enumerate(ENCLOSURES)},
    **{f"further enclosure {number}": replace(PLAIN, enclosures=(ENCLOSURES[0], one)) for number, one in enumerate(ENCLOSURES)},
    "episode with a picture by ftp": replace(PLAIN, enclosures=tuple(ENCLOSURES[:1]), image="ftp://e.org/i.jpg"),
    "utc": replace(PLAIN, published=datetime(2022, 1, 2, tzinfo=UTC), updated=datetime(1850, 1, 2, tzinfo=SHANGHAI)),
}  # fmt: skip
BARE = Feed(path="", id="tag:e.org,2005:feed/", title="Feed", url="https://e.org/", updated=MOMENT)
RICH = replace(
    BARE, description="D & <b>", language="en", authors=(Author(name="A" * 256, email="a@b.org"),
        Author(name="B", email="b@b.org")), rights="(c)", icon="https://e.org/i.ico", image="https://e.org/i.PNG",
        hub="https://h.org/", css="https://e.org/feed.css?a\"b", home="https://e.org/home", ttl=60, audio=True,
    category=Category(name="News", scheme="https://e.org/categories/"), podcast_category="Arts",
        tombstones=(Tombstone(ref="12345", when=MOMENT),),
)  # fmt: skip
FEEDS: dict[str, Feed] = {
    "bare": BARE, "rich": RICH, "blank title": replace(BARE, title=" ", description=" "),
        "title of blanks around": replace(BARE, title=" T "), "no picture": replace(RICH, image="https://e.org/i.svg"),
        "picture by ftp": replace(RICH, image="ftp://e.org/i.png"), "jpeg": replace(RICH, image="https://e.org/i.jpeg"),
        "gif": replace(RICH, image="https://e.org/i.gif"), "no ttl": replace(RICH, ttl=0),
        "negative ttl": replace(RICH, ttl=-1), "no hub": replace(RICH, hub="x"),
        "no mail": replace(RICH, authors=(Author(name="A", email="x"),)),
        "second mail": replace(RICH, authors=(Author(name="A"), Author(name="B", email="b@b.org"))),
        "no authors": replace(RICH, authors=()), "no language": replace(RICH, language="x y"),
        "Chinese": replace(RICH, language="zh_TW"), "no audio": replace(RICH, audio=False),
        "other category": replace(RICH, category=Category(name="x")), "no category": replace(RICH, category=None),
        "no podcast category": replace(RICH, category=None, podcast_category="x"),
    "odd address": replace(BARE, url="/x y/", home="javascript:x"), "first archive": replace(BARE, archive=1),
        "first of two": replace(BARE, archive=1, next_archive=2),
        "second archive": replace(BARE, archive=2, prev_archive=1, next_archive=3, tombstones=RICH.tombstones),
        "behind archives": replace(RICH, prev_archive=3),
}  # fmt: skip
APPLE = [
    "Arts",
    "Business",
    "Comedy",
    "Education",
    "Fiction",
    "Government",
    "History",
    "Health & Fitness",
    "Kids & Family",
    "Leisure",
    "Music",
    "News",
    "Religion & Spirituality",
    "Science",
    "Society & Culture",
    "Sports",
    "Technology",
    "True Crime",
    "TV & Film",
    "Other",
]
ARTICLE = Article(
    path="posts/2022-07-25-a b.md",
    id="tag:e.org,2005:x",
    title="A  Title",
    published=MOMENT,
    updated=MOMENT,
    body="<p>Body text. <img src='i.jpg'></p>",
    kind="html",
)
RULES = EntryRules(policy=Policy(iframe_hosts=("v.org",), proxies=("https://p.org/",)), base_url="https://e.org/")
ARTICLES: dict[str, tuple[Article, EntryRules, str | None]] = {
    "plain": (ARTICLE, RULES, None),
    "with an address": (replace(ARTICLE, link="https://l.org/a/"), RULES, "https://l.org/a/"),
    "with a page": (ARTICLE, RULES, "https://e.org/articles/x/"),
    "with a permalink": (ARTICLE, RULES._replace(permalink="/{slug}/"), "https://e.org/a/"),
    "summaries only": (ARTICLE, RULES._replace(full=False, summary_length=8), None),
    "own summary": (replace(ARTICLE, summary="<b>s</b> " + "x " * 600), RULES, None),
    "own summary, long": (replace(ARTICLE, summary="x " * 900), RULES._replace(summary_length=1500), None),
    "an excerpt": (replace(ARTICLE, body="<p>one two three</p><!-- more --><p>rest</p>"), RULES._replace(summary_length=5), None),
    "an excerpt of 1200": (replace(ARTICLE, body="<p>" + "x " * 800 + "</p><!--more--><p>rest</p>"),
        RULES._replace(summary_length=1200), None),
    "no picture wanted": (replace(ARTICLE, thumbnail=""), RULES, None),
    "no picture": (replace(ARTICLE, body="x"), RULES, None),
    "a picture": (replace(ARTICLE, thumbnail="t.png"), RULES, None),
    "a picture by proxy": (replace(ARTICLE, thumbnail="https://p.org/https://t.org/t.png"), RULES, None),
    "a picture without address": (replace(ARTICLE, thumbnail="javascript:x"), RULES, None),
    "a placeholder": (replace(ARTICLE, thumbnail="blank.gif"), RULES, None),
    "a placeholder distrusted": (replace(ARTICLE, thumbnail="blank.gif"), RULES._replace(distrust_thumbnails=True), None),
    "a picture not distrusted": (replace(ARTICLE, thumbnail="t.gif"), RULES._replace(distrust_thumbnails=True), None),
    "people and things": (replace(ARTICLE, authors=(Author(name="A\x00 b", email="m", uri="/u"),
        Author(name="B", uri="javascript:x")), categories=("c", "d\n"), tags=("c", "t"),
        enclosures=(Enclosure(url="/e.mp3", type="a/b", title="T\x00"), Enclosure(url="javascript:x", type="a/b")),
        rights="r\x00", language="en", source=Source(title="S\x00", url="/s", id="i")), RULES, None),
    "a source without anything": (replace(ARTICLE, source=Source(url="javascript:x")), RULES, None),
    "a refused body": (replace(ARTICLE, body="<p>" * 20_001 + "x", line=7), RULES._replace(prefix="a/"), None),
    "removals": (replace(ARTICLE, body="<script>x</script>y"), RULES, None),
}  # fmt: skip
TEMPLATES = [
    "",
    "/{year}/{month}/{day}/{hour}{minute}{second}/{slug}/",
    "{stem}.html",
    "/{path}/",
    "{category}/{title}",
    "/{categories}/{slug}",
    "{unknown}x{}",
    "a/{categories}b",
]
PATHS = [
    "posts/2022-07-25-a b.md",
    "20220725-x.md",
    "2022-07-25-.md",
    "a/b/index.md",
    "index.md",
    "a/_index.html",
    "x.y.md",
    "indexes.md",
    "a/index.x.md",
]
SITE = """
[site]
url = "https://e.org/"
title = "Site"
description = "About"
language = "en"
image = "https://e.org/i.png"
icon = "https://e.org/i.ico"
rights = "(c)"
hub = "https://h.org/"
timezone = "Asia/Shanghai"
author = "A"
[feeds]
limit = 2
ttl = 60
podcast_category = "Arts"
"""
CATEGORY_SETTINGS = """
[categories."x"]
title = "The x"
slug = "s"
description = "On x"
image = "https://e.org/x.png"
limit = 3
[categories."z"]
slug = "Zed"
[feeds.select."by tag"]
tags = ["t", "u"]
[feeds.select."by title"]
title_match = "^A t"
title = "Titled"
description = "About titles"
limit = 1
[feeds.select."by author"]
authors = ["Z"]
[feeds.select."by source"]
sources = ["S"]
[feeds.select."since"]
since = "1970-01-02"
[feeds.select."x but t"]
categories = ["x", "y"]
not = {tags = ["t"]}
"""
PAGES = {
    "": "",
    "all": '[pages]\narticles = "all"\n',
    "none": '[pages]\narticles = "none"\n',
    "elsewhere": '[articles]\npermalink = "/{slug}/"\n',
    "no index": "[pages]\nindex = false\n",
}
SELECTIONS = [
    ("", False, "", {}), (CATEGORY_SETTINGS, False, "", {}), (CATEGORY_SETTINGS, True, "", {}),
    ("", False, "all", {}), ("", False, "none", {}),
    ("", False, "elsewhere", {}), ("", False, "", {"drafts": True}), ("", False, "", {"now": 450}),
    ("", False, "", {"now": 500}), ("", False, "", {"now": 600}), ("", False, "", {"now": 699}), ("", False, "", {"now": 700}),
    ("", False, "", {"today": 500}), ("", False, "", {"now": 520, "today": 800}), ("", False, "", {"now": 100_000}),
]  # fmt: skip
MOMENTS = [
    datetime(2022, 7, 25, 20, 11, 30, 999, tzinfo=SHANGHAI),
    datetime(2022, 1, 2, tzinfo=UTC),
    datetime(1850, 1, 2, tzinfo=SHANGHAI),
    datetime(2022, 12, 31, 23, 59, 59, tzinfo=timezone(-timedelta(hours=3, minutes=30))),
    NAIVE,
    *(datetime(2022, month, month + 10, tzinfo=UTC) for month in range(1, 13)),
]
NAMES = [
    "2022-07-25-title",
    "2022-07-25",
    "20220725",
    "20220725-x",
    "2022.07.25",
    "2022_07_25x",
    "2022-7-5",
    "2022-07-25-20-11-title",
    "2022-07-25-20-11-30",
    "2022-07-25T20.11.30",
    "2022-07-25 20h11",
    "2022-07-25-201130",
    "20220725201130",
    "20220725T201130",
    "202207252011",
    "20220725-2011",
    "2022072520",
    "2022-07-25-25-11",
    "2022-13-25",
    "1899-07-25",
    "1900-07-25",
    "2199-07-25",
    "2200-07-25",
    "2022-07-25-20-11x",
    "2022-07-25-20",
    "x-2022-07-25",
    "2022-07.25",
    "2022-07-25-24-00",
    "2022-07-25-20-11-60",
    "2022-07-25-2011305",
    "",
]
DATES = [
    "", "2022", "2022-07-25", "2022-07-25T20:11:30Z", "2022-07-25t20:11", "2022-07-25 20:11:30.5+08:00", "2022-07-25x20:11",
        "2022-07-25T20:11:30+16:00", "2022-07-25T20:11:30+15:00", "0999-07-25T00:00:00Z", "1000-07-25T00:00:00Z",
        "2199-12-31T00:00:00", "2200-01-01T00:00:00", "0999-07-25T00:00:00", "1000-07-25T00:00:00",
        "Mon, 25 Jul 2022 20:11:30 +0800", "25 JUL 22 20:11 EST", "25-jul-49 1:02:03", "25 Jul 50 01:02:03 GMT",
        "Mon 25 Jul 2022 20:11:30 A", "Mon 25 Jul 2022 20:11:30 z", "Mon 25 Jul 2022 20:11:30 J", "25 Jul 2022 20:11:30 XYZ",
        "25 Foo 2022 20:11:30", "31 Jun 2022 20:11:30", "25 Jul 022 20:11", "Mon, 25 Jul 2022 24:00:00 GMT",
    "123456789", "1658779890", "1658779890000", "1658779890000000", "12345678", "165877989", "631152000", "631151999",
        "4102444799", "4102444800", "1658779890.5", "1658779890.123456789", "123456789.1", "Jul 25 20:11:30 2022",
        "Mon Jul 25 20:11:30 2022", "Mon, Jul 25 20:11:30 CST 2022", "Jul 25 20:11:30 +0800 2022", "Jul 25 8:11 pm 2022",
        "Jul 25 20:11:30 2022 EST", "20:11 25 July 2022", "20h11 25.7.2022", "20:11:30 GMT, 25 July 2022",
        "20:11 uhr, 25. Juli 2022", "20:11 25 July 2022 est", "20220725", "20220725T201130", "20220725_2011",
        "20220725 201130.5", "202207251", "2022/7/5", "2022.07.25.", "2022 - 07 - 25", "2022-07/25", "25.7.2022", "7/25/2022",
        "5/7/2022", "13/7/2022", "25-7-2022", "5.13.2022", "2022-206", "2022-366", "2020-366", "2022-000", "2022-07", "2022/7",
        "2022-7-", "2022-13", "July 2022", "25th of July, 2022", "1st July 2022", "2nd July 2022", "3rd July 2022",
        "1er juillet 2022", "July 25th, 2022", "2022 July 25", "2022, 25 July", "25 July 22", "25 July 922",
        "July 25 2022 at 8:11pm", "July 25 2022 at 8:11 p.m.", "July 25 2022, 8 am", "July 25 2022 20", "July 25 2022 20h",
        "July 25 2022 20 uhr", "July 25 2022 12 am", "July 25 2022 12 pm", "July 25 2022 13 am", "July 25 2022 am 8 pm",
        "July 25 2022 24:00", "July 25 2022 24:01", "July 25 2022 23:59:60", "July 25 2022 23:59:61", "July 25 2022 25:00",
        "July 25 2022 20:60", "July 25 2022 20:11:30,5", "July 25 2022 20.11", "July 25 2022 20:11 (CST)",
        "July 25 2022 20:11 (what)", "July 25 2022 20:11 +8", "July 25 2022 20:11 utc+8", "July 25 2022 20:11 gmt -05:30 EST",
        "July 25 2022 20:11 +0860", "July 25 2022 20:11 +1600", "July 25 2022 20:11 xyz", "July 25 2022 20:11 m=+0.1",
        "July 25 2022 20:11 +0800 CST m=+0.1", "July 25 2022 - 20:11", "July 25 2022 | 20:11", "July 25 2022; 20:11",
        "July 25 2022 words", "2022-07-25 20:11 [Asia/Shanghai]", "2022-07-25 20:11 America/New_York",
        "2022-07-25 20:11 Nowhere/At", "2022-07-25 20:11 EST America/New_York",
    "2022年7月25日", "2022年07月25日 20时11分30秒", "2022年7月25日 下午8:11", "2022年7月25日 上午8时", "2022年7月25日 星期一 20:11",
        "2022年7月25日（月曜日）20時11分", "2022년 7월 25일 월요일 오후 8시 11분", "2022年7月25号 晚上8点", "2022年7月25日 晚上12点", "2022年7月25日 中午12点",  # noqa: E501
        "2022年7月25日 中午11点", "2022年7月25日 凌晨1点", "２０２２年７月２５日", "Montag, 25. Juli 2022", "Di, 25. Juli 2022",
        "lundi 25 juillet 2022", "segunda-feira, 25 de julho de 2022", "понедельник, 25 июля 2022 г.",
        "25 temmuz 2022 pazartesi", "am 25. Juli 2022", "le 25 juillet 2022 à 20h11", "xx 25 July 2022",
        "Mo Di Mi Do 25 July 2022", "25 ma 2022", "25 mar 2022", "25 ju 2022", "25 Sept. 2022", "x" * 121,
        "25 July 2022" + " " * 110 + "x", "25 July 2022\u2011", "\u200e25 July 2022", "25\u201307\u20132022",
        "2022-07-25 20:11 met", "2022-07-25 20:11 sast", "2022-07-25 20:11 hkt", "31 April 2022", "July 0 2022", "25 July 999",
        "25 July 2200",
]  # fmt: skip
MONTHS = """
january januar jänner janvier enero gennaio janeiro januari stycznia styczeń января январь ledna leden ocak february
februar feber février febrero febbraio fevereiro februari lutego luty февраля февраль února únor şubat march märz mrz
mars marzo março maart mrt marts marca marzec марта март března březen mart april avril abril aprile kwietnia kwiecień
апреля апрель dubna duben nisan may mai mayo maggio maio mei maj maja мая май května květen mayıs june juni juin junio
giugno junho czerwca czerwiec июня июнь června červen čvn haziran july juli juillet julio luglio julho lipca lipiec июля
июль července červenec čvc temmuz august août agosto augustus augusti sierpnia sierpień августа август srpna srpen
ağustos september septembre septiembre settembre setembro września wrzesień сентября сентябрь září eylül october oktober
octobre octubre ottobre outubro października październik октября октябрь října říjen ekim november novembre noviembre
novembro listopada listopad ноября ноябрь listopadu kasım december dezember décembre diciembre dicembre dezembro
desember grudnia grudzień декабря декабрь prosince prosinec aralık
""".split()  # noqa: SIM905
WEEKDAYS = """
monday tuesday wednesday thursday friday saturday sunday montag dienstag mittwoch donnerstag freitag samstag sonnabend
sonntag lundi mardi mercredi jeudi vendredi samedi dimanche lunes martes miércoles jueves viernes sábado domingo lunedì
martedì mercoledì giovedì venerdì sabato domenica segunda terça quarta quinta sexta feira maandag dinsdag woensdag
donderdag vrijdag zaterdag zondag måndag tisdag onsdag torsdag fredag lördag söndag mandag tirsdag lørdag søndag
poniedziałek wtorek środa czwartek piątek pt sobota niedziela понедельник вторник среда четверг пятница суббота
воскресенье пн вт ср чт пт сб вс pondělí úterý středa čtvrtek pátek neděle pazartesi pzt salı çarşamba perşembe cuma
cumartesi cmt pazar
""".split()  # noqa: SIM905
ZONES = """
+800 z ut utc gmt wet west bst ist cet cest met mest mez mesz eet eest msk msd trt sast cat wat eat idt gst pkt npt ict wib
wita wit hkt sgt pht myt awst bjt jst kst acst acdt aest aedt nzst nzdt nst ndt ast adt est edt cst cdt mst mdt pst pdt
akst akdt hst sst brt art clt clst cot et ct mt pt xyz +8 -08 +0800 -0830 +1501
""".split()  # noqa: SIM905
SITE_ZONES = {
    "Shanghai": SHANGHAI,
    "UTC": UTC,
    "London": ZoneInfo("Europe/London"),
    "Dublin": ZoneInfo("Europe/Dublin"),
    "Kolkata": ZoneInfo("Asia/Kolkata"),
    "Jerusalem": ZoneInfo("Asia/Jerusalem"),
    "Manila": ZoneInfo("Asia/Manila"),
    "Dhaka": ZoneInfo("Asia/Dhaka"),
    "Havana": ZoneInfo("America/Havana"),
}
