"""An RSS feed with numbered entries, and settings that allow loopback."""

from __future__ import annotations

ALLOW = '[ingest]\nallow_private_hosts = ["127.0.0.1"]\ntimeout = 1\n'


TEXT = "上海市召开专题会议，以快制快处置。The figures were better than most people had feared. " * 20


ENTRY = """<item><title>新闻 {n} &amp; more</title><link>https://{name}.example.org/{n}?utm_source=rss</link>
<guid isPermaLink="false">{name}{n}</guid><pubDate>Mon, 2{n} Jul 2022 12:11:30 GMT</pubDate>
<description><![CDATA[<p onclick="x()">Number {n} ☃ {text}<script>alert(1)</script></p>]]></description></item>"""


RSS = '<?xml version="1.0"?><rss version="2.0"><channel><title>Wire</title><link>https://news.example.org/</link>{}</channel></rss>'


def rss(*numbers: int, name: str = "news") -> str:
    return RSS.format("".join(ENTRY.format(n=n, text=f"{n}{TEXT}"[n:], name=name) for n in numbers))
