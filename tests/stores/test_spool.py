"""The spool: what a crash or a damaged disk leaves of it."""

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spool_lines import DAMAGED_LINES

from alovoice_cli.events.answers import new_id
from alovoice_cli.events.event import Delivery
from alovoice_cli.events.event_assembly import LateAnswer
from alovoice_cli.stores.spool import ListenerUptime, Spool


def _delivery(body: bytes = b"{}") -> Delivery:
    return Delivery(new_id(time.time_ns() // 1_000_000), "callend", time.time_ns() // 1000, body, query="a=1")


@pytest.mark.parametrize("cut", [0, 1, 40])
def test_a_torn_spool_gives_what_is_whole(tmp_path: Path, cut: int) -> None:
    spool = Spool(tmp_path / "spool.jsonl")
    first, second = _delivery(b"\xff\x00"), _delivery()
    spool.append([first])
    content = spool.path.read_bytes()
    spool.append([second])
    whole = spool.path.read_bytes()
    spool.path.write_bytes(whole[: len(whole) - cut] if cut else whole)
    assert spool.read().deliveries[0] == first
    assert len(spool.read().deliveries) == (2 if cut in (0, 1) else 1)
    spool.append([second])
    assert spool.read().deliveries[-1] == second
    assert content in whole


@pytest.mark.parametrize("kind", DAMAGED_LINES)
def test_a_line_that_no_store_takes_is_unreadable(tmp_path: Path, kind: str) -> None:
    spool = Spool(tmp_path / "spool.jsonl")
    spool.path.write_bytes(DAMAGED_LINES[kind] + b"\n")
    read = spool.read()
    assert (read.unreadable, read.deliveries, read.answers, read.uptimes) == (1, [], [], [])


@given(junk=st.binary(max_size=60), place=st.integers(0, 10**6), length=st.integers(0, 60))
def test_any_damage_leaves_the_other_lines_and_is_counted(
    tmp_path_factory: pytest.TempPathFactory, junk: bytes, place: int, length: int
) -> None:
    spool = Spool(tmp_path_factory.getbasetemp() / "spool-damaged.jsonl")
    spool.end(0)
    first, hit, last = (_delivery(b"%d" % number) for number in range(3))
    answer = LateAnswer(first.id, {"id": "ўз"}, rule="night", call_id=first.id, asked="t", is_answered=True)
    uptime = ListenerUptime("a", 1, 2)
    spool.append([first], [answer], [uptime])
    start = spool.size + 1  # the next line's, after a line break
    spool.append([hit])
    end = spool.size - 1  # its own line break stays
    spool.append([last])
    content = spool.path.read_bytes()
    place = start + place % (end - start)
    damaged = content[:place] + junk + content[min(place + length, end) :]
    spool.path.write_bytes(damaged)
    read = spool.read()
    assert (read.deliveries[0], read.deliveries[-1]) == (first, last)
    assert (read.answers[:1], read.uptimes[:1]) == ([answer], [uptime])
    is_whole = hit in read.deliveries or len(read.deliveries) > 2
    assert is_whole or read.unreadable
    assert read.size == len(damaged)
