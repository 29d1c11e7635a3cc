"""Makes README's picture of an index page: `python -m tests.picture` writes .github/index.png; needs Chromium."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.site import ROOT, article, build, make_site

SETTINGS = """[site]
title = "Field notes"
url = "https://notes.example.org/"
description = "What we read, build and grow: notes in two languages."
language = "en"
timezone = "UTC"
author = "Ada"
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


def main() -> None:
    """Build a small site and photograph its index page."""
    articles = {
        f"{n}.md": article(
            title,
            date=f"2024-04-{30 - back:02}T08:00:00Z",
            front=f"categories: [{category}]\n" + ("lang: zh-CN\n" if not title.isascii() else ""),
            body=WORDS if title.isascii() else "本周的笔记：哪些有用，哪些没用，以及在哪里可以读到更多。",
        )
        for n, (title, category, back) in enumerate(TITLES)
    }
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with tempfile.TemporaryDirectory() as scratch:
        site = make_site(Path(scratch), articles, SETTINGS)
        assert build(site).exit_code == 0
        words = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1000,650"]
        picture = f"--screenshot={ROOT / '.github/index.png'}"
        page = (site / "public/index.html").as_uri()
        profile = f"--user-data-dir={scratch}/profile"
        subprocess.run([chromium, *words, profile, picture, page], check=True, capture_output=True, timeout=60)


if __name__ == "__main__":
    main()
