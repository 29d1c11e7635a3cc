"""Test that later releases keep the ids, addresses, dates and tombstones that 0.1.0 published."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest

from feedtool.feeds.values import atom_id
from feedtool.state import parse_state
from tests.support.site import ROOT, build, run, tree
from tests.support.upgrade import (
    GOLDEN,
    SITES,
    Change,
    amend,
    checkout,
    differences,
    facts_of,
    listed,
    output_of,
    settings_of,
)

OWN = {
    "aggregator": ("articles/own.md", "tag:planet.golden.example,2023-08-01:own"),
    "hexo": ("source/_posts/guid.md", "https://hexo.golden.example/?p=3"),
    "hugo": ("content/posts/authors.md", "tag:hugo.golden.example,2023-03-24:authors"),
    "jekyll": ("_posts/2024-02-08-guid.md", "tag:jekyll.golden.example,2010:x"),
    "pelican": ("content/top.md", "tag:pelican.golden.example,2023-07-18:top"),
    "plain": ("articles/ids/plain-text.md", "post 12 – no URI"),
}
"""An article of each site that feeds hold outside their archives, and its id."""

Records = dict[tuple[str, str], dict[str, Any]]


def built(site: Path) -> Path:
    """Build a site and return its output folder."""
    result = build(site)
    assert result.exit_code == 0, result.stderr
    return output_of(site)


def changes_to(name: str, site: Path, output: Path, *, but: Collection[str] = ()) -> set[Change]:
    """Return the differences of an output from that of 0.1.0, except for the tombstones of some ids."""
    base = settings_of(site)["site"]["url"]
    old, new = facts_of(site.parent / "published", base), facts_of(output, base, but=but)
    return set(differences(name, old, new))


def expected(name: str) -> set[Change]:
    """Return the deliberate changes to the published values of a site."""
    return {change for change in listed() if change.site == name and not change.id.startswith("file ")}


def report_of(changes: set[Change], deliberate: set[Change]) -> str:
    """Return the changes that are not in the list of deliberate ones, and those that are listed but do not occur."""
    stale = "".join(f"not so any more: {change}\n" for change in sorted(deliberate - changes))
    return "\n" + "\n".join(change.table() for change in sorted(changes - deliberate)) + stale


def records(site: Path, *, but: Collection[str] = ()) -> Records:
    """Return the records of a site's state without its version, and without the tombstones of some ids."""
    by_key = parse_state((site / "feedtool.state").read_text("utf-8"))
    return {key: facts for key, facts in by_key.items() if key[0] != "tombstone" or key[1] not in but}


def withdrawn(name: str) -> set[str]:
    """Return the ids of entries that are deliberately no longer published; published before, they get tombstones."""
    return {change.id for change in expected(name) if change.what == "gone" and " " not in change.id}


@pytest.mark.parametrize("name", SITES)
def test_ids_and_addresses_match_the_golden_site(name: str, tmp_path: Path) -> None:
    site = checkout(name, tmp_path)
    changes = changes_to(name, site, built(site))
    assert changes == expected(name), report_of(changes, expected(name))


@pytest.mark.parametrize("name", SITES)
def test_subscribers_lose_or_repeat_nothing(name: str, tmp_path: Path) -> None:
    site = checkout(name, tmp_path)
    built(site)
    amend(tmp_path / "published", sorted(expected(name)))
    result = run("check", "-C", str(site), "--json", "--against", str(tmp_path / "published"))
    assert (result.exit_code, result.json["problems"]) == (0, [])
    assert {key: result.json[key] for key in ("missing", "back", "gone", "moved", "updated")} == dict.fromkeys(
        ("missing", "back", "gone", "moved", "updated"), 0
    )


@pytest.mark.parametrize("name", SITES)
def test_state_of_an_earlier_release_is_kept(name: str, tmp_path: Path) -> None:
    site = checkout(name, tmp_path)
    before = records(site)
    assert {kind for kind, _ in before} >= {"tombstone", "zz-of-a-later-release"}
    built(site)
    assert records(site) == before


@pytest.mark.parametrize("name", SITES)
def test_upgrade_changes_nothing_else(name: str, tmp_path: Path) -> None:
    site = checkout(name, tmp_path)
    shutil.copytree(tmp_path / "published", output_of(site))
    before = records(site)
    gone = withdrawn(name)
    changes = changes_to(name, site, built(site), but=gone)
    assert changes == expected(name), report_of(changes, expected(name))
    assert records(site, but=gone) == before
    assert build(site).json["written"] == 0


@pytest.mark.parametrize("name", SITES)
def test_deletion_after_upgrade_gives_a_tombstone(name: str, tmp_path: Path) -> None:
    site = checkout(name, tmp_path)
    shutil.copytree(tmp_path / "published", output_of(site))
    built(site)
    delete_and_check(name, site, *OWN[name])


# Without an index the published feeds show which articles were deleted, if every article can be read.
@pytest.mark.parametrize(
    ("name", "path", "identity"),
    [
        ("aggregator", *OWN["aggregator"]),
        ("jekyll", "_posts/given/2024-02-22-own.md", "tag:jekyll.golden.example,2024-02-22:2024-02-22-own"),
    ],
)
def test_deletion_during_upgrade_gives_a_tombstone(name: str, path: str, identity: str, tmp_path: Path) -> None:
    site = checkout(name, tmp_path)
    shutil.copytree(tmp_path / "published", output_of(site))
    delete_and_check(name, site, path, identity)


def delete_and_check(name: str, site: Path, path: str, identity: str) -> None:
    """Delete an article, build, and check that only its entry is gone, with a tombstone in every feed that had it."""
    before = records(site)
    (site / path).unlink()
    output = built(site)
    after = records(site)
    assert before.items() <= after.items()
    (fresh,) = after.keys() - before.keys() - {("tombstone", one) for one in withdrawn(name)}
    assert fresh == ("tombstone", identity)
    gone = {change.id for change in changes_to(name, site, output) - expected(name) if change.what == "gone"}
    base = settings_of(site)["site"]["url"]
    old = facts_of(site.parent / "published", base)
    assert gone & {key for key in old if "feeds" in old[key]} == {atom_id(identity)}
    facts = facts_of(output, base)
    still_there = [feed for feed in after[fresh]["feeds"] if f"feed {feed}" in facts]
    assert still_there
    assert all(atom_id(identity) in facts[f"feed {feed}"]["deleted"] for feed in still_there)


def test_ingesting_equal_feeds_changes_no_article(tmp_path: Path) -> None:
    site = checkout("aggregator", tmp_path)
    articles, before = tree(site / "articles"), records(site)
    result = run("ingest", "-C", str(site), "--json", "--force")
    assert result.exit_code == 0, result.stderr
    ingested = tree(site / "articles")
    assert ingested.keys() == articles.keys()
    deliberate = {change.id.removeprefix("file ") for change in listed() if change.id.startswith("file ")}
    assert {path for path in ingested if ingested[path] != articles[path]} <= deliberate
    after = records(site)
    assert after.keys() == before.keys()
    for key, facts in before.items():
        lasting = {what: value for what, value in facts.items() if key[0] != "source" or what == "seen"}
        assert {what: after[key][what] for what in lasting} == lasting


def test_ingesting_later_feeds_gives_equal_articles(tmp_path: Path) -> None:
    site = checkout("aggregator", tmp_path)
    shutil.copytree(tmp_path / "later/sources", site / "sources", dirs_exist_ok=True)
    result = run("ingest", "-C", str(site), "--json", "--force")
    assert result.exit_code == 0, result.stderr
    old, new = tree(tmp_path / "later/articles"), tree(site / "articles")
    assert new.keys() == old.keys()
    changes = {Change("aggregator", f"file {path}", "text", "") for path in old if new[path] != old[path]}
    deliberate = {change for change in listed() if change.id.startswith("file ")}
    assert changes == deliberate, report_of(changes, deliberate)


def test_deliberate_changes_are_in_the_changelog() -> None:
    changelog = " ".join((ROOT / ".github/CHANGELOG.md").read_text("utf-8").split())
    for change, more in listed().items():
        assert change.site in SITES, change
        assert more.keys() == {"reason", "changelog"}, change
        assert len(more["reason"]) > 20, f"{change}: give the reason"
        assert len(more["changelog"]) > 20, f"{change}: quote the line"
        assert more["changelog"] in changelog, f"{change}: CHANGELOG.md does not contain the quoted line"


def test_golden_sites_cover_all_lasting_values() -> None:
    for name in SITES:
        base = settings_of(GOLDEN / name / "site")["site"]["url"]
        facts = facts_of(GOLDEN / name / "published", base)
        kinds = Counter(key.split()[0] if key.startswith(("feed ", "path ", "list ")) else "entry" for key in facts)
        assert kinds["entry"] >= 15, name
        assert kinds["feed"] >= 4, name
        assert any("/archive/" in key or key == "path archive/1.xml" for key in facts), name
        assert any(one.get("deleted") for one in facts.values()), name
