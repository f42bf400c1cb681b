"""`alovoice sandbox serve --events-to`: through the front door, and as a process that ends by a signal."""

import json
import signal
import sys
from collections.abc import Sequence

import pytest
from front_door import FrontDoor

from alovoice_cli.stores.pbx_traffic import Traffic

from .conftest import Handler

BASE = "http://127.0.0.1:9/h/secret"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--events-to", BASE, "--chaos", "dub=3%"], "no 'dub'; did you mean dup?"),
        (["--events-to", BASE, "--chaos", "dup"], "'' is not a percentage"),
        (["--events-to", BASE, "--chaos", "dup=101%"], "'101%' is not a percentage"),
        (["--events-to", BASE, "--chaos", "dup=1%,dup=2%"], "dup is given twice"),
        (["--events-to", BASE, "--events-to", BASE], "two base URLs"),
        (["--events-to", f"callstrat={BASE}"], "not send 'callstrat'; did you mean callstart?"),
        (["--events-to", f"callend={BASE}", "--events-to", f"callend={BASE}"], "two URLs for callend"),
        (["--events-to", "127.0.0.1:8787"], "not an http or https URL"),
        (["--events-to", "ftp://127.0.0.1/"], "not an http or https URL"),
        (["--events-to", "http://127.0.0.1:99999/"], "not an http or https URL"),
        (["--events-to", "http://[::1/"], "not an http or https URL"),
        (["--events-to", "http://a\nb/"], "not an http or https URL"),
        (["--events-to", "http://me:pass@127.0.0.1/"], "a user or a password"),
        (["--events-to", BASE + "?a=b"], "ends with its path"),
        (["--events-to", BASE, "--inbound", "40"], "not a rate over"),
        (["--events-to", BASE, "--inbound", "0/h"], "not a rate over"),
        (["--events-to", BASE, "--day", "2026-02-30"], "is not a date"),
        (["--day", "today"], "--day needs --events-to"),
        (["--inbound", "4/h"], "--inbound needs --events-to"),
        (["--chaos", "dup=1%"], "--chaos needs --events-to"),
    ],
)
def test_words_that_cannot_be_meant_are_refused_before_anything_is_opened(
    alovoice: FrontDoor, words: Sequence[str], said: str
) -> None:
    result = alovoice("sandbox", "serve", *words)
    assert result.code == 2
    assert said in result.err
    assert "hint:" in result.err
    assert "pass@" not in result.err
    assert not (alovoice.home / "state").exists()


def test_a_pbx_that_is_mounted_in_the_process_sends_nothing(alovoice: FrontDoor) -> None:
    words = ("call", "out", "--from", "2424", "--to", "994412860", "-p", "sandbox", "--yes")
    assert alovoice(*words).code == 0
    with Traffic(alovoice.home / "state" / "sandbox.db") as traffic:
        assert traffic.accounts() == []


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_day_is_played_its_account_printed_and_a_signal_ends_the_pbx(
    alovoice: FrontDoor, handler: Handler, number: int
) -> None:
    words = ["--json", "--state", "s.db", "--events-to", handler.base, "--day", "2026-03-02", "--inbound", "1/h"]
    running = alovoice.start("sandbox", "serve", *words, "--speed", "1000000", "--chaos", "dup=20%")
    try:
        assert running.stdout is not None
        assert json.loads(running.stdout.readline())["url"].startswith("http://127.0.0.1:")
        day = json.loads(running.stdout.readline())
        running.send_signal(number)
        rest, said = running.communicate(timeout=20)
    finally:
        running.kill()
    assert running.returncode == 128 + number
    assert said == b""
    run = json.loads(rest)
    assert (day.pop("account"), run.pop("account")) == ("2026-03-02", "run")
    assert day == run
    assert (day["unbalanced"], day["failed"]) == (0, 0)
    assert sum(day["sent"].values()) + day["repeated"] == len(handler.got)
    assert day["sent"]["callstart"] == day["sent"]["callend"] == day["calls"] > 10
