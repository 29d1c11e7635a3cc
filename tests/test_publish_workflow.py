"""Test the publishing workflow step by step as GitHub runs it, with a fresh clone, a git server and real feeds."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from feedtool.catalog.signing import KEY_SIZE, Signer
from tests.support.githost import TOKEN
from tests.support.hub import Hub, git, hub
from tests.support.poison import SCRIPT, TEXT, poison_index
from tests.support.server import Server, page, serve, status
from tests.support.site import ROOT, article, build, run, tree, write

pytestmark = pytest.mark.skipif(
    not shutil.which("git") and not os.environ.get("FEEDTOOL_CI"), reason="git is not installed"
)
WORKFLOW = ".github/workflows/feeds.yml"
ALLOWED = '\n[ingest]\nallow_private_hosts = ["127.0.0.1"]\n'
GUARD = "Compare with the published feeds"
BOT = "github-actions[bot]"
RSS = '<?xml version="1.0"?><rss version="2.0"><channel><title>Wire</title><link>https://wire.example.org/</link>{}</channel></rss>'
ITEM = """<item><title>{title}</title><link>https://wire.example.org/{n}</link><guid isPermaLink="false">wire-{n}</guid>
<pubDate>{date}</pubDate><description>&lt;p&gt;Number {n} of the wire.&lt;/p&gt;</description></item>"""


def rss(*titles: str, date: str = "Mon, 25 Jul 2022 12:11:30 GMT") -> str:
    return RSS.format("".join(ITEM.format(n=n, title=title, date=date) for n, title in enumerate(titles, 1)))


@pytest.fixture
def server() -> Iterator[Server]:
    with serve({"/wire.xml": page(rss("One", "Two"), etag="auto")}) as running:
        yield running


@pytest.fixture
def notes(tmp_path: Path, server: Server) -> Iterator[Hub]:
    """Yield a repository with the files of `feedtool init` and one source."""
    site = tmp_path / "notes"
    assert run("init", str(site), "--title", "Notes").exit_code == 0
    settings = site / "feedtool.toml"
    write(settings, settings.read_text("utf-8") + ALLOWED + _source(server, "wire"))
    with hub(tmp_path, site, server) as running:
        yield running


def _source(server: Server, name: str) -> str:
    return f'\n[[sources]]\nname = "{name}"\nurl = "{server.url(f"/{name}.xml")}"\n'


def _titles(hub: Hub) -> set[str]:
    return {item["title"] for item in json.loads((hub.pages / "feed.json").read_bytes())["items"]}


def _failed(steps: dict) -> list[str]:
    return [name for name, step in steps.items() if step.exit_code]


def test_new_articles_are_committed_and_published_once(notes: Hub) -> None:
    assert _failed(notes.run(WORKFLOW)) == []
    assert notes.log() == [f"{BOT}: New articles", "Ada: A site"]
    assert {"articles/wire/One.md", "articles/wire/Two.md", "feedtool.state"} <= set(notes.files())
    assert not any(path.startswith(("public/", ".feedtool/")) for path in notes.files())
    assert _titles(notes) == {"Hello", "One", "Two"}
    assert f'href="{notes.address}/atom.xml"' in (notes.pages / "atom.xml").read_text("utf-8")
    published = tree(notes.pages)

    second = notes.run(WORKFLOW)
    assert _failed(second) == []
    assert "no new articles" in second["Commit new articles"].output
    assert len(notes.log()) == 2
    assert tree(notes.pages) == published

    shutil.rmtree(notes.cache)
    assert _failed(notes.run(WORKFLOW)) == []
    assert len(notes.log()) == 2
    assert tree(notes.pages) == published


def _published_clone(notes: Hub) -> Path:
    """Return a user's clone after one article, whose cached entry tests can poison, was pushed and published."""
    place = notes.clone("ada")
    write(place / "articles/world.md", article("World", body=f"<p>{TEXT.decode()}</p>\n"))
    notes.push(place, "World")
    assert _failed(notes.run(WORKFLOW)) == []
    git(place, "pull", "--quiet", "origin", "main")
    return place


def test_second_job_uses_the_cached_index(notes: Hub) -> None:
    _published_clone(notes)
    key = (notes.cache / "1/key").read_bytes()
    # An entry from the cache can only be recognised in the output if it is wrong.
    assert poison_index(notes.cache / "0/index", Signer(key)) >= 1
    steps = notes.run(WORKFLOW)
    assert ".feedtool" not in steps["Ingest"].output + steps["Build"].output
    assert SCRIPT in (notes.workspace / "public/atom.xml").read_bytes()
    assert (notes.cache / "1/key").read_bytes() == key


@pytest.mark.parametrize("has_key", [False, True])
def test_committed_index_is_not_used_with_a_leaked_key(notes: Hub, has_key: bool) -> None:
    """The author of a pull request may read the cache of the default branch, and so the key."""
    place = _published_clone(notes)
    published = tree(notes.pages)
    shutil.copytree(notes.cache / "0", place / ".feedtool", dirs_exist_ok=True)
    assert poison_index(place / ".feedtool/index", Signer((notes.cache / "1/key").read_bytes()) if has_key else None)
    git(place, "add", "--force", ".feedtool/index", ".feedtool/ingest", ".feedtool/ingest.sum")
    notes.push(place, "An index")
    for _ in range(2):
        steps = notes.run(WORKFLOW)
        assert _failed(steps) == []
        assert "note: .feedtool/ingest is tracked by git" in steps["Ingest"].output
        assert "note: .feedtool/index is tracked by git" in steps["Build"].output
        assert tree(notes.pages) == published


def test_key_is_only_in_the_cache(notes: Hub) -> None:
    _published_clone(notes)
    key = (notes.cache / "1/key").read_bytes()
    assert len(key) == KEY_SIZE
    for place in (notes.workspace, notes.pages, notes.bare, notes.workspace.parent / "home"):
        assert not [path for path, data in tree(place).items() if key in data or key.hex().encode() in data]


def test_token_is_in_no_file_or_output(notes: Hub) -> None:
    steps = notes.run(WORKFLOW)
    assert notes.host.refused == []
    assert all(TOKEN not in step.output + step.summary for step in steps.values())
    machine = notes.workspace.parent
    assert not [path for path, data in tree(machine).items() if TOKEN.encode() in data]
    masked = [data for name, data in steps["Commit new articles"].commands if name == "add-mask"]
    assert len(masked) == 1
    secret = masked[0].removeprefix("::")
    assert not [path for path, data in tree(machine).items() if secret.encode() in data]


def test_concurrent_pushes_are_both_kept(notes: Hub) -> None:
    def push() -> None:
        place = notes.clone("ada")
        write(place / "articles/mine.md", article("Mine"))
        notes.push(place, "My own")

    steps = notes.run(WORKFLOW, before={"Commit new articles": push})
    assert _failed(steps) == []
    assert "push failed (attempt 1)" in steps["Commit new articles"].output
    assert notes.log() == [f"{BOT}: New articles", "Ada: My own", "Ada: A site"]
    assert {"articles/wire/One.md", "articles/mine.md"} <= set(notes.files())
    assert _failed(notes.run(WORKFLOW)) == []
    assert len(notes.log()) == 3
    assert _titles(notes) == {"Hello", "One", "Two", "Mine"}


def test_conflicting_commit_is_left_to_the_next_run(notes: Hub) -> None:
    def push() -> None:
        place = notes.clone("ada")
        write(place / "articles/wire/One.md", article("Mine"))
        notes.push(place, "In its place")

    steps = notes.run(WORKFLOW, before={"Commit new articles": push})
    assert _failed(steps) == ["Commit new articles"]
    assert [name for name, _ in steps["Commit new articles"].commands] == ["add-mask", "error"]
    assert "conflict with a pushed commit" in steps["Commit new articles"].commands[1][1]
    assert notes.log() == ["Ada: In its place", "Ada: A site"]
    assert not notes.pages.exists()
    assert _failed(notes.run(WORKFLOW)) == []
    assert _titles(notes) == {"Hello", "One", "Two", "Mine"}
    assert git(notes.bare, "show", "main:articles/wire/One.md") == article("Mine")


def test_protected_branch_fails_the_run(notes: Hub) -> None:
    hook = notes.bare / "hooks/pre-receive"
    write(hook, "#!/bin/sh\necho protected branch >&2\nexit 1\n")
    hook.chmod(0o755)
    steps = notes.run(WORKFLOW)
    assert _failed(steps) == ["Commit new articles"]
    assert "protected branch" in steps["Commit new articles"].output
    assert "allow this workflow to write to the branch" in steps["Commit new articles"].output


def test_failing_source_is_reported_and_rest_published(notes: Hub, server: Server) -> None:
    server.set("/gone.xml", status(410))
    place = notes.clone("ada")
    settings = place / "feedtool.toml"
    text = settings.read_text("utf-8").replace("limit = 50", 'undated = "error"')
    settings.write_text(text + _source(server, "gone"), "utf-8")
    write(place / "articles/undated.md", "---\ntitle: No date\n---\ntext\n")
    notes.push(place, "One more source")
    steps = notes.run(WORKFLOW)
    assert _failed(steps) == []
    for name, expected in (("Ingest", "gone"), ("Build", "undated.md")):
        assert [kind for kind, _ in steps[name].commands] == ["error"], name
        assert expected in steps[name].commands[0][1]
        assert expected in steps[name].summary.replace("&#46;", ".")
    assert _titles(notes) == {"Hello", "One", "Two"}
    assert notes.log()[0] == f"{BOT}: New articles"


def test_state_only_changes_are_committed(notes: Hub, server: Server) -> None:
    notes.run(WORKFLOW)
    place = notes.clone("ada")
    write(
        place / "feedtool.toml", (place / "feedtool.toml").read_text("utf-8").replace('name = "wire"', 'name = "wires"')
    )
    notes.push(place, "Another name")
    assert _failed(notes.run(WORKFLOW)) == []
    assert notes.log()[0] == f"{BOT}: Update the state of the sources"


def test_returning_entries_need_acceptance(notes: Hub) -> None:
    first = notes.run(WORKFLOW)
    assert "nothing is published" in first[GUARD].output
    published = tree(notes.pages)
    place = notes.clone("ada")
    hello = place / "articles/hello.md"
    write(hello, re.sub("(?m)^guid: .*", "guid: another", hello.read_text("utf-8")))
    write(place / "articles/mine.md", article("Mine"))
    notes.push(place, "Another id")
    for event in ({}, {"inputs.accept": "false"}):
        refused = notes.run(WORKFLOW, event=event)
        assert _failed(refused) == [GUARD]
        assert [kind for kind, _ in refused[GUARD].commands] == ["error"]
        assert "### feedtool check" in refused[GUARD].summary
        assert tree(notes.pages) == published
    assert _failed(notes.run(WORKFLOW, event={"inputs.accept": "true"})) == []
    assert _titles(notes) == {"Hello", "One", "Two", "Mine"}
    assert _failed(notes.run(WORKFLOW)) == []


def test_unreachable_site_is_not_overwritten(notes: Hub, server: Server) -> None:
    assert _failed(notes.run(WORKFLOW)) == []
    published = tree(notes.pages)
    server.set("/notes/", status(503))
    assert _failed(notes.run(WORKFLOW)) == [GUARD]
    assert tree(notes.pages) == published


HOSTILE = [
    "::error file=a.md,line=1::forged",
    "a&#10;::error::forged&#10;b",
    "a&#13;::add-mask::e",
    "##[add-mask]e ##[error]forged",
    "[a](https://evil.example.org/) | `b` | **c** @ada #1",
    "&lt;img src=x onerror=alert(1)&gt; $(touch owned) `touch owned` ${{ github.token }}",
    "| --- |&#10;# forged",
    "%0A::warning::forged",
]


def test_hostile_titles_stay_text(notes: Hub, server: Server) -> None:
    # The run prints the titles of entries without a readable date, which is what this test needs.
    server.set("/wire.xml", rss(*HOSTILE, date="25th of never"), etag="auto")
    first = notes.run(WORKFLOW)
    place = notes.clone("ada")
    for number, title in enumerate(HOSTILE):
        text = json.dumps(title.replace("&#10;", "\n").replace("&#13;", "\r").replace("&lt;", "<").replace("&gt;", ">"))
        write(place / f"articles/{number}.md", f"---\ntitle: {text}\ndate: {text}\nguid: {text}\n---\ntext\n")
        write(place / f"articles/{number}-twin.md", f"---\ntitle: {text}\ndate: 2022-07-25\nguid: same\n---\n<b>\n")
    notes.push(place, "Hostile")
    second = notes.run(WORKFLOW)
    for steps in (first, second):
        assert _failed(steps) == []
        for name, step in steps.items():
            for command, data in step.commands:
                match = re.match(r"( file=[^:]*)?::", data)
                assert match, data
                assert (command == "add-mask") == (name == "Commit new articles"), (name, data)
                assert command in ("error", "warning", "add-mask"), data
                assert "forged" not in data.partition("::")[0], data
                assert command == "add-mask" or data.startswith(" file="), data
            for line in step.summary.splitlines():
                assert re.fullmatch(r"(?:\| .*\||### \w+(?: \w+)?|)", line) or line in ("| | |", "| --- | ---: |"), line
            cells = re.sub(r"^(### .*|\|.*?-.*\|)$", "", step.summary, flags=re.MULTILINE)
            assert not set(cells) & set("<>*_`[]()@~$"), cells
    assert second["Build"].commands
    assert second["Build"].summary.count("forged") > 3
    assert not [path for path in tree(notes.workspace) if path.endswith("owned")]


def test_project_workflow_publishes_the_example_site(tmp_path: Path, server: Server) -> None:
    workflow = ".github/workflows/publish.yml"
    first = tmp_path / "first"
    shutil.copytree(ROOT / "feeds", first / "feeds", ignore=shutil.ignore_patterns("public", ".feedtool"))
    settings = first / "feeds/feedtool.toml"
    write(settings, settings.read_text("utf-8") + ALLOWED)
    write(first / workflow, (ROOT / workflow).read_bytes())
    write(first / ".gitignore", (ROOT / ".gitignore").read_bytes())
    with hub(tmp_path, first, server) as running:
        for _ in range(2):
            assert _failed(running.run(workflow)) == []
            assert running.log() == ["Ada: A site"]
        expected = tmp_path / "expected"
        assert build(first / "feeds", "--base-url", f"{running.address}/", "--output", str(expected)).exit_code == 0
        (expected / ".feedtool-manifest").unlink()
        assert tree(running.pages) == tree(expected)
