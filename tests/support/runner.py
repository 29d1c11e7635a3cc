"""Run the job of a workflow or a composite action step by step as the runner of GitHub does.

The runner refuses steps, keys and expressions that it does not know, so that none is skipped silently. A test supplies
a function for each action in `uses`. Expressions in `${{ }}` are looked up, never computed.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

Outputs = dict[str, str]
Action = Callable[[Mapping[str, str]], Outputs]

WORKFLOW_KEYS = {"name", True, "on", "permissions", "concurrency", "env", "defaults", "jobs"}
JOB_KEYS = {"name", "needs", "runs-on", "timeout-minutes", "permissions", "environment", "steps"}
STEP_KEYS = {"id", "name", "uses", "with", "run", "shell", "env"}
SHELLS = {"bash": ["bash", "--noprofile", "--norc", "-eo", "pipefail"]}
COMMANDS = {"error", "warning", "notice", "debug", "group", "endgroup", "add-mask", "add-matcher", "remove-matcher"} | {
    "set-env", "set-output", "save-state", "add-path", "echo", "stop-commands",
}  # fmt: skip
EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)


class RefusedError(ValueError):
    """The file contains something that this runner does not support."""


@dataclass
class Step:
    """The result of one step. `commands` are the workflow commands in its output, as (name, rest)."""

    name: str
    exit_code: int = 0
    output: str = ""
    summary: str = ""
    outputs: Outputs = field(default_factory=dict)

    @property
    def commands(self) -> list[tuple[str, str]]:
        """Return the workflow commands in the output."""
        return commands_in(self.output)


@dataclass
class Runner:
    """A machine with a workspace: the values of expressions, the functions of actions, and the environment of every step.

    `instead` replaces complete scripts; `before` has functions that are called before the step of that name.
    """

    workspace: Path
    temp: Path
    table: Mapping[str, str]
    surroundings: Mapping[str, str]
    actions: Mapping[str, Action] = field(default_factory=dict)
    instead: Mapping[str, str] = field(default_factory=dict)
    before: Mapping[str, Callable[[], None]] = field(default_factory=dict)

    def job(self, file: Path, name: str) -> dict[str, Step]:
        """Run a job and return its steps by name, or by their action; the first failed step is the last one."""
        data = yaml.safe_load(file.read_text("utf-8"))
        _only(data, WORKFLOW_KEYS, "workflow")
        job = data["jobs"][name]
        _only(job, JOB_KEYS, "job")
        shell = data.get("defaults", {}).get("run", {}).get("shell", "")
        environment = {key: self._filled(value, {}, {}) for key, value in data.get("env", {}).items()}
        steps = self._steps(job["steps"], environment, shell)
        if "environment" in job and all(step.exit_code == 0 for step in steps.values()):
            self._filled(job["environment"].get("url", ""), environment, steps)
        return steps

    def action(self, file: Path, inputs: Mapping[str, str]) -> tuple[Outputs, dict[str, Step]]:
        """Run a composite action and return its outputs and its steps; a failed action has no outputs."""
        data = yaml.safe_load(file.read_text("utf-8"))
        unknown = set(inputs) - set(data["inputs"])
        if unknown:
            raise RefusedError(f"there is no input {unknown}")
        values = {f"inputs.{key}": inputs.get(key, one.get("default", "")) for key, one in data["inputs"].items()}
        player = Runner(**{**self.__dict__, "table": {**self.table, **values}})
        place = {"GITHUB_ACTION_PATH": str(file.parent)}
        steps = player._steps(data["runs"]["steps"], place, "", composite=True)
        if any(step.exit_code for step in steps.values()):
            return {}, steps
        filled = {key: player._filled(one["value"], {}, steps) for key, one in data["outputs"].items()}
        return filled, steps

    def _steps(
        self, listed: list[dict[str, Any]], environment: dict[str, str], shell: str, *, composite: bool = False
    ) -> dict[str, Step]:
        played: dict[str, Step] = {}
        by_id: dict[str, Step] = {}
        for data in listed:
            _only(data, STEP_KEYS, "step")
            if composite and "run" in data and "shell" not in data:
                raise RefusedError("a composite action's step names its shell")
            name = data.get("name") or data.get("uses", "").partition("@")[0] or data.get("id", "")
            self.before.get(name, lambda: None)()
            variables = {key: self._filled(value, environment, by_id) for key, value in data.get("env", {}).items()}
            if "uses" in data:
                inputs = {key: self._filled(value, environment, by_id) for key, value in data.get("with", {}).items()}
                step = self._use(name, data["uses"], inputs)
            else:
                step = self._run(name, data["run"], {**environment, **variables}, data.get("shell", shell))
            played[name] = by_id[data.get("id", name)] = step
            if step.exit_code:
                break
        return {**by_id, **played}

    def _use(self, name: str, used: str, inputs: Mapping[str, str]) -> Step:
        action, _, pin = used.partition("@")
        if not re.fullmatch("[0-9a-f]{40}", pin) or action not in self.actions:
            raise RefusedError(f"no function for the action {used}")
        return Step(name, outputs=self.actions[action](inputs))

    def _run(self, name: str, script: str, environment: Mapping[str, str], shell: str) -> Step:
        if "${{" in script:
            raise RefusedError(f"{name}: an expression inside a script lets its value be run")
        if shell not in SHELLS:
            raise RefusedError(f"{name}: there is no shell {shell!r}")
        text = self.instead.get(script.strip(), script)
        files = {key: self.temp / key.lower() for key in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_ENV")}
        for file in files.values():
            file.write_bytes(b"")
        (self.temp / "script.sh").write_text(text, "utf-8")
        done = subprocess.run(
            [*SHELLS[shell], str(self.temp / "script.sh")],
            cwd=self.workspace,
            env={**self.surroundings, **environment, **{key: str(file) for key, file in files.items()}},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=120,
            check=False,
        )
        if files["GITHUB_ENV"].stat().st_size:
            raise RefusedError(f"{name}: it sets variables for later steps")
        return Step(
            name,
            done.returncode,
            done.stdout.decode("utf-8", "replace"),
            files["GITHUB_STEP_SUMMARY"].read_text("utf-8"),
            _outputs(files["GITHUB_OUTPUT"].read_text("utf-8")),
        )

    def _filled(self, value: object, environment: Mapping[str, str], steps: Mapping[str, Step]) -> str:
        """Return a value with its expressions looked up."""
        text = str(value).lower() if isinstance(value, bool) else str(value)

        def look_up(match: re.Match[str]) -> str:
            expression = match[1].strip()
            if match_of_output := re.fullmatch(r"steps\.([\w-]+)\.outputs\.([\w-]+)", expression):
                if match_of_output[1] in steps and match_of_output[2] in steps[match_of_output[1]].outputs:
                    return steps[match_of_output[1]].outputs[match_of_output[2]]
            elif expression.startswith("env.") and expression[4:] in environment:
                return environment[expression[4:]]
            elif expression in self.table:
                return self.table[expression]
            raise RefusedError(f"unknown expression {expression}")

        return EXPRESSION.sub(look_up, text)


def _only(data: Mapping[Any, Any], allowed: set[Any], kind: str) -> None:
    unknown = set(data) - allowed
    if unknown:
        raise RefusedError(f"the {kind} has unknown keys: {unknown}")


def _outputs(text: str) -> Outputs:
    outputs: Outputs = {}
    # The runner splits lines as .NET does: not at U+0085 or U+2028.
    lines = re.sub(r"\r\n?", "\n", text).removesuffix("\n").split("\n") if text else []
    while lines:
        line = lines.pop(0)
        if heredoc := re.fullmatch(r"([\w-]+)<<(.+)", line):
            end = lines.index(heredoc[2])
            outputs[heredoc[1]] = "\n".join(lines[:end])
            del lines[: end + 1]
        elif pair := re.fullmatch(r"([\w-]+)=(.*)", line):
            outputs[pair[1]] = pair[2]
        else:
            raise RefusedError(f"no output: {line!r}")
    return outputs


def commands_in(output: str) -> list[tuple[str, str]]:
    """Return the workflow commands that a runner obeys.

    These are `::name …::` at the start of a line, and `##[name …]` anywhere in it.
    """
    commands: list[tuple[str, str]] = []
    stop = ""
    for line in output.splitlines():
        forms = (re.match(r"\s*::([^:\s]*)(.*?::.*)", line), re.search(r"##\[([^\]\s]*)(.*?\].*)", line))
        for form in forms:
            name = form[1].lower() if form else ""
            if form is None or name not in COMMANDS | {stop.lower()} or not name:
                continue
            if stop:
                stop = "" if name == stop.lower() else stop
            elif name == "stop-commands":
                stop = re.split(r"::|\]", form[2], maxsplit=1)[1]
            else:
                commands.append((name, form[2]))
            break
    return commands
