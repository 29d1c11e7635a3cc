"""A site that uses almost every setting and front-matter key, and random edits of it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from tests.support.site import write

TEMPLATES = {
    "category.html": '{% extends "feedtool/category.html" %}{% block main %}<i>N</i>{{ super() }}{% endblock %}\n',
    "base.html": '{% extends "feedtool/base.html" %}{% block header %}<b>N</b>{{ super() }}{% endblock %}\n',
    "article.html": '{% extends "feedtool/article.html" %}{% block main %}<u>N</u>{{ super() }}{% endblock %}\n',
    "index.html": '{% extends "feedtool/index.html" %}{% block main %}<s>N</s>{{ super() }}{% endblock %}\n',
}
BODIES = (
    "<p>Text of an article, <b>bold</b>.</p>\n",
    '<p>First.</p><img src="a.jpg" width=640 height=480><div class=ad>Buy!</div><p class=share>Share</p>\n',
    "## Heading\n\nSome *Markdown* with [a link](/there) and `code`.\n\n<!--more-->\n\nThe rest.\n",
    '<iframe src="https://www.youtube.com/embed/x"></iframe><iframe src="https://video.example/y"></iframe>\n',
    '<p><img src="https://proxy.example/?https://e.org/b.png"><img src="https://www.google-analytics.com/x"></p>\n',
    '<p><x-note data-a="1">A note.</x-note></p>' + "<p>A sentence. Another one! 第三句话。</p>" * 12 + "\n",
)
# Each row is a setting and its possible values; a site uses one of them, or none. All of them change the output.
SITE = (
    ("title", '"One"', '"Two & more"'), ("description", '"About"'), ("language", '"en"', '"zh-CN"', '"ar"'),
    ("timezone", '"Asia/Shanghai"', '"America/New_York"'), ("author", '"Ada"', '{ name = "Bo", email = "b@e.org" }'),
    ("rights", '"CC BY"'), ("icon", '"https://e.org/i.png"'), ("image", '"https://e.org/i.jpg"'),
    ("hub", '"https://hub.example/"'), ("authority", '"old.example"'),
)  # fmt: skip
ARTICLES = (
    ("permalink", '"/{year}/{month}/{slug}/"', '"/{category}/{title}/"'), ("flavour", '"hexo"', '"jekyll"', '"hugo"'),
)  # fmt: skip
FEEDS = (
    ("formats", '["rss"]', '["atom", "json"]', '["json", "rss", "atom"]'), ("limit", "1", "3", "6"), ("archive", "false"),
    ("max_bytes", "3000"), ("content", '"summary"'), ("categories", '"hierarchy"'), ("undated", '"error"'),
    ("ttl", "0", "5"), ("tombstone_days", "0"), ("summary_length", "20"), ("podcast_category", '"News"'),
)  # fmt: skip
HTML = (
    ("tags", '["x-note"]'), ("attributes", '{ "*" = ["data-a"] }'), ("iframe_hosts", '["video.example"]', "[]"),
    ("remove", '[".ad"]', '[".ad", ".share"]'), ("proxies", '["https://proxy.example/?"]'), ("drop_trackers", "false"),
    ("distrust_thumbnails", "true"),
)  # fmt: skip
PAGES = (
    ("articles", '"all"', '"none"'),
    ("index", "false"),
    ("theme", '{ accent = "#0a5" }', '{ dark-text = "#fff" }'),
)
SELECT = (
    ("title", '"Chosen"', '"选择"'), ("description", '"Some of them"'), ("limit", "1", "2"), ("categories", '["A"]', '["B", "C"]'),
    ("tags", '["x"]'), ("authors", '["Ada"]', '["Bo", "Cy"]'), ("sources", '["The Times"]'), ("since", '"2022-01-01"'),
    ("title_match", '"[02468]"'), ("not", '{ tags = ["y"] }', '{ categories = ["B"] }'),
)  # fmt: skip
CATEGORY = (
    ("title", '"Of A"'), ("description", '"What A is"'), ("image", '"https://e.org/a.jpg"'), ("limit", "1", "4"),
)  # fmt: skip
FRONT = (
    ("guid", "urn:x:{n}", "odd {n}"), ("categories", "[A, B]", "[[A, B], [C]]", "C", "[D]"), ("tags", "[x, y]", "x"),
    ("author", "Ada", "[Bo, Cy]", "Ada <ada@e.org>"), ("link", "https://e.org/{n}"), ("updated", "2022-08-{d}"),
    ("lang", "fr", "zh-CN"), ("source", "The Times", "{{title: T, url: 'https://t.example/'}}"), ("thumbnail", "t.png", "false",
    "https://picsum.photos/1"), ("summary", "In short."), ("copyright", "© Ada"), ("draft", "true"), ("enclosure",
    "{{url: https://e.org/a.mp3, length: {n}}}"), ("duration", "1:02"),
)  # fmt: skip


class RichSite:
    """A site in `folder` that the random generator edits."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.rng = random.Random(seed)
        self.folder = folder
        self.article_count = 0
        self.settings()
        for _ in range(self.rng.randint(6, 24)):
            self.add()
        for _ in range(self.rng.randint(0, 2)):
            self.template()

    def change(self) -> str:
        """Make one random change to the site and return its name."""
        kinds: tuple[Callable[[], None], ...] = (
            self.add, self.edit, self.edit, self.key, self.key, self.delete, self.rename, self.settings, self.setting, self.setting,
            self.template,
        )  # fmt: skip
        kind = self.rng.choice(kinds)
        kind()
        return kind.__name__

    def add(self) -> None:
        """Add an article."""
        self.article_count += 1
        folder = self.rng.choice(("", "a/", "a/b/", "深/"))
        ending = self.rng.choice((".md", ".md", ".html", ".txt"))
        write(self.folder / f"articles/{folder}{self.article_count} é{ending}", self._article())

    def edit(self) -> None:
        """Replace the text of an article with another one."""
        write(self._any(), self._article())

    def key(self) -> None:
        """Change, add or remove one key of an article."""
        path = self._any()
        lines = path.read_text("utf-8").split("\n")
        key, *values = self.rng.choice(FRONT)
        other_lines = [line for line in lines if not line.startswith(f"{key}: ")]
        written = [f"{key}: {self._value(values)}"] if self.rng.random() < 0.7 else []
        write(path, "\n".join([other_lines[0], *written, *other_lines[1:]]))

    def delete(self) -> None:
        """Delete an article."""
        if len(list(self._articles())) > 1:
            self._any().unlink()

    def rename(self) -> None:
        """Move an article to another name or folder."""
        path = self._any()
        self.article_count += 1
        place = self.folder / "articles" / self.rng.choice(("", "moved/")) / f"{self.article_count}-{path.name}"
        place.parent.mkdir(exist_ok=True)
        path.rename(place)

    def settings(self) -> None:
        """Write new random settings."""
        parts = [("site", SITE), ("articles", ARTICLES), ("feeds", FEEDS), ("html", HTML), ("pages", PAGES)]
        parts += [
            (f"feeds.select.{name}", SELECT) for name in self.rng.sample(("new", "old", "both"), self.rng.randint(0, 3))
        ]
        parts += [
            (f'categories."{name}"', CATEGORY) for name in self.rng.sample(("A", "B", "A/B"), self.rng.randint(0, 2))
        ]
        write(self.folder / "feedtool.toml", "".join(self._table(*part) for part in parts))

    def setting(self) -> None:
        """Change or remove one line of the settings."""
        path = self.folder / "feedtool.toml"
        tables = dict(self._read(path.read_text("utf-8")))
        name = self.rng.choice(sorted(tables))
        key, *values = self.rng.choice(self._choices(name))
        lines = [line for line in tables[name] if not line.startswith(f"{key} =")]
        if self.rng.random() < 0.7 or not lines:
            lines.append(f"{key} = {self.rng.choice(values)}")
        tables[name] = lines
        write(path, "".join(f"[{name}]\n" + "".join(f"{line}\n" for line in lines) for name, lines in tables.items()))

    def template(self) -> None:
        """Write, change or delete one of the site's own templates."""
        name = self.rng.choice(sorted(TEMPLATES))
        path = self.folder / "templates" / name
        if path.exists() and self.rng.random() < 0.4:
            path.unlink()
        else:
            write(path, TEMPLATES[name].replace("N", str(self.rng.randint(1, 9))))

    def _table(self, name: str, choices: Iterable[tuple[str, ...]]) -> str:
        lines = ['url = "https://example.org/"'] if name == "site" else []
        lines += [f"{key} = {self.rng.choice(values)}" for key, *values in choices if self.rng.random() < 0.35]
        if name.startswith("categories.") and self.rng.random() < 0.3:
            lines.append(f'slug = "深-{len(name)}"')  # no two categories may have the same slug
        if name.startswith("feeds.select.") and not any(
            line.startswith(("cat", "tag", "aut", "since")) for line in lines
        ):
            lines.append('since = "2021-06-01"')
        return f"[{name}]\n" + "".join(f"{line}\n" for line in lines)

    def _choices(self, name: str) -> tuple[tuple[str, ...], ...]:
        whole = {"site": SITE, "articles": ARTICLES, "feeds": FEEDS, "html": HTML, "pages": PAGES}
        return whole.get(name) or (SELECT if name.startswith("feeds.") else CATEGORY)

    def _read(self, text: str) -> Iterator[tuple[str, list[str]]]:
        for part in text.removeprefix("[").split("\n["):
            name, *lines = part.split("\n")
            yield name.removesuffix("]"), [line for line in lines if line]

    def _article(self) -> str:
        rng = self.rng
        date = (
            f"{rng.choice((2021, 2022))}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02} {rng.randint(0, 23):02}:30:00"
        )
        lines = [f"title: Title {rng.randint(1, 99)}", f"date: {date}"]
        lines += [f"{key}: {self._value(values)}" for key, *values in FRONT if rng.random() < 0.25]
        rng.shuffle(lines)
        return "\n".join(["---", *lines, "---", rng.choice(BODIES)])

    def _value(self, values: list[str]) -> str:
        return self.rng.choice(values).format(n=self.rng.randint(1, 15), d=self.rng.randint(10, 28))

    def _any(self) -> Path:
        return self.rng.choice(list(self._articles()))

    def _articles(self) -> Iterator[Path]:
        return iter(sorted(path for path in (self.folder / "articles").rglob("*") if path.is_file()))
