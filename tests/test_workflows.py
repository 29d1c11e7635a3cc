"""Test the workflows of this project, its action and those of `init`: linted, pinned alike, equal where they must be."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from feedtool.config import load_settings
from feedtool.scaffold import workflow
from tests.support.site import ROOT, run

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
ACTIONS = sorted((ROOT / ".github/actions").glob("*/action.yml"))
SCAFFOLDED = "feeds.yml"
SCHEMAS = ("check-jsonschema", "--builtin-schema")
PINNED = re.compile(r"uses: (\S+)@([0-9a-f]{40}) # (v\d+\.\d+\.\d+)")


@pytest.fixture(scope="module")
def scaffolded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the workflow that `init` writes."""
    site = tmp_path_factory.mktemp("site")
    assert run("init", str(site), "--title", "Notes").exit_code == 0
    return site / ".github/workflows" / SCAFFOLDED


@pytest.mark.parametrize(
    ("check", "files"),
    [
        (("zizmor", "--offline", "--no-progress"), (*WORKFLOWS, *ACTIONS)),
        ((*SCHEMAS, "vendor.github-workflows"), tuple(WORKFLOWS)),
        ((*SCHEMAS, "vendor.github-actions"), tuple(ACTIONS)),
    ],
    ids=["zizmor", "schema of workflows", "schema of actions"],
)
def test_linters_find_nothing(check: tuple[str, ...], files: tuple[Path, ...], scaffolded: Path) -> None:
    program = Path(sys.executable).parent / check[0]
    if not program.exists():
        if os.environ.get("FEEDTOOL_CI"):
            pytest.fail(f"{check[0]} is not installed")
        pytest.skip(f"{check[0]} is not installed")
    listed = files if files == tuple(ACTIONS) else (*files, scaffolded)
    done = subprocess.run([program, *check[1:], *listed], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_project_workflow_equals_the_init_workflow() -> None:
    """They differ only in what they install: this checkout, or a released version."""
    settings = load_settings(str(ROOT / "feeds"), environment={})
    expected = workflow(settings, site="feeds", branch="main", feedtool=".[ingest]")
    assert (ROOT / ".github/workflows/publish.yml").read_text("utf-8") == expected


def test_action_has_one_pin_everywhere(scaffolded: Path) -> None:
    pins: dict[str, set[tuple[str, str]]] = {}
    for file in (*WORKFLOWS, *ACTIONS, scaffolded):
        text = file.read_text("utf-8")
        versions = PINNED.findall(text)
        assert len(versions) == len(re.findall(r"uses: (?!\$/)", text)), file.name
        for action, commit, version in versions:
            pins.setdefault(action, set()).add((commit, version))
    assert {action: versions for action, versions in pins.items() if len(versions) > 1} == {}


@pytest.mark.parametrize("title", ["Notes", "Feeds", "示例", *"abcdefgh"])
def test_schedule_uses_an_odd_minute(title: str, tmp_path: Path) -> None:
    settings = load_settings(str(tmp_path), environment={}, options={"site.title": title})
    cron = yaml.safe_load(workflow(settings, site=".", branch="main"))[True]["schedule"][0]["cron"]
    minute = int(cron.split()[0])
    assert minute % 2
    assert minute % 15


def test_jobs_have_permissions_and_timeouts(scaffolded: Path) -> None:
    for file in (*WORKFLOWS, scaffolded):
        data = yaml.safe_load(file.read_text("utf-8"))
        assert data["permissions"] == {}, file.name
        assert data["concurrency"]["group"], file.name
        for name, job in data["jobs"].items():
            assert job["permissions"], f"{file.name}: {name}"
            assert job["timeout-minutes"] <= 30, f"{file.name}: {name}"


def test_only_required_jobs_have_write_permissions(scaffolded: Path) -> None:
    granted = {}
    for file in (*WORKFLOWS, scaffolded):
        for name, job in yaml.safe_load(file.read_text("utf-8"))["jobs"].items():
            writes = {scope for scope, level in job["permissions"].items() if level == "write"}
            if writes:
                granted[f"{file.stem} {name}"] = writes
    assert granted == {
        "publish build": {"contents"},
        "publish deploy": {"pages", "id-token"},
        "feeds build": {"contents"},
        "feeds deploy": {"pages", "id-token"},
        "release attest": {"id-token", "attestations"},
        "release publish": {"id-token"},
    }
