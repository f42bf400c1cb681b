"""The simulated PBX: its content, and its changes in time.

Time passes per record: a campaign, a call or an analysis begins at its real creation, and lives `speed` virtual seconds
a second from there. So `today` always means today, however old the PBX is, and a campaign's own times (`createdAt`, its
windows, its status) agree with each other.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Protocol

from alovoice_cli.campaigns.dialer_simulation import (
    DialAttempt,
    DialPlan,
    DialStatus,
    People,
    dial,
    finishes_at,
    lot,
    ring,
)
from alovoice_cli.sandbox.autorules import CampaignOrder
from alovoice_cli.sandbox.bodies import Refusal
from alovoice_cli.sandbox.calls import CallOrder
from alovoice_cli.sandbox.scenario import VENDOR_CALL_ID, Scenario, hexadecimal
from alovoice_cli.stores.pbx import AnalysisRow, CallRow, CampaignRow, PbxStore

LOADING_SECONDS = 5
"""Virtual seconds until the recipients are counted and dialling may begin: the answer of `addAutorule` says 0."""
ANALYSIS_SECONDS = 20
"""Virtual seconds from `callsendai` to its result."""

_RECENT_SECONDS = 14 * 86_400
_PEOPLE = People()


class Watcher(Protocol):
    """Receives requested calls and campaigns at once, in the requesting thread."""

    def call_placed(self, row: CallRow, order: CallOrder) -> None: ...
    def campaign_added(self, number: int) -> None: ...


class Pbx:
    """One PBX over one store. Methods are safe in any thread; the wire's dicts are made anew for each answer."""

    def __init__(
        self, store: PbxStore, scenario: Scenario, *, seed: int, speed: float, now: Callable[[], datetime]
    ) -> None:
        self.store = store
        self.scenario = scenario
        self.seed = seed
        self.speed = speed
        self.watcher: Watcher | None = None
        self._now = now
        self._opened_at = float(store.setting("opened_at", lambda: str(self.seconds())))
        store.setting("past_campaigns", self._add_past_campaigns)

    def add_campaign(self, order: CampaignOrder) -> dict[str, object]:
        """Accepts the campaign, and simulates its days to know its end; answers as the server does: 0 recipients."""
        born = self.seconds()
        begins_at, ends = self._life(order, born)
        row = CampaignRow(
            answer=self._answer(order),
            plan=_stored_plan(order.plan),
            recipients=len(order.numbers),
            born=born,
            speed=self.speed,
            begins=begins_at,
            ends=ends,
        )
        number = self.store.add_campaign(row, order.numbers)
        if self.watcher is not None:
            self.watcher.campaign_added(number)
        return _wire_campaign(row._replace(id=number), born)

    def campaign(self, number: int) -> dict[str, object] | None:
        """Returns the campaign's present state; None for an unknown id."""
        row = self.store.campaign(number)
        return None if row is None else _wire_campaign(row, self._virtual(row.born, row.speed))

    def place_call(self, order: CallOrder) -> CallRow:
        """Rings simulated people, and remembers who answered."""
        legs = self.ring_legs(order)
        answered = bool(legs) and legs[-1]["dialstatus"] == DialStatus.ANSWER and len(legs) > bool(order.then)
        row = CallRow(order.kind, order.key, dict(order.request), legs, answered, self.seconds(), self.speed)
        placed = row._replace(id=self.store.add_call(row))
        if self.watcher is not None:
            self.watcher.call_placed(placed, order)
        return placed

    def dialling_campaigns(self) -> list[int]:
        """Returns the ids of the campaigns that still have somebody to call, by their own time."""
        rows = self.store.campaigns_ending()
        return [row.id for row in rows if (row.ends or 0) > self._virtual(row.born, row.speed)]

    def attempts(self, row: CampaignRow, *, is_new: bool) -> Iterator[DialAttempt]:
        """Returns a campaign's attempts, by its own time; unless it is new, without past attempts."""
        loaded = datetime.fromtimestamp(row.born + LOADING_SECONDS, UTC)
        seed = lot(self.seed, "campaign", row.answer["name"])
        since = row.born if is_new else self._virtual(row.born, row.speed)
        attempts = dial(self.store.numbers(row.id), _read_plan(row.plan), seed=seed, people=_PEOPLE, begins=loaded)
        return (attempt for attempt in attempts if attempt.started_at.timestamp() >= since)

    def has_extension(self, number: str) -> bool:
        """Returns whether `getpeers` lists this extension."""
        return any(str(peer["number"]) == number for peer in self.scenario.peers)

    def start_analysis(self, call_id: str) -> dict[str, object]:
        """Starts the analysis of a call, once: asking again answers the same. Raises Refusal (404)."""
        self._check_recorded(call_id)
        row = AnalysisRow(call_id, self._analysis_id(call_id), self.seconds(), self.speed)
        return self._wire_analysis(self.store.start_analysis(row))

    def analysis(self, call_id: str) -> dict[str, object]:
        """Returns the known facts of a call: no `stalk` during the analysis, no `aicallid` without a request."""
        self._check_recorded(call_id)
        row = self.store.analysis(call_id)
        if row is None:
            return {"begin_time": self._begin_time(call_id), "stereoaudio": f"/stereo/{call_id}"}
        answer = self._wire_analysis(row)
        if self._virtual(row.born, row.speed) < row.born + ANALYSIS_SECONDS:
            return answer
        talk = self.scenario.dialogue_for(self.seed, call_id)
        audio = answer.pop("stereoaudio")
        return {**answer, "stalk": talk["stalk"], "tags": talk["tags"], "stereoaudio": audio}

    def talk(self, call_id: str) -> list[dict[str, Any]]:
        """Returns the phrases of a call's recording. Raises Refusal (404)."""
        self._check_recorded(call_id)
        return list(self.scenario.dialogue_for(self.seed, call_id)["stalk"])

    def seconds(self) -> float:
        """Returns the present moment in unix seconds."""
        return self._now().timestamp()

    def _virtual(self, born: float, speed: float) -> float:
        return born + (self.seconds() - born) * speed

    def _life(self, order: CampaignOrder, born: float) -> tuple[float | None, float | None]:
        """Returns a campaign's virtual begin and end; a paused one has neither, a past one only the end."""
        if order.paused:
            return None, None
        loaded = datetime.fromtimestamp(born + LOADING_SECONDS, UTC)
        first = next(order.plan.windows(loaded), None)
        # The name changes the day: people answer another campaign with the same list differently.
        seed = lot(self.seed, "campaign", order.name)
        ends = finishes_at(order.numbers, order.plan, seed=seed, people=_PEOPLE, begins=loaded)
        if first is None or ends is None:
            return None, loaded.timestamp()
        return first[0].timestamp(), ends.timestamp()

    def _answer(self, order: CampaignOrder) -> dict[str, object]:
        plan = order.plan
        return {
            "name": order.name,
            "from": plan.first.isoformat(),
            "to": plan.last.isoformat(),
            "fromtime": plan.opens.isoformat("seconds"),
            "totime": plan.closes.replace(second=59).isoformat("seconds"),
            "trunks": [self.scenario.trunks[number] for number in plan.trunks],
            "record": f"/play/{order.record}",
            "maxline": str(plan.lines),
            "goodtime": str(int(plan.goodtime.total_seconds())),
            "tryes": str(plan.tries),
            "paused": "1" if order.paused else "0",
            "timezone": int(plan.utc_offset.total_seconds()),
        }

    def ring_legs(self, order: CallOrder) -> list[dict[str, object]]:
        """Returns the ringings of a call, one person after the other.

        Repeating the same call (by its key) gets the same answers.
        """
        first = self._ring_leg(order, order.first, 0)
        legs = [first]
        if first["dialstatus"] == DialStatus.ANSWER:
            for place, number in enumerate(order.then, 1):
                legs.append(self._ring_leg(order, number, place))
                if legs[-1]["dialstatus"] == DialStatus.ANSWER:
                    break
        return legs

    def _ring_leg(self, order: CallOrder, number: str, place: int) -> dict[str, object]:
        rung = ring(_PEOPLE, self.seed, order.kind, order.key, number, place)
        status = rung.dialstatus
        if number.startswith("queue ") or (order.kind == "out" and place == 0):
            status = DialStatus.ANSWER  # those who work here pick up
        return {
            "number": number,
            "dialstatus": str(status),
            "ring_seconds": rung.ring_seconds,
            "talk_seconds": rung.talk_seconds if status is DialStatus.ANSWER else 0,
        }

    def _check_recorded(self, call_id: str) -> None:
        """Raises Refusal for an unanswered call.

        Any other id has a recording, because integrators test with their own ids.
        """
        call = None if call_id == VENDOR_CALL_ID else self.store.find_call(call_id)
        if call is not None and not call.answered:
            raise Refusal(404, "this call was not answered: it has no recording")

    def _analysis_id(self, call_id: str) -> str:
        if call_id == VENDOR_CALL_ID:
            return str(self.scenario.vendor_dialogue["aicallid"])
        return hexadecimal(self.seed, "aicallid", call_id)

    def _begin_time(self, call_id: str) -> int:
        if call_id == VENDOR_CALL_ID:
            return int(self.scenario.vendor_dialogue["begin_time"])
        call = self.store.find_call(call_id)
        if call is not None:
            return int(call.born)
        return int(self._opened_at) - lot(self.seed, "begin", call_id) % _RECENT_SECONDS

    def _wire_analysis(self, row: AnalysisRow) -> dict[str, object]:
        return {
            "begin_time": self._begin_time(row.call_id),
            "aicallid": row.aicallid,
            "stereoaudio": f"/stereo/{row.call_id}",
        }

    def _add_past_campaigns(self) -> str:
        for past in self.scenario.campaigns:
            self.store.add_campaign(_past_campaign(past), ())
        return "added"


def _past_campaign(past: Mapping[str, Any]) -> CampaignRow:
    answer = {key: past[key] for key in past if key not in ("id", "recipients", "createdAt", "updatedAt")}
    born = datetime.fromisoformat(past["createdAt"]).timestamp()
    ends = datetime.fromisoformat(past["updatedAt"]).timestamp()
    return CampaignRow(answer, {}, past["recipients"], born, 1.0, ends, ends, id=past["id"])


def _stored_plan(plan: DialPlan) -> dict[str, object]:
    """Returns the plan as JSON, for later dialling."""
    return {
        "first": plan.first.isoformat(),
        "last": plan.last.isoformat(),
        "opens": _minute(plan.opens),
        "closes": _minute(plan.closes),
        "utc_offset_seconds": int(plan.utc_offset.total_seconds()),
        "lines": plan.lines,
        "tries": plan.tries,
        "goodtime_seconds": int(plan.goodtime.total_seconds()),
        "trunks": list(plan.trunks),
    }


def _read_plan(stored: Mapping[str, Any]) -> DialPlan:
    return DialPlan(
        first=date.fromisoformat(stored["first"]),
        last=date.fromisoformat(stored["last"]),
        opens=time.fromisoformat(stored["opens"]),
        closes=time.fromisoformat(stored["closes"]),
        utc_offset=timedelta(seconds=stored["utc_offset_seconds"]),
        lines=stored["lines"],
        tries=stored["tries"],
        goodtime=timedelta(seconds=stored["goodtime_seconds"]),
        trunks=tuple(stored["trunks"]),
    )


def _minute(moment: time) -> str:
    return moment.isoformat("minutes")


def _wire_campaign(row: CampaignRow, virtual: float) -> dict[str, object]:
    """Returns the campaign at a virtual moment, with the keys in the order of the vendor's sample.

    `status` is `new` before the first window opens and for a paused campaign, `running` from then on, also in the
    nights between windows, and `done` when everyone is settled or the last window has closed. Only `new` is documented.
    """
    loaded = row.born + LOADING_SECONDS
    passed = [moment for moment in (loaded, row.begins, row.ends) if moment is not None and moment <= virtual]
    status = "new"
    if row.begins in passed:
        status = "running"
    if row.ends in passed:
        status = "done"
    changing: dict[str, object] = {
        "id": row.id,
        "recipients": row.recipients if loaded <= virtual else 0,
        "status": status,
        "updatedAt": _iso(max(passed, default=row.born)),
        "createdAt": _iso(row.born),
    }
    whole = {**row.answer, **changing}
    return {key: whole[key] for key in _CAMPAIGN_KEYS}


_CAMPAIGN_KEYS = (
    *("id", "name", "from", "to", "fromtime", "totime", "trunks", "record", "recipients", "maxline"),
    *("goodtime", "tryes", "paused", "status", "timezone", "updatedAt", "createdAt"),
)


def _iso(seconds: float) -> str:
    """Returns ISO 8601 in UTC with milliseconds and Z, as in the vendor's samples."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
