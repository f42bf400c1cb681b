"""The rules file is swapped in every way while callers ask: each gets a step of the old rules or of the new ones."""

import contextlib
import json
import os
import random
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from front_door import FrontDoor
from strength import IS_SOAK, rounds
from waiting import wait_until

from .conftest import Listening

Listen = Callable[..., Listening]
QUESTION = {"from_number": "901234567"}
RULES = 'fallback = {{ queue = "6000" }}\n[[rule]]\nname = "all"\nthen = {{ queue = "{queue}" }}\n'


def _cleared(path: Path) -> None:
    """Whatever lies there goes away."""
    if path.is_dir() and not path.is_symlink():
        path.rmdir()
    path.unlink(missing_ok=True)


def _put(path: Path, text: str) -> None:
    beside = path.with_suffix(".new")
    beside.write_text(text, "utf-8")
    if path.is_dir() and not path.is_symlink():
        path.rmdir()
    beside.replace(path)


def _linked(path: Path, target: Path) -> None:
    beside = path.with_suffix(".link")
    beside.unlink(missing_ok=True)
    beside.symlink_to(target)
    if path.is_dir() and not path.is_symlink():
        path.rmdir()
    beside.replace(path)


def _anew(path: Path, make: Callable[[Path], object]) -> None:
    _cleared(path)
    make(path)


BAD: dict[str, Callable[[Path, str], object]] = {
    "half of it is written": lambda path, text: _put(path, text[: len(text) * 2 // 3]),
    "it is emptied": lambda path, text: _put(path, ""),
    "it is removed": lambda path, text: _cleared(path),
    "a directory": lambda path, text: _anew(path, Path.mkdir),
    "a FIFO": lambda path, text: _anew(path, lambda made: os.mkfifo(made)),
    "a link to itself": lambda path, text: _anew(path, lambda made: made.symlink_to(made.name)),
    "a link to nothing": lambda path, text: _linked(path, path.with_name("nothing")),
    "a link to a FIFO": lambda path, text: _linked(path, path.with_name("pipe")),
    "a link to a device": lambda path, text: _linked(path, Path("/dev/zero")),
    "noise": lambda path, text: _anew(path, lambda made: made.write_bytes(os.urandom(3000))),
    "another language": lambda path, text: _put(path, '{"rule": []}'),
}
GOOD: dict[str, Callable[[Path, str], object]] = {
    "replaced": _put,
    "written in place": lambda path, text: _written(path, text),
    "a link": lambda path, text: _linked(path, _target(path, text)),
    "a link to a link": lambda path, text: _linked(path, _hop(path, _target(path, text))),
}


def _written(path: Path, text: str) -> None:
    if not path.is_file() or path.is_symlink():
        _cleared(path)
    with path.open("w", encoding="utf-8") as file:  # in two writes, as an editor does
        file.write(text[:20])
        file.flush()
        file.write(text[20:])


def _target(path: Path, text: str) -> Path:
    target = path.with_name(f"target-{abs(hash(text)) % 1000}.toml")
    target.write_text(text, "utf-8")
    return target


def _hop(path: Path, target: Path) -> Path:
    hop = path.with_name(f"hop-{target.stem}")
    hop.unlink(missing_ok=True)
    hop.symlink_to(target.name)
    return hop


@dataclass
class Callers:
    """They ask without a pause, and keep what they were answered."""

    listening: Listening
    answers: list[str] = field(default_factory=list)
    ending: threading.Event = field(default_factory=threading.Event)

    @contextlib.contextmanager
    def asking(self, many: int) -> Iterator["Callers"]:
        """So many ask while the block runs."""
        threads = [threading.Thread(target=self._ask, daemon=True) for _ in range(many)]
        for thread in threads:
            thread.start()
        yield self
        self.ending.set()
        for thread in threads:
            thread.join(60)
            assert not thread.is_alive(), "a caller waits for ever"

    def _ask(self) -> None:
        while not self.ending.is_set():
            status, body = self.listening.post("route", QUESTION)
            self.answers.append(f"{status} {body.decode()}")
            time.sleep(0.01)

    def until(self, holds: Callable[[], bool], what: str) -> None:
        """Waits for a condition."""
        wait_until(holds, what, pause=0.02)


def _queue(answer: str) -> str:
    status, _, body = answer.partition(" ")
    assert status == "200", answer
    return str(json.loads(body)["callto"]["arg"] if "callto" in json.loads(body) else json.loads(body))


def _chosen() -> list[str]:
    chance = random.Random(None if IS_SOAK else 19)
    others = [name for name in BAD if name != "a FIFO"]
    return ["a FIFO", *chance.sample(others, min(rounds(2), len(others)))]


@pytest.mark.soak
def test_each_answer_is_of_the_old_rules_or_of_the_new_ones(listen: Listen, alovoice: FrontDoor) -> None:
    path, chance = alovoice.home / "rules.toml", random.Random(7)
    os.mkfifo(path.with_name("pipe"))
    texts = {queue: RULES.format(queue=queue) for queue in ("1111", "2222")}
    _put(path, texts["1111"])
    listening, now = listen("--rules", str(path)), "1111"
    with Callers(listening).asking(4) as callers:
        for name in _chosen():
            told, asked = len(listening.errors), len(callers.answers)
            BAD[name](path, texts[now])
            callers.until(lambda told=told: "last good" in "".join(listening.errors[told:]), name)  # type: ignore[misc]
            callers.until(lambda asked=asked: len(callers.answers) > asked + 8, name)  # type: ignore[misc]
            assert {_step(answer) for answer in callers.answers[asked:]} == {f"queue:{now}"}, name
            asked, now = len(callers.answers), "2222" if now == "1111" else "1111"
            good = chance.choice(list(GOOD))
            GOOD[good](path, texts[now])
            callers.until(lambda now=now: _step(callers.answers[-1]) == f"queue:{now}", f"{name}, {good}")  # type: ignore[misc]
            assert {_step(answer) for answer in callers.answers[asked:]} <= {"queue:1111", "queue:2222"}
    assert listening.stop() == 143
    shutil.rmtree(alovoice.home / "state")


def _step(answer: str) -> str:
    from alovoice_cli.routing.step import RouteStep

    status, _, body = answer.partition(" ")
    assert status == "200", answer
    return str(RouteStep.from_wire(json.loads(body)))


@pytest.mark.parametrize("name", ["a FIFO", "a directory", "a link to a device", "a link to itself", "it is emptied"])
@pytest.mark.parametrize("words", [("route", "check"), ("route", "test", "--from", "901234567", "--rules")])
def test_commands_that_read_rules_do_not_hang_either(alovoice: FrontDoor, words: tuple[str, ...], name: str) -> None:
    path = alovoice.home / "rules.toml"
    BAD[name](path, RULES.format(queue="1111"))
    result = alovoice(*words, "rules.toml")
    assert result.code in (2, 8), result
    assert "error in alovoice itself" not in result.err
