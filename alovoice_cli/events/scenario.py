"""Scenarios: several events of the calls that they belong to, as data. Time passes in their bodies alone."""

import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any

from alovoice_cli.errors import UsageError
from alovoice_cli.events.answers import read_crm_answer
from alovoice_cli.events.edits import Change, changed
from alovoice_cli.events.event import EventType
from alovoice_cli.events.handler import Answer
from alovoice_cli.events.samples import sample

_LONGEST_INTEGER = 12


@dataclass(frozen=True, slots=True)
class Step:
    """One event: its type, whose call it tells of, and when it comes, in seconds from the scenario's beginning."""

    type: EventType
    call: str
    at: int
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A story of calls, its steps in the order in which the PBX tells them."""

    name: str
    title: str
    steps: tuple[Step, ...]

    @property
    def seconds(self) -> int:
        """How long it takes, in its own time."""
        return max(step.at for step in self.steps)


def scenario_names() -> list[str]:
    """The scenarios that come with the program."""
    names = (file.name for file in files("alovoice_cli.events").joinpath("scenarios").iterdir())
    return sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml"))


def load_scenario(name: str) -> Scenario:
    """The scenario of that name. Raises UsageError, with the names there are, for another one."""
    names = scenario_names()
    if name not in names:
        raise UsageError(f"there is no scenario {name!r}", hint="scenarios: " + ", ".join(names))
    text = files("alovoice_cli.events").joinpath("scenarios", f"{name}.toml").read_text("utf-8")
    data: dict[str, Any] = tomllib.loads(text)
    steps = tuple(Step(step["type"], step["call"], step["at"], step.get("set", {})) for step in data["steps"])
    return Scenario(name, data["title"], steps)


Send = Callable[[EventType, object], Answer]


def play(scenario: Scenario, now: datetime, changes: Sequence[Change], send: Send) -> Iterator[tuple[Step, Answer]]:
    """Sends the steps one by one; the last one happens `now`, those before it earlier by what the scenario says.

    A callend has the `call_id` that its callstart was answered with, or none where that gave none. The `changes` are
    made to each step that has the place. Raises UsageError for a place that no step has, before anything is sent.
    """
    _check(scenario, now, changes)
    began = now - timedelta(seconds=scenario.seconds)
    ids: dict[str, int | str | None] = {}
    for step in scenario.steps:
        body = _body(step, scenario, began)
        if step.type == "callend":
            body.pop("call_id")
            if ids.get(step.call) is not None:
                body = {"call_id": ids[step.call], **body}
        answer = send(step.type, _with(body, step.type, changes, now))
        if step.type == "callstart":
            ids[step.call] = given_id(answer)
        yield step, answer


def given_id(answer: Answer) -> int | str | None:
    """The id that a callstart's answer gives the call; None where it gives none, or one that the PBX cannot take."""
    start = read_crm_answer(answer.status or 0, answer.body, "")
    if start is None or start.callto is not None:
        return None
    text = start.call_id
    is_number = text.isdigit() and len(text) <= _LONGEST_INTEGER and str(int(text)) == text
    return int(text) if is_number else text


def _check(scenario: Scenario, now: datetime, changes: Sequence[Change]) -> None:
    for change in changes:
        problems = []
        for step in scenario.steps:
            try:
                changed(_body(step, scenario, now), change, sample(step.type, now))
            except UsageError as problem:
                problems.append(problem)
        if len(problems) == len(scenario.steps):
            raise problems[0]


def _with(body: object, kind: EventType, changes: Sequence[Change], now: datetime) -> object:
    for change in changes:
        try:
            body = changed(body, change, sample(kind, now))
        except UsageError:  # another step's place: `_check` has seen that one step at least has it
            continue
    return body


def _body(step: Step, scenario: Scenario, began: datetime) -> dict[str, object]:
    """The documented body with the scenario's values; its times follow from where the step and its call stand."""
    at = began + timedelta(seconds=step.at)
    body = sample(step.type, at)
    if step.type == "result":
        starts = [other.at for other in scenario.steps if other.call == step.call]
        body["begin_time"] = int((began + timedelta(seconds=min(starts))).timestamp())
        duration = step.values.get("duration", 0)
        answered = isinstance(duration, int) and duration > 0
        body["duration"] = duration
        body["answer_time"] = int(at.timestamp()) - duration if answered and isinstance(duration, int) else None
        body["id"] = 1 + sorted({other.call for other in scenario.steps}).index(step.call)
    return {**body, **step.values}
