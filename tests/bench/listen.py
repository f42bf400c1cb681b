"""Events and questions a second through `listen`, beside uvicorn alone; and with the events in PostgreSQL."""

import json
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from measuring import BARE_SERVER, PROGRAM, Row, environment, flood, in_turns, ratio, started
from postgres_server import Cluster, running_cluster

TITLE = "Listener"
ABOUT = (
    "What `wrk` counts with so many senders on kept connections, each event a callend of its own, each synced to the "
    "disk before its answer; in turns, the median of three. Floor: uvicorn alone, on the same loop, which answers the "
    "same and keeps nothing; of a store in PostgreSQL on the same disk: the store in a file."
)
_SENDERS = (1, 8, 64)
_ROUNDS, _SECONDS = 3, 3.0
_STEP = '{"action_type": "queue", "action_data": "6000"}'
_EVENTS = """
local count = 0
function request()
  count = count + 1
  local body = string.format('{"call_id": "%d", "finish_time": 1716209468, "duration": 42, "status_code": 200, '
    .. '"record": "https://cld.alovoice.uz/r/1"}', count)
  return wrk.format("POST", nil, {["Content-Type"] = "application/json"}, body)
end
"""
_QUESTIONS = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"from_number": "+998901234567", "line_number": "712037006", "direction": "inc"}'
"""
_Flood = tuple[float, float]


def rows(size: float) -> Iterator[Row]:
    """Yields events with 1, 8 and 64 senders, then route questions; raises SystemExit without wrk."""
    if not shutil.which("wrk"):
        raise SystemExit("wrk is not installed")
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        cluster = stack.enter_context(running_cluster(durable=True))
        for senders in _SENDERS:
            yield from _events(home, cluster, senders, _SECONDS * size)
        yield _questions(home, 64, _SECONDS * size)


def _events(home: Path, cluster: Cluster, senders: int, seconds: float) -> Iterator[Row]:
    script = home / "events.lua"
    script.write_text(_EVENTS)

    def stored(place: Callable[[], str]) -> _Flood:
        words = [*PROGRAM, "listen", "--port", "0", "--json", "--store", place()]
        return _measured(home, words, "callend", senders, seconds, script)

    files = (f"sqlite:///{home}/events-{senders}-{turn}.db" for turn in range(_ROUNDS))
    found = in_turns(
        _ROUNDS,
        {
            "bare": partial(_bare, home, "true", senders, seconds, script),
            "file": partial(stored, partial(next, files)),
            "server": partial(stored, cluster.database),
        },
    )
    who = f"{senders} sender{'s' * (senders > 1)}"
    file, bare, server = (_median(found[name]) for name in ("file", "bare", "server"))
    yield _row(who, "`listen`", "events", file, bare)
    yield _row(who, "`listen --store postgresql://…`", "events", server, file)


def _questions(home: Path, senders: int, seconds: float) -> Row:
    script = home / "questions.lua"
    script.write_text(_QUESTIONS)
    words = [*PROGRAM, "listen", "--port", "0", "--json", "--fallback", "queue:6000"]
    runs = {
        "bare": partial(_bare, home, _STEP, senders, seconds, script),
        "file": partial(_measured, home, words, "route", senders, seconds, script),
    }
    found = in_turns(_ROUNDS, runs)
    command = "`listen --fallback queue:6000`"
    return _row(f"{senders} senders", command, "questions", _median(found["file"]), _median(found["bare"]))


def _bare(home: Path, answer: str, senders: int, seconds: float, script: Path) -> _Flood:
    with started([sys.executable, "-c", BARE_SERVER, answer], environment(home), home) as (_, url):
        return flood(url, senders, seconds, script)


def _measured(home: Path, words: Sequence[str], kind: str, senders: int, seconds: float, script: Path) -> _Flood:
    with started(words, environment(home), home) as (_, ready):
        return flood(json.loads(ready)["urls"][kind], senders, seconds, script)


def _median(floods: Sequence[_Flood]) -> _Flood:
    return statistics.median(rate for rate, _ in floods), statistics.median(slow for _, slow in floods)


def _row(who: str, command: str, what: str, own: _Flood, floor: _Flood) -> Row:
    measured = f"{own[0]:,.0f} {what} a second, 99 of 100 answered within {own[1]:.1f} ms"
    return Row(who, command, measured, f"{floor[0]:,.0f} a second, {floor[1]:.1f} ms", ratio(own[0], floor[0]))
