"""`autorule watch`: one line a change, the reasons, one watcher a campaign, and how it ends."""

import json
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from front_door import TOKEN, FrontDoor
from raw_server import Act, Connection, RawServer
from waiting import wait_until


def campaign(**changes: object) -> dict[str, object]:
    """A campaign that was created this moment and runs today and tomorrow, with these changes."""
    now = datetime.now(UTC)
    today = (now + timedelta(hours=5)).date()
    return {
        "id": 124,
        "name": "Куз oʻ \x1b[31m",
        "from": f"{today}",
        "to": f"{today + timedelta(days=1)}",
        "fromtime": "00:00:00",
        "totime": "23:59:59",
        "recipients": 0,
        "paused": "0",
        "status": "new",
        "timezone": 18000,
        "createdAt": now.isoformat(),
        "unknown": {"a": [1.5]},
    } | changes


@pytest.fixture
def pbx(alovoice: FrontDoor) -> Iterator[Callable[..., RawServer]]:
    """Starts a PBX that answers one campaign after the other; the last one stays."""
    servers: list[RawServer] = []

    def start(*answers: object) -> RawServer:
        left = list(answers)

        def act(connection: Connection) -> None:
            while connection.read() is not None:
                answer = left.pop(0) if len(left) > 1 else left[0]
                if isinstance(answer, str):
                    connection.answer(answer, b"{}")
                else:
                    connection.answer("200 OK", json.dumps(answer).encode())

        acts: list[Act] = [act]
        servers.append(RawServer(acts))
        alovoice.environ |= {"ALOVOICE_BASE_URL": servers[-1].url, "ALOVOICE_TOKEN": TOKEN}
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


def _lines(out: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in out.splitlines()]


def test_one_line_a_change_and_the_answer_whole(alovoice: FrontDoor, pbx: Callable[..., RawServer]) -> None:
    new = campaign()
    running = new | {"status": "running", "recipients": 6}
    server = pbx(new, new, running, running, running | {"status": "done"})
    result = alovoice("autorule", "watch", "124", "--interval", "1s", "--timeout", "5")
    assert result.code == 0, result.err
    lines = _lines(result.out)
    assert [line["status"] for line in lines] == ["new", "running", "done"]
    assert [line["changed"] for line in lines] == [[], ["recipients", "status"], ["status"]]
    assert [line["why_code"] for line in lines] == ["", "", "over"]
    assert lines[0]["campaign"] == new
    assert len(server.requests) == 5


def test_it_ends_at_the_status_that_is_waited_for(alovoice: FrontDoor, pbx: Callable[..., RawServer]) -> None:
    pbx(campaign(), campaign(status="running"))
    result = alovoice("autorule", "watch", "124", "124", "--until", "Running", "--interval", "1s")
    assert result.code == 0
    assert [line["status"] for line in _lines(result.out)] == ["new", "running"]


def test_a_campaign_that_is_over_otherwise_is_not_waited_for(
    alovoice: FrontDoor, pbx: Callable[..., RawServer]
) -> None:
    pbx(campaign(status="done"))
    result = alovoice("autorule", "watch", "124", "--until", "running", "--json")
    assert result.code == 9
    assert json.loads(result.err)["error"]["kind"] == "not_ready"
    assert "124 has the status done" in result.err


def test_out_of_time_is_not_ready_and_says_how_to_look_on(alovoice: FrontDoor, pbx: Callable[..., RawServer]) -> None:
    pbx(campaign(paused=1))
    result = alovoice("autorule", "watch", "124", "--wait", "1s")
    assert result.code == 9
    assert "124 (new)" in result.err
    assert "alovoice -p default autorule watch 124" in result.err
    assert _lines(result.out)[0]["why"] == "paused: start it in the web console"


def test_a_pbx_that_fails_for_a_while_does_not_end_it(alovoice: FrontDoor, pbx: Callable[..., RawServer]) -> None:
    pbx("500 Oops", campaign(status="done"))
    result = alovoice("autorule", "watch", "124", "--interval", "1s")
    assert result.code == 0
    first, second = _lines(result.out)
    assert (first["why_code"], first["campaign"], first["status"]) == ("server", {}, "")
    assert second["status"] == "done"


def test_an_id_that_the_pbx_does_not_know_ends_it(alovoice: FrontDoor, pbx: Callable[..., RawServer]) -> None:
    pbx("404 Not Found")
    assert alovoice("autorule", "watch", "999").code == 4


@pytest.mark.parametrize("words", [("--interval", "often"), ("--wait", "0x"), ("--interval", "0s")])
def test_a_span_that_is_none_is_refused(alovoice: FrontDoor, words: tuple[str, ...]) -> None:
    assert alovoice("-p", "sandbox", "autorule", "watch", "40", *words).code == 2


def test_on_a_terminal_the_table_is_drawn_over(alovoice: FrontDoor, pbx: Callable[..., RawServer]) -> None:
    pbx(campaign(), campaign(status="done"))
    shown = alovoice("autorule", "watch", "124", "--interval", "1s", "--color", "never", terminal=True)
    assert shown.code == 0
    assert "\x1b[2K" in shown.out
    plain = re.sub(r"\x1b\[\??[0-9;]*[A-Za-z]", "", shown.out).replace("\r", "\n")
    assert "\x1b" not in plain
    assert "^[[31m" in plain
    assert max(map(len, plain.splitlines())) <= 78
    assert plain.count("Why it waits") >= 2
    dumb = alovoice("autorule", "watch", "124", terminal=True, environ={"TERM": "dumb"})
    assert "\x1b" not in dumb.out
    assert "it is finished" in dumb.out


def test_what_is_seen_is_noted_in_the_list(alovoice: FrontDoor) -> None:
    alovoice.environ["ALOVOICE_PROFILE"] = "sandbox"
    (alovoice.home / "c.csv").write_text("998901234567\n")
    source = "alovoice_cli/sandbox/scenarios/announcement.mp3"
    record = __file__.partition("/tests/")[0] + f"/{source}"
    words = (
        "--record",
        record,
        "--recipients",
        "c.csv",
        "--from",
        "today",
        "--to",
        "+1d",
        "--trunks",
        "all",
        "--night-ok",
    )
    assert alovoice("autorule", "create", *words, "--fromtime", "00:00", "--totime", "23:59", "--yes").code == 0
    alovoice.later(hours=3)
    assert alovoice("autorule", "watch", "124").code == 0
    (listed,) = json.loads(alovoice("autorule", "list", "--json").out)
    assert listed["status"] == "done"


def _started(alovoice: FrontDoor, server: RawServer, *words: str) -> subprocess.Popen[bytes]:
    process = alovoice.start("autorule", "watch", "124", *words)
    wait_until(lambda: server.requests, "its first look")
    return process


def test_one_poller_a_campaign_and_a_killed_one_frees_its_place(
    alovoice: FrontDoor, pbx: Callable[..., RawServer]
) -> None:
    server = pbx(campaign())
    first = _started(alovoice, server)
    try:
        second = alovoice("autorule", "watch", "125", "124", "--wait", "2s")
        assert second.code == 2
        assert f"campaign 124 on PBX default is watched already, by process {first.pid}" in second.err
        assert second.out == ""
        first.kill()
        first.communicate()
        assert alovoice("autorule", "watch", "124", "--wait", "1s").code == 9
    finally:
        first.kill()
        first.communicate()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupt_says_how_to_go_on(
    alovoice: FrontDoor, pbx: Callable[..., RawServer], number: int, code: int
) -> None:
    process = _started(alovoice, pbx(campaign()), "--until", "done")
    process.stdout.readline()  # type: ignore[union-attr] # a pipe
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert b"to watch again: `alovoice -p default autorule watch 124 --until done" in err
    assert not list((alovoice.home / "state" / "locks").glob("*.pid"))
