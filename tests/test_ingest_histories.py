"""Test what visits of several sources over some days request, write, report and remember, amid failures, edits and deletions.

The histories are generated from numbers; their results are in `data/tables/ingest_histories.txt`, a line for each thing that
a visit did; `pytest --accept` rewrites it: read the diff.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from datetime import timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest

from feedtool.config import load_settings
from feedtool.http.models import Failure, Response
from feedtool.ingesting import Choices, Tools, ingest, select_sources
from tests.support.ingestworld import NOW, World
from tests.support.site import make_site, tree, write

TABLE = Path(__file__).parent / "data/tables/ingest_histories.txt"
HISTORIES = 40
VISITS = 6
A, B, C = "https://a.example/feed", "https://b.example/feed", "https://a.example/other"
SETTINGS = f"""
[[sources]]
name = "A"
url = "{A}"
categories = ["News"]
[[sources]]
name = "B"
url = "{B}"
author = "Ada"
tags = ["t"]
folder = "{{source}}/{{year}}"
headers = {{ X-Key = "${{KEY}}" }}
on_update = "{{how}}"
[[sources]]
name = "C"
url = "{C}"
[[sources]]
name = "D"
url = "feeds/d.json"
"""
WORDS = ("Figures", "Bridge", "River 5", "Mayor", "Winter", "天气")


def short(data: bytes | str) -> str:
    return blake2b(data if isinstance(data, bytes) else data.encode(), digest_size=3).hexdigest()


class Server(World):
    """A fake fetcher whose validators are the same in every process."""

    def fetch(self, requests: Any) -> Iterator[Any]:
        for request in requests:
            self.requests.append(request)
            page: Any = self.pages[request.url]
            if isinstance(page, dict):
                yield Failure(key=request.key, url=request.url, **page)
                continue
            yield None
            import json

            body = json.dumps(page, ensure_ascii=False).encode("utf-8", "surrogatepass")
            etag = f'"{short(body)}"'
            same = request.etag == etag
            moved = f"{request.url}2" if len(page) % 3 == 2 and isinstance(page, list) else None
            yield Response(
                key=request.key, url=moved or request.url, status=304 if same else 200, body=b"" if same else body, etag=etag,
                permanent_url=moved, wire_bytes=len(body), last_modified="Mon" if len(body) % 2 else None,
                max_age=len(body) % 5 * 1800 or None,
            )  # fmt: skip

    def parse(self, jobs: Any) -> Iterator[Any]:
        yield from super().parse(job for job in jobs if job is not None)


class History:
    """One site and its visits. All choices come from `rng.random`, which is the same in every version of Python."""

    def __init__(self, site: Path, seed: int) -> None:
        self.rng = random.Random(seed)
        self.seed = seed
        how = self.pick(("merge", "overwrite", "keep", ""))
        self.site = make_site(site, {}, SETTINGS.replace("{how}", how))
        self.world = Server()
        self.now = NOW
        self.files: dict[str, str] = {}
        self.lines = [f"== {seed}: B has on_update {how or 'of all'}"]

    def pick(self, some: Any) -> Any:
        return some[int(self.rng.random() * len(some))]

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def entry(self, number: int, url: str) -> dict[str, Any]:
        host = url.partition("/feed")[0]
        day = NOW - timedelta(days=number, hours=int(self.rng.random() * 3))
        text = f"<p>Text of story {number}, which is about the {self.pick(WORDS)} and {'nothing more ' * 3}.</p>"
        facts = {
            "guid": f"{host}/{number}", "link": f"{host}/{number}", "title": f"{WORDS[number % 6]} {number}", "html": text,
            "published": day.isoformat(), "digest": short(text),
        }  # fmt: skip
        odd = self.rng.random()
        if odd < 0.1:
            facts["guid"] = self.pick(("", "same", f"n{self.rng.random()}"))
        elif odd < 0.2:
            facts["link"] = self.pick((None, host, f"{host}/{number}#c"))
        elif odd < 0.3:
            facts["title"] = self.pick(("", "Same title", facts["title"] + "!"))
        elif odd < 0.4:
            facts["published"] = self.pick((None, (NOW + timedelta(days=9)).isoformat()))
        elif odd < 0.5:
            facts["html"] = self.pick(("", "Plain *text*", "<p>&lt;b&gt;</p>"))
        elif odd < 0.55:
            facts["updated"] = (day + timedelta(hours=5)).isoformat()
        return facts

    def page(self, url: str) -> Any:
        """Return the answer of a server: the same feed as before, another one, or a failure."""
        odd = self.rng.random()
        last = self.world.pages.get(url)
        if odd < 0.25 and last is not None:
            return last
        if odd < 0.45:
            kind, message, status = self.pick(
                (("status", "the server says 500", 500), ("dns", "no such host", None), ("gone", "it is gone", 410),
                 ("late", "no time was left", None), ("status", "too many", 429))
            )  # fmt: skip
            retry = self.pick((None, 60, 90_000)) if status == 429 else None
            return {"kind": kind, "message": message, "status": status, "hint": "wait", "retry_after": retry}
        if odd < 0.5:
            return "no feed"
        first = int(self.rng.random() * 4)
        return [self.entry(number, url) for number in range(first, first + int(self.rng.random() * 5))]

    def disturb(self) -> None:
        """Change some articles as a person or git would."""
        files = sorted(path for path in (self.site / "articles").rglob("*") if path.is_file())
        for _ in range(int(self.rng.random() * 3) if files else 0):
            path = self.pick(files)
            what = self.pick(("edit", "title", "delete", "move", "stamp", "merge"))
            self.lines.append(f"{what} {path.relative_to(self.site / 'articles')}")
            if not path.exists():
                continue
            text = path.read_text("utf-8")
            if what == "edit":
                write(path, text + "<p>Mine.</p>\n")
            elif what == "title":
                write(path, re.sub("(?m)^title: .*$", "title: My own", text))
            elif what == "delete":
                path.unlink()
            elif what == "move":
                (self.site / "articles/moved").mkdir(exist_ok=True)
                path.rename(self.site / "articles/moved" / path.name)
            elif what == "stamp":
                write(path, re.sub("(?m)^feedtool: .*\n", "", text))
            else:
                write(path, text.replace("title:", "<<<<<<< a\ntitle: x\n=======\n>>>>>>> b\ntitle:", 1))

    def visit(self, number: int) -> None:
        for url in (A, B, C):
            self.world.pages[url] = page = self.page(url)
            self.world.pages[f"{url}2"] = page
        local = self.page("feeds/d.json")
        if isinstance(local, dict):
            (self.site / "feeds/d.json").unlink(missing_ok=True)
        else:
            import json

            self.world.pages["feeds/d.json"] = local
            write(self.site / "feeds/d.json", json.dumps(local))
        if self.chance(0.6):
            self.disturb()
        choices = self.pick(
            ({}, {}, {}, {"force": True}, {"dry_run": True}, {"limit": 1}, {"since": NOW - timedelta(days=3)})
        )
        names = self.pick(((), (), (), ("B",), ("A", "D")))
        self.now += timedelta(minutes=int(self.rng.random() * 3000))
        settings = load_settings(str(self.site), environment={})
        environment = {"KEY": "secret words"} if self.chance(0.9) else {}
        tools = Tools(fetch=self.world.fetch, parse=self.world.parse, environment=environment)
        steps: list[Any] = []
        options = Choices(**choices, progress=lambda *step: steps.append(step))
        chosen = select_sources(settings, names)
        requested, read = len(self.world.requests), len(self.world.read)
        report = ingest(settings, chosen, tools=tools, clock=lambda: self.now, choices=options)
        given = " ".join([*names, *(f"{name}={value!s:.10}" for name, value in choices.items())])
        self.lines.append(f"visit {number} at {self.now:%d %H:%M} {given}".rstrip())
        for request in self.world.requests[requested:]:
            more = [f"{name}: {value}" for name, value in request.headers]
            self.lines.append(
                f"  ask {request.url} {request.etag or '-'} {request.last_modified or '-'} {' '.join(more)}".rstrip()
            )
        self.lines.append(
            f"  read {' '.join(self.world.read[read:])}; steps {' '.join(f'{s} {d}/{t}' for s, d, t in steps)}"
        )
        for tally in report.tallies:
            counted = ("new", "updated", "kept", "skipped", "unchanged", "failed", "bytes")
            facts = [f"{name} {getattr(tally, name)}" for name in counted if getattr(tally, name)]
            following = f"next {tally.next:%d %H:%M:%S}" if tally.next else ""
            # The texts of messages are tested in test_ingest_messages.
            message = "message" if tally.message else ""
            parts = [tally.outcome, *facts, following, message, "warned" * bool(tally.warnings), *sorted(tally.files)]
            self.lines.append(f"  {tally.source}: {'; '.join(filter(None, parts))}")
        self.lines += [f"  {one.code} {one.severity} {one.file}:{one.line}" for one in report.problems]
        self.lines += [f"  note {note}" for note in report.notes]
        state = self.site / "feedtool.state"
        self.lines.append(f"  state {short(state.read_bytes()) if state.exists() else 'none'}")
        files = {path: short(data) for path, data in tree(self.site / "articles").items()}
        changed = sorted(path for path in files if self.files.get(path) != files[path])
        self.lines += [f"  file {path} {files[path]}" for path in changed]
        self.lines += [f"  gone {path}" for path in sorted(self.files.keys() - files.keys())]
        self.files = files


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_visits_do_what_the_table_says(tmp_path: Path, seed: int, accept: bool) -> None:
    history = History(tmp_path / "site", seed)
    for number in range(1, VISITS + 1):
        history.visit(number)
    found = "\n".join(history.lines).replace(str(tmp_path), "/site")
    table = TABLE.read_text("utf-8") if TABLE.exists() else ""
    expected = {part.partition(":")[0]: f"== {part}".rstrip("\n") for part in table.split("== ")[1:]}
    if accept:
        expected[str(seed)] = found
        TABLE.write_text("".join(f"{expected[key]}\n" for key in sorted(expected, key=int)), "utf-8")
    assert found.splitlines() == expected[str(seed)].splitlines()
