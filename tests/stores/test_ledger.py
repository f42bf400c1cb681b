"""The ledger: what was intended is on the disk before it leaves, and is never forgotten in silence."""

import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from machine import needs_strace
from postgres_server import Cluster
from strength import examples, rounds

from alovoice_cli.errors import CheckFailedError, UsageError
from alovoice_cli.receipts import Intent, RequestOutcome, State
from alovoice_cli.stores import ledger as ledger_module
from alovoice_cli.stores.ledger import STORE_NAME, Ledger, Quota

NOON = datetime(2025, 4, 25, 12, 0, tzinfo=UTC)


def an_intent(**changes: Any) -> Intent:
    """A call that is about to be sent, but for these changes."""
    request = {"inner_phone": 2424, "number": "+998994412860"}
    one = Intent("tashkent", "call out", "POST", "/outcall/{token}", ("+998994412860",), "17", request)
    return one._replace(**changes)


def an_outcome(**changes: Any) -> RequestOutcome:
    """A call that was made, but for these changes."""
    return RequestOutcome("done", 0, "yes", 200, "true")._replace(**changes)


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.time = NOON

    def __call__(self) -> datetime:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(store_place: Callable[[str], Path | str], clock: Clock) -> Ledger:
    return Ledger(store_place(STORE_NAME), clock)


def test_an_intent_reads_back_whole_and_as_unknown(ledger: Ledger) -> None:
    code = ledger.intend(an_intent())
    assert re.fullmatch("R-[0-9A-HJKMNP-TV-Z]{4}", code)
    assert ledger.receipt(code).as_dict() == {
        "receipt": code,
        "profile": "tashkent",
        "command": "call out",
        "method": "POST",
        "path": "/outcall/{token}",
        "numbers": ["+998994412860"],
        "our_id": "17",
        "request": {"inner_phone": 2424, "number": "+998994412860"},
        "begun_at": "2025-04-25T12:00:00.000000Z",
        "pid": os.getpid(),
        "outcome": "unknown",
        "exit_code": None,
        "sent": "maybe",
        "status": None,
        "answer": None,
        "settled_at": None,
    }


def test_a_settled_receipt_tells_its_outcome(ledger: Ledger, clock: Clock) -> None:
    code = ledger.intend(an_intent())
    clock.time += timedelta(seconds=2)
    ledger.settle(code, RequestOutcome("refused", 1, "yes", 200, "false"))
    entry = ledger.receipt(code)
    assert (entry.outcome, entry.exit_code, entry.sent, entry.status, entry.answer, entry.settled_at) == (
        "refused",
        1,
        "yes",
        200,
        "false",
        "2025-04-25T12:00:02.000000Z",
    )


def test_receipts_come_newest_first_and_as_many_as_asked(ledger: Ledger, clock: Clock) -> None:
    codes = []
    for _ in range(3):
        codes.append(ledger.intend(an_intent()))
        clock.time -= timedelta(minutes=1)  # the order is that of writing, not of the clock
    assert [entry.receipt for entry in ledger.receipts()] == codes[::-1]
    assert [entry.receipt for entry in ledger.receipts(limit=1)] == codes[2:]
    assert [entry.receipt for entry in ledger.receipts(since=NOON - timedelta(minutes=1))] == [codes[1], codes[0]]


@pytest.mark.parametrize("spell", [str, str.lower, lambda code: code[2:], lambda code: f" {code[2:].lower()} "])
def test_a_receipt_is_found_however_it_is_typed(ledger: Ledger, spell: Callable[[str], str]) -> None:
    code = ledger.intend(an_intent())
    assert ledger.receipt(spell(code)).receipt == code


def test_letters_taken_for_digits_are_forgiven(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_module, "_CROCKFORD", "01")
    code = ledger.intend(an_intent())
    assert ledger.receipt(code.replace("0", "o").replace("1", "l")).receipt == code


def test_an_unknown_receipt_is_a_usage_error(ledger: Ledger) -> None:
    with pytest.raises(UsageError, match="no receipt R-ZZZZ") as caught:
        ledger.receipt("R-ZZZZ")
    assert "receipts list" in caught.value.hint
    with pytest.raises(UsageError, match="no receipt R-ZZZZ"):
        ledger.settle("R-ZZZZ", an_outcome())


def test_a_crowded_ledger_gives_longer_codes_and_none_twice(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_module, "_CROCKFORD", "01")  # sixteen codes of four
    codes = [ledger.intend(an_intent()) for _ in range(40)]
    assert len(set(codes)) == 40
    assert max(map(len, codes)) > len("R-0000")
    assert ledger.receipt(codes[0]).receipt == codes[0]


@given(text=st.text(st.characters(exclude_categories=[])), data=st.dictionaries(st.text(), st.integers() | st.text()))
@settings(examples(20), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_at_all_can_be_written_down(ledger: Ledger, text: str, data: dict[str, object]) -> None:
    code = ledger.intend(an_intent(command=text, our_id=text, numbers=(text,), request=data))
    ledger.settle(code, an_outcome(answer=text))
    entry = ledger.receipt(code)
    assert (entry.numbers, entry.request) == ((text,), data)
    kept = (
        text if ledger.database.label.endswith(STORE_NAME) else text.replace("\0", "\\x00")
    )  # no text of a server has it
    assert entry.answer == kept.encode("utf-8", "backslashreplace").decode("utf-8")


def test_ids_are_short_decimal_and_rise_also_when_the_clock_goes_back(ledger: Ledger, clock: Clock) -> None:
    made = []
    for step in (0, 0, -3600, 86400, -86400, 0):
        clock.time += timedelta(seconds=step)
        made.append(ledger.make_id())
    assert all(re.fullmatch("[1-9][0-9]{0,14}", number) for number in made)
    assert [int(number) for number in made] == sorted({int(number) for number in made})


def test_a_clock_beyond_fifteen_digits_is_refused(ledger: Ledger, clock: Clock) -> None:
    clock.time = datetime(2400, 1, 1, tzinfo=UTC)
    with pytest.raises(UsageError, match="15 digits"):
        ledger.make_id()
    clock.time = NOON
    assert len(ledger.make_id()) == 15


def test_several_ids_of_one_moment_follow_one_another(ledger: Ledger) -> None:
    first, *others = map(int, [*ledger.make_ids(3), ledger.make_id(), ledger.make_id()])
    assert others == [first + 1, first + 2, first + 3, first + 4]


def test_ids_last_until_fifteen_digits_are_spent(ledger: Ledger, clock: Clock) -> None:
    clock.time = datetime.fromtimestamp(9_999_999_999, UTC)
    assert ledger.make_ids(100_000)[-1] == "9" * 15
    with pytest.raises(UsageError, match="15 digits"):
        ledger.make_id()


@pytest.mark.parametrize("damage", ["DELETE FROM made_id", "UPDATE made_id SET last = 'x'"])
def test_no_id_is_made_where_the_last_one_is_not_known(tmp_path: Path, clock: Clock, damage: str) -> None:
    ledger = Ledger(tmp_path / STORE_NAME, clock)
    with ledger.database.writing() as connection:
        connection.execute(damage)
    with pytest.raises(UsageError, match=f"{re.escape(str(tmp_path / STORE_NAME))} is damaged"):
        ledger.make_id()


def test_a_ledger_on_a_server_of_a_newer_version_is_refused(postgres: Cluster, clock: Clock) -> None:
    url = postgres.database()
    Ledger(url, clock).intend(an_intent())
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("UPDATE store_version SET version = 99 WHERE store = 'ledger'")
    with pytest.raises(UsageError, match="newer version"):
        Ledger(url, clock).intend(an_intent())


def test_an_outcome_is_noted_also_where_the_server_ended_the_session_of_the_intent(
    postgres: Cluster, clock: Clock
) -> None:
    url = postgres.database()
    ledger = Ledger(url, clock)
    receipt = ledger.intend(an_intent(our_id=ledger.make_id()))
    with psycopg.connect(url, autocommit=True) as connection:
        others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        assert connection.execute(f"SELECT pg_terminate_backend(pid, 60000) {others}").fetchall() == [(True,)]
    ledger.settle(receipt, an_outcome())
    assert ledger.receipt(receipt).outcome == "done"


def a_quota(most: int = 2, **changes: Any) -> Quota:
    """A limit for all calls since yesterday, but for these changes."""
    return Quota("max_calls_per_day", most, ("/outcall", "/requestcall"), NOON - timedelta(days=1))._replace(**changes)


def write_one_of_each(ledger: Ledger, clock: Clock) -> None:
    """Writes a request of each outcome, one without, and some that no quota of the profile counts."""
    states: tuple[State, ...] = ("done", "unknown", "refused", "unsent")
    for number, state in enumerate(states):
        ledger.settle(ledger.intend(an_intent(numbers=(state, "2"), our_id=str(9 - number))), an_outcome(state=state))
    ledger.intend(an_intent(numbers=("in flight",), our_id="5", path="/requestcall/{token}"))
    ledger.intend(an_intent(numbers=("of another profile",), profile="samarkand"))
    ledger.intend(an_intent(numbers=("in a campaign",), path="/mapi/addAutorule"))
    clock.time -= timedelta(days=2)
    ledger.intend(an_intent(numbers=("long ago",)))
    clock.time = NOON


def test_a_quota_counts_the_calls_that_were_or_may_have_been_made(ledger: Ledger, clock: Clock) -> None:
    write_one_of_each(ledger, clock)
    assert ledger.count("tashkent", a_quota()) == 3
    assert ledger.count("tashkent", a_quota(paths=("/requestcall",))) == 1
    assert ledger.count("tashkent", a_quota(since=NOON - timedelta(days=3))) == 4
    assert ledger.count("samarkand", a_quota()) == 1


def test_numbers_count_as_called_unless_the_call_was_certainly_not_made(ledger: Ledger, clock: Clock) -> None:
    write_one_of_each(ledger, clock)
    called = ledger.called_numbers("tashkent", NOON)
    assert called == {"done", "unknown", "2", "in flight", "in a campaign"}
    assert ledger.called_numbers("tashkent", NOON - timedelta(days=2)) == {*called, "long ago"}


def test_a_spent_quota_refuses_the_next_call_and_writes_nothing(ledger: Ledger) -> None:
    codes = [ledger.intend(an_intent(), a_quota(2)) for _ in range(2)]
    with pytest.raises(CheckFailedError, match=r"max_calls_per_day is 2 within 24 hours$"):
        ledger.intend(an_intent(), a_quota(2))
    assert [entry.receipt for entry in ledger.receipts()] == codes[::-1]
    ledger.settle(codes[0], an_outcome(state="refused"))
    assert ledger.receipt(ledger.intend(an_intent(), a_quota(2))).outcome == "unknown"


def test_a_quota_that_is_too_small_says_for_how_many_more() -> None:
    assert a_quota(2).spent(3).message.endswith("is 2 within 24 hours, and 3 more are requested")


def test_receipts_are_found_by_our_ids_oldest_first(ledger: Ledger, clock: Clock) -> None:
    write_one_of_each(ledger, clock)
    assert [entry.our_id for entry in ledger.receipts_of(["5", "8", "9", "8", "none"])] == ["9", "8", "5"]
    assert ledger.receipts_of([]) == []


def test_the_receipts_of_a_profile_are_found_by_time_and_path(ledger: Ledger, clock: Clock) -> None:
    write_one_of_each(ledger, clock)
    calls = ledger.placed("tashkent", NOON - timedelta(days=2), "/outcall")
    assert [entry.numbers[0] for entry in calls] == ["long ago", "done", "unknown", "refused", "unsent"]
    assert [entry.numbers[0] for entry in ledger.placed("tashkent", NOON)][-2:] == ["in flight", "in a campaign"]


def test_a_search_makes_no_ledger(tmp_path: Path, clock: Clock) -> None:
    ledger = Ledger(tmp_path / STORE_NAME, clock)
    assert (ledger.receipts_of(["1"]), ledger.placed("tashkent", NOON)) == ([], [])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("damage", ["numbers = '['", "request = ''", "pid = 'x'", "exit_code = 'x'"])
def test_a_damaged_receipt_is_named(tmp_path: Path, clock: Clock, damage: str) -> None:
    ledger = Ledger(tmp_path / STORE_NAME, clock)
    code = ledger.intend(an_intent())
    with ledger.database.writing() as connection:
        connection.execute(f"UPDATE receipt SET {damage}")
    with pytest.raises(UsageError) as error:
        ledger.receipts()
    assert error.value.message == f"{tmp_path / STORE_NAME} is damaged: receipt {code} cannot be read"
    assert error.value.detail.startswith(("not JSON", "a row has values of other types"))


@pytest.mark.soak
def test_ids_and_receipts_of_processes_at_once_are_all_different(store_place: Callable[[str], Path | str]) -> None:
    script = (
        "import sys; from datetime import UTC, datetime; from pathlib import Path; from types import SimpleNamespace\n"
        "from alovoice_cli.stores.ledger import Ledger\n"
        "place = sys.argv[1] if '://' in sys.argv[1] else Path(sys.argv[1])\n"
        "ledger = Ledger(place, lambda: datetime(2025, 1, 1, tzinfo=UTC))\n"
        "what = dict(profile='p', command='c', method='POST', path='/', numbers=(), our_id='', request={})\n"
        "sys.stdin.readline()\n"
        "print(*(ledger.make_id() + ' ' + ledger.intend(SimpleNamespace(**what)) for _ in range(10)))\n"
    )
    path, count = store_place(STORE_NAME), min(10, rounds(4))
    words = [sys.executable, "-c", script, str(path)]
    askers = [subprocess.Popen(words, stdin=-1, stdout=-1, text=True) for _ in range(count)]
    for asker in askers:  # every one is up and waiting by the time the first is let go
        assert asker.stdin is not None
        asker.stdin.write("go\n")
        asker.stdin.flush()
    said = " ".join(asker.communicate(timeout=60)[0] for asker in askers).split()
    assert [asker.returncode for asker in askers] == [0] * count
    assert len(said) == len(set(said)) == count * 10 * 2
    assert len(Ledger(path, lambda: NOON).receipts()) == count * 10


def test_what_a_killed_process_intended_is_there_and_unknown(store_place: Callable[[str], Path | str]) -> None:
    script = (
        "import sys; from datetime import UTC, datetime; from pathlib import Path; from types import SimpleNamespace\n"
        "from alovoice_cli.stores.ledger import Ledger\n"
        "place = sys.argv[1] if '://' in sys.argv[1] else Path(sys.argv[1])\n"
        "ledger = Ledger(place, lambda: datetime.now(UTC))\n"
        "what = dict(profile='p', command='c', method='POST', path='/', numbers=('1',), our_id='', request={})\n"
        "while True: print(ledger.intend(SimpleNamespace(**what)), flush=True)\n"
    )
    path = store_place(STORE_NAME)
    promised = []
    for _ in range(3):
        writer = subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=-1, text=True)
        assert writer.stdout is not None
        promised.append(writer.stdout.readline().strip())
        time.sleep(random.uniform(0, 0.05))
        writer.kill()
        promised += [line for line in writer.communicate()[0].split("\n") if line.startswith("R-")]
    kept = {entry.receipt: entry.outcome for entry in Ledger(path, lambda: NOON).receipts()}
    assert set(promised) <= kept.keys()
    assert set(kept.values()) == {"unknown"}


@pytest.mark.parametrize("damage", ["header", "middle", "all", "cut"])
def test_a_damaged_ledger_refuses_and_is_not_replaced(tmp_path: Path, clock: Clock, damage: str) -> None:
    path = tmp_path / "state" / STORE_NAME
    ledger = Ledger(path, clock)
    for _ in range(60):
        ledger.intend(an_intent())
    content = bytearray(path.read_bytes())
    start, end = {"header": (0, 100), "middle": (100, len(content)), "all": (0, len(content)), "cut": (0, 0)}[damage]
    content[start:end] = bytes(random.Random(7).randbytes(end - start))
    path.write_bytes(content if damage != "cut" else content[:5000])
    left = path.read_bytes()
    with pytest.raises(UsageError, match=re.escape(str(path))) as caught:
        ledger.intend(an_intent())
    assert "move it to another place" in caught.value.hint
    assert path.read_bytes() == left


@needs_strace
def test_the_intent_is_synced_before_its_receipt_is_given(tmp_path: Path) -> None:
    script = (
        "import os, sys; from datetime import UTC, datetime; from pathlib import Path\n"
        "from types import SimpleNamespace\n"
        "from alovoice_cli.stores.ledger import Ledger\n"
        "what = dict(profile='p', command='c', method='POST', path='/', numbers=('1',), our_id='', request={})\n"
        "ledger = Ledger(Path(sys.argv[1]), lambda: datetime.now(UTC))\n"
        "ledger.make_id()\n"
        "os.write(1, b'BEGUN'); ledger.intend(SimpleNamespace(**what)); os.write(1, b'GIVEN')\n"
    )
    trace = tmp_path / "trace"
    command = [
        "strace",
        "-f",
        "-y",
        "-e",
        "trace=fdatasync,fsync,write",
        "-o",
        str(trace),
        sys.executable,
        "-c",
        script,
    ]
    done = subprocess.run([*command, str(tmp_path / "ledger.db")], capture_output=True, timeout=60, check=False)
    assert done.stdout == b"BEGUNGIVEN", done.stderr
    _, _, between = trace.read_text().partition("BEGUN")
    assert re.search(r"f(?:data)?sync\(\d+<[^>]*ledger\.db-wal>\) += 0", between.partition("GIVEN")[0])
