"""The whole circle: a PBX that calls back, a listener that hears it, and a call that is followed to its end."""

import json
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from front_door import FrontDoor, Result
from waiting import wait_until
from warm_start import start_alovoice

from .conftest import Listening

pytestmark = pytest.mark.usefixtures("profile_store")

Listen = Callable[..., Listening]
Serve = Callable[..., None]


@pytest.fixture
def serve(alovoice: FrontDoor, listen: Listen) -> Iterator[Serve]:
    """Starts a listener, and a sandbox that tells it of its calls; the home's environment then names that PBX."""
    running: list[subprocess.Popen[bytes]] = []

    def start(*words: str) -> None:
        base = listen().urls["callstart"].rpartition("/")[0]
        process = start_alovoice(
            *("sandbox", "serve", "--json", "--state", "pbx.db"),
            *("--speed", "600", "--seed", "7", "--events-to", base, *words),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=alovoice.environ,
            cwd=alovoice.home,
        )
        running.append(process)
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        alovoice.environ |= {"ALOVOICE_BASE_URL": ready["url"], "ALOVOICE_TOKEN": ready["token"]}

    yield start
    for process in running:
        process.kill()
        process.communicate(timeout=60)


def test_calls_are_followed_to_their_ends(serve: Serve, alovoice: FrontDoor) -> None:
    serve()
    for words in (
        ("out", "--from", "2424", "--to", "+998901234567", "--call-id", "1"),
        ("ivr", "--ivr", "222", "--line", "712037006", "--to", "901234567", "--extid", "2"),
        ("conference", "--from", "712037006", "--to", "994412860", "--extid", "3"),
    ):
        result = alovoice("call", *words, "--wait", "90s", "--json")
        resolution = json.loads(result.out)["resolution"]
        assert resolution["is_over"] is True
        assert result.code == {"rang": 0, "did_not_ring": 1}[resolution["answer"]], result.err
        again, later = _resolved_by_id(alovoice, resolution["receipt"])
        assert (again.code, later["answer"]) == (result.code, resolution["answer"])


def _resolved_by_id(alovoice: FrontDoor, receipt: str) -> tuple[Result, dict[str, Any]]:
    """The resolution once the result has come, which bears our id: the end may be known a moment before."""

    def resolved() -> tuple[Result, dict[str, Any]] | None:
        again = alovoice("call", "resolve", receipt, "--json")
        resolution = json.loads(again.out)
        return (again, resolution) if resolution["basis"] == "id" else None

    found = wait_until(resolved, "the result", pause=0.05)
    assert found is not None
    return found


def test_after_a_lost_answer_a_call_says_by_itself_whether_it_rang(serve: Serve, alovoice: FrontDoor) -> None:
    serve("--fault", "outcall:lost@100%,requestcall:reset@100%")
    lost = alovoice("call", "out", "--from", "2424", "--to", "901234568", "--call-id", "1", "--wait=90s", "--json")
    said = json.loads(lost.out)
    assert lost.code == {"rang": 0, "did_not_ring": 1}[said["resolution"]["answer"]], lost.err
    assert (said["resolution"]["outcome"], said["answer"]) == ("unknown", None)
    never = alovoice(
        *("call", "ivr", "--ivr", "222", "--line", "712037006", "--to", "901234569", "--extid", "2", "--wait=1s")
    )
    assert (never.code, "This is not proof." in never.err) == (6, True)
