"""A stand-in for GitHub: a repository on a git server, runs of its workflow on fresh machines, and its published Pages."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.githost import HEADER, TOKEN, GitHost, git_host
from tests.support.runner import Outputs, Runner, Step
from tests.support.server import Server
from tests.support.server import folder as serve_folder
from tests.support.site import ROOT, write

INSTALL = 'python -m pip install --quiet --disable-pip-version-check "$FEEDTOOL"'


def git(place: Path, *words: str) -> str:
    """Run git as a person with the token would, and return its output."""
    named = ("-c", f"http.extraheader={HEADER}", "-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    done = subprocess.run(["git", *named, *words], cwd=place, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@dataclass
class Hub:
    """One repository with the branch main, its published pages, and the cache between its runs."""

    folder: Path
    host: GitHost
    address: str
    runs: int = 0
    workspace: Path = Path()

    @property
    def url(self) -> str:
        """Return the address of the repository."""
        return f"{self.host.url}/ada/notes.git"

    @property
    def bare(self) -> Path:
        """Return the repository of the server."""
        return self.host.folder / "ada/notes.git"

    @property
    def pages(self) -> Path:
        """Return the folder of the published pages."""
        return self.folder / "pages"

    @property
    def cache(self) -> Path:
        """Return the folder of the cache between runs."""
        return self.folder / "cache"

    def log(self) -> list[str]:
        """Return the author and subject of every commit on main, the newest first."""
        return git(self.bare, "log", "--format=%an: %s", "main").splitlines()

    def files(self) -> list[str]:
        """Return the paths in main."""
        return git(self.bare, "-c", "core.quotepath=off", "ls-tree", "-r", "--name-only", "main").splitlines()

    def clone(self, name: str) -> Path:
        """Return a person's new clone."""
        git(self.folder, "clone", "--quiet", self.url, name)
        return self.folder / name

    def push(self, place: Path, message: str) -> None:
        """Commit everything in a person's folder and push it."""
        git(place, "add", "--all")
        git(place, "commit", "--quiet", "--message", message)
        git(place, "push", "--quiet", "origin", "HEAD:main")

    def run(
        self, workflow: str, *, before: Mapping[str, Callable[[], None]] | None = None, event: Mapping[str, str] = {}
    ) -> dict[str, Step]:
        """Run a workflow on main: the job build and, if it succeeds, the job deploy."""
        self.runs += 1
        machine = self.folder / f"machine{self.runs}"
        self.workspace = machine / "work"
        runner = self.machine(machine, before=before, event=event)
        write(machine / "workflow.yml", git(self.bare, "show", f"main:{workflow}"))
        steps = runner.job(machine / "workflow.yml", "build")
        if all(step.exit_code == 0 for step in steps.values()):
            self._save_cache()
            steps |= runner.job(machine / "workflow.yml", "deploy")
        return steps

    def machine(
        self,
        place: Path,
        *,
        before: Mapping[str, Callable[[], None]] | None = None,
        event: Mapping[str, str] = {},
        instead: Mapping[str, str] | None = None,
    ) -> Runner:
        """Return a fresh machine; its `feedtool` is that of this checkout, so that nothing must be installed."""
        for name in ("work", "temp", "home", "bin"):
            (place / name).mkdir(parents=True)
        install_here(place / "bin/feedtool")
        write(place / "bin/sleep", "#!/bin/sh\n")  # Waiting helps nothing here.
        (place / "bin/sleep").chmod(0o755)
        self._cached: list[str] = []
        table = {
            "github.ref": "refs/heads/main",
            "github.token": TOKEN,
            "github.run_id": str(self.runs),
            "github.run_attempt": "1",
            "runner.temp": str(place / "temp"),
            "inputs.accept": "",
            **event,
        }
        variables = {
            "PATH": f"{place / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(place / "home"),
            "LANG": "C.UTF-8",
            "CI": "true",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GITHUB_ACTIONS": "true",
            "GITHUB_REPOSITORY": "ada/notes",
            "GITHUB_SERVER_URL": self.host.url,
            "GITHUB_WORKSPACE": str(place / "work"),
            "RUNNER_TEMP": str(place / "temp"),
        }
        actions = {
            "actions/checkout": self._checkout,
            "actions/setup-python": lambda _: {"python-path": sys.executable},
            "actions/cache": self._cache,
            "actions/configure-pages": lambda _: {"base_url": self.address},
            "actions/upload-pages-artifact": self._upload,
            "actions/deploy-pages": self._deploy,
        }
        return Runner(
            workspace=place / "work",
            temp=place / "temp",
            table=table,
            surroundings=variables,
            actions=actions,
            instead={INSTALL: "feedtool --version"} if instead is None else instead,
            before=before or {},
        )

    def _checkout(self, inputs: Mapping[str, str]) -> Outputs:
        assert inputs == {"persist-credentials": "false"}
        git(self.workspace, "init", "--quiet", "--initial-branch=main")
        git(self.workspace, "remote", "add", "origin", self.url)
        git(self.workspace, "fetch", "--quiet", "--depth=1", "origin", "+refs/heads/main:refs/remotes/origin/main")
        git(self.workspace, "checkout", "--quiet", "--force", "-B", "main", "refs/remotes/origin/main")
        return {}

    def _cache(self, inputs: Mapping[str, str]) -> Outputs:
        # The action stores paths relative to the workspace.
        self._cached = [os.path.relpath(self.workspace / path, self.workspace) for path in inputs["path"].splitlines()]
        assert inputs["key"].startswith(inputs["restore-keys"])
        for number, path in enumerate(self._cached):
            if (self.cache / str(number)).is_dir():
                shutil.copytree(self.cache / str(number), self.workspace / path, dirs_exist_ok=True)
        return {}

    def _save_cache(self) -> None:
        """Save the cache as its action does at the end of a job."""
        assert self._cached
        shutil.rmtree(self.cache, ignore_errors=True)
        for number, path in enumerate(self._cached):
            shutil.copytree(self.workspace / path, self.cache / str(number))

    def _upload(self, inputs: Mapping[str, str]) -> Outputs:
        shutil.rmtree(self.folder / "artifact", ignore_errors=True)
        shutil.copytree(self.workspace / inputs["path"], self.folder / "artifact", ignore=shutil.ignore_patterns(".*"))
        return {}

    def _deploy(self, inputs: Mapping[str, str]) -> Outputs:
        shutil.rmtree(self.pages, ignore_errors=True)
        (self.folder / "artifact").rename(self.pages)
        return {"page_url": f"{self.address}/"}


def install_here(program: Path) -> None:
    """Create a program that runs the feedtool of this checkout in any current folder."""
    write(program, f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -P -m feedtool "$@"\n')
    program.chmod(0o755)


@contextmanager
def hub(folder: Path, first: Path, server: Server) -> Iterator[Hub]:
    """Serve a repository whose first commit has the files of a folder, except for those that git ignores.

    The published pages are at `/notes/` of the server.
    """
    bare = folder / "host/ada/notes.git"
    bare.mkdir(parents=True)
    git(bare, "init", "--quiet", "--bare", "--initial-branch=main")
    git(bare, "config", "http.receivepack", "true")
    with git_host(folder / "host") as host:
        new_hub = Hub(folder, host, server.url("/notes"))
        server.set("/notes/", serve_folder(str(new_hub.pages)))
        git(first, "init", "--quiet", "--initial-branch=main")
        git(first, "remote", "add", "origin", new_hub.url)
        new_hub.push(first, "A site")
        yield new_hub
