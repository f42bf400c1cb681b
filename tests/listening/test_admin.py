"""The admin port, the ready file, the watchdog and the log: how others learn whether the listener works."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from front_door import FrontDoor
from prometheus_client.parser import text_string_to_metric_families
from waiting import wait_until

from alovoice_cli.listening.systemd import watchdog_seconds

from .conftest import START, Handler, Listening

Listen = Callable[..., Listening]
LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+05:00 (info|warning|error): .+")


def metrics(listening: Listening) -> dict[tuple[str, ...], float]:
    """Each sample by its name and its labels' values in the order of their names."""
    status, body = listening.request("GET", f"{listening.admin}/metrics")
    assert status == 200
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
    }


@pytest.mark.parametrize("given", ["127.0.0.1", "127.0.0.1:", "localhost:x", ":70000", "1:2:3", "", ":" + "9" * 5000])
def test_what_is_no_address_of_an_admin_port_is_told(alovoice: FrontDoor, given: str) -> None:
    result = alovoice("listen", "--port", "0", "--admin", given)
    assert (result.code, result.out) == (2, "")
    assert "--admin" in result.err or "1:2" in result.err


@pytest.mark.floors
def test_metrics_count_what_came_what_was_answered_and_what_decided(
    listen: Listen, alovoice: FrontDoor, crm: Handler
) -> None:
    crm.answer = lambda body: (200, b"777") if b"start_time" in body else (200, b"true")
    rules = alovoice.home / "rules.toml"
    rule = '[[rule]]\nname = "one"\nwhen = { from = "974244100" }\nthen = { queue = "6001" }\n'
    rules.write_text('fallback = { queue = "6000" }\n' + rule)
    words = ["--forward", f"callstart={crm.url}", "--forward", crm.url, "--forward-timeout", "20"]
    listening, began = listen("--admin", "0", "--rules", str(rules), *words), time.time()
    assert listening.post("callstart", START) == (200, b"777")
    assert listening.post("callend", {"call_id": "777"})[0] == 200
    for number in ("974244100", "974244101"):
        assert listening.post("route", {"from_number": number})[0] == 200
    assert listening.request("POST", listening.urls["callend"] + "x")[0] == 404
    assert listening.request("GET", listening.urls["result"])[0] == 405
    assert listening.post("result", b"x" * (1 << 20) + b"x")[0] == 413
    crm.wait(2)
    assert alovoice("route", "override", "queue:6002", "--for", "5m").code == 0
    assert listening.post("route", {"from_number": "974244100"})[0] == 200
    found = metrics(listening)

    def of(name: str, *labels: str) -> list[float]:
        return [found[f"alovoice_{name}_total", label] for label in labels]

    assert of("received", "callstart", "callend", "result", "route") == [1, 1, 0, 3]
    assert of("refused", "path", "method", "size", "address", "storage") == [1, 1, 1, 0, 0]
    assert of("callstart_relays", "answered", "timeout", "unusable", "unreachable") == [1, 0, 0, 0]
    assert of("route_answers", "rule", "override", "fallback") == [1, 1, 1]
    assert of("route_fallbacks", "no_match", "deadline", "no_rules", "failure") == [1, 0, 0, 0]
    assert found["alovoice_answered_total", "200", "callstart"] == 1
    assert found["alovoice_answered_total", "413", "result"] == 1
    gauges = ("ready", "rules", "rules_outdated", "route_override")
    assert [found[f"alovoice_{name}",] for name in gauges] == [1, 1, 0, 1]
    assert began <= found["alovoice_last_received_timestamp_seconds",] <= time.time()
    rules.write_text("nonsense")
    wait_until(lambda: metrics(listening)["alovoice_rules_outdated",] == 1, "bad rules are told")


def test_metrics_tell_of_each_target_each_line_of_the_log_is_dated_and_neither_names_a_secret(
    listen: Listen, crm: Handler
) -> None:
    crm.stop()
    secret = "of-this-path-only"
    words = ["--forward", f"callstart={crm.url}?key={secret}", "--forward", f"{crm.url}/{secret}"]
    listening = listen("--admin", "0", "--log-format", "text", *words)
    for number in range(3):
        assert listening.post("callend", {"call_id": number, "number": "+998901234567", "line": 712037006})[0] == 200
    target = crm.url.removesuffix("/hook")

    def by_target(name: str) -> dict[tuple[str, ...], float]:
        return {key: value for key, value in metrics(listening).items() if key[0] == name}

    wait_until(lambda: 3 in by_target("alovoice_outbox_waiting").values(), "three events wait")
    named = by_target("alovoice_outbox_waiting")
    assert {key[-1] for key in named} == {target, f"{target} (callstart)"}
    assert len({key[1] for key in named}) == 2, "two targets of one host are told apart"
    text = listening.request("GET", f"{listening.admin}/metrics")[1].decode()
    path = listening.urls["callend"].partition("/h/")[2].partition("/")[0]
    assert not [word for word in (secret, path, "998901234567", "712037006") if word in text]
    wait_until(lambda: 0 in by_target("alovoice_target_taking").values(), "the target is away")
    assert max(by_target("alovoice_outbox_oldest_age_seconds").values()) > 0
    crm.start()
    wait_until(lambda: sum(by_target("alovoice_outbox_waiting").values()) == 0, "nothing waits")
    assert listening.stop() == 143
    listening.wait_for("info: ended with exit code 143")
    said = "\n".join(listening.errors)
    assert [line for line in listening.errors if not LINE.fullmatch(line)] == []
    assert f"warning: {target} cannot be reached" in said
    assert "info: listening on http://127.0.0.1:" in said
    assert not [word for word in (secret, path) if word in said]


class Notifications:
    """The socket on which systemd is told, and what it was told."""

    def __init__(self, path: str) -> None:
        self.path, self.told = path, list[str]()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(path)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        while text := self._socket.recv(100):
            self.told.append(text.decode())

    def pings(self) -> int:
        return self.told.count("WATCHDOG=1")

    def close(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
            end.connect(self.path)
            end.send(b"")
        self._socket.close()


@pytest.fixture
def systemd(alovoice: FrontDoor, tmp_path: Path) -> Iterator[Notifications]:
    notifications = Notifications(str(tmp_path / "notify"))
    alovoice.environ |= {"NOTIFY_SOCKET": notifications.path, "WATCHDOG_USEC": "1000000"}
    yield notifications
    notifications.close()


def test_the_admin_port_stands_in_the_ready_line_and_answers_three_paths(
    listen: Listen, systemd: Notifications, tmp_path: Path, alovoice: FrontDoor
) -> None:
    ready_file = tmp_path / "ready"
    listening = listen("--admin", "0", "--ready-file", str(ready_file))
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", listening.admin)
    assert listening.request("GET", f"{listening.admin}/live") == (200, b'{"live": true}\n')
    status, told = listening.request("GET", f"{listening.admin}/ready")
    assert status == 200
    store = str(alovoice.home / "state" / "events.db")
    assert json.loads(told) == {"ready": True, "reason": None, "store": store, "spooling": False}
    assert metrics(listening)["alovoice_store_info", store] == 1
    assert listening.request("GET", f"{listening.admin}/metrics")[0] == 200
    assert listening.request("GET", f"{listening.admin}/")[0] == 404
    assert listening.request("POST", f"{listening.admin}/ready")[0] == 405
    assert listening.request("GET", listening.urls["callend"].replace("/callend", "/ready"))[0] == 404
    assert not [line for line in listening.errors if "admin" in line]
    assert json.loads(ready_file.read_text())["admin"] == listening.admin
    ready_file.unlink()
    wait_until(ready_file.exists, "a ready file that somebody removes comes back")
    wait_until(lambda: systemd.pings() >= 3, "the watchdog is told again and again")
    assert systemd.told[0] == "READY=1"
    assert listening.stop() == 143
    wait_until(lambda: systemd.told[-1] == "STOPPING=1", "the end is told")
    assert not ready_file.exists()


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 30),
        ({"WATCHDOG_USEC": "1500000", "WATCHDOG_PID": str(os.getpid())}, 1.5),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "-1"}, None),
        ({"WATCHDOG_USEC": "³"}, None),
        ({"WATCHDOG_USEC": "9" * 5000}, None),
    ],
)
def test_the_watchdog_is_read_as_systemd_gives_it(environ: dict[str, str], seconds: float | None) -> None:
    assert watchdog_seconds(environ) == seconds


def _let_files_grow(pid: int, most: int) -> None:
    """As a disk that is full, and one with room again."""
    import resource

    resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))


@pytest.mark.skipif(sys.platform != "linux", reason="prlimit is Linux's")
def test_a_full_disk_ends_readiness_and_room_brings_it_back(
    listen: Listen, alovoice: FrontDoor, systemd: Notifications, tmp_path: Path
) -> None:
    import resource

    ready_file = tmp_path / "ready"
    listening = listen("--admin", "0", "--ready-file", str(ready_file))
    before = json.loads(ready_file.read_text())
    assert before["admin"] == listening.admin
    _let_files_grow(listening.pid, 0)
    assert listening.post("callend", {"call_id": "lost"})[0] == 503
    status, told = listening.request("GET", f"{listening.admin}/ready")
    assert status == 503
    answer = json.loads(told)
    assert (answer["ready"], answer["spooling"]) == (False, True)
    assert answer["reason"] == "neither the event store nor its spool takes events"
    assert listening.request("GET", f"{listening.admin}/live")[0] == 200
    assert metrics(listening)["alovoice_ready",] == 0
    assert metrics(listening)["alovoice_refused_total", "storage"] == 1
    wait_until(lambda: not ready_file.exists(), "the ready file goes")
    pings = systemd.pings()
    time.sleep(1.5)  # in which three would have come
    assert systemd.pings() <= pings + 1
    _let_files_grow(listening.pid, resource.RLIM_INFINITY)
    wait_until(lambda: listening.request("GET", f"{listening.admin}/ready")[0] == 200, "ready without a delivery")
    wait_until(ready_file.exists, "the ready file comes back")
    assert json.loads(ready_file.read_text()) == before
    wait_until(lambda: systemd.pings() > pings + 1, "systemd hears of it again")
    assert listening.post("callend", {"call_id": "kept"})[0] == 200
    listening.wait_for("not ready: neither the event store")
    listening.wait_for("ready again")
    assert listening.stop() == 143
    assert not ready_file.exists()
    assert [event["event_call_id"] for event in json.loads(alovoice("events", "list", "--json").out)] == ["kept"]


def test_a_log_of_json_has_a_zone_a_level_and_fields(listen: Listen, alovoice: FrontDoor) -> None:
    alovoice.environ["ALOVOICE_LISTEN_LOG_FORMAT"] = "json"
    listening = listen("--admin", "0.0.0.0:0")
    assert listening.stop(signal.SIGHUP) == 143
    listening.wait_for("ended with")
    warned, *lines = [json.loads(line) for line in listening.errors if "no --rules" not in line]
    assert (warned["level"], [line["level"] for line in lines]) == ("warning", ["info", "info"])
    assert "needs no password and can be reached from other computers" in warned["message"]
    for line in lines:
        assert datetime.fromisoformat(line["time"]).utcoffset() == timedelta(hours=5)
    assert lines[0]["admin"] == listening.admin
    assert lines[0]["pid"] == listening.pid
    assert (lines[1]["message"], lines[1]["exit_code"]) == ("ended with exit code 143", 143)


def test_what_ends_the_listener_is_a_line_of_its_log(alovoice: FrontDoor) -> None:
    result = alovoice("listen", "--host", "192.0.2.1", "--port", "0", "--log-format", "json", "--json", "-q")
    (line,) = result.err.splitlines()
    told = json.loads(line)
    assert (result.code, told["level"], told["kind"], told["exit_code"]) == (2, "error", "usage", 2)
    assert "this computer does not have this address" in told["message"]
    text = alovoice("listen", "--host", "192.0.2.1", "--port", "0", "--log-format", "text", "-q").err
    assert LINE.fullmatch(text.rstrip("\n"))
    undated = alovoice("listen", "--host", "192.0.2.1", "--port", "0", "-q", "--json").err
    assert json.loads(undated)["error"]["kind"] == "usage"


def test_prometheus_is_imported_for_an_admin_port_only() -> None:
    code = "import alovoice_cli.commands.listen.plan, sys; print('prometheus_client' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout == b"False\n"
