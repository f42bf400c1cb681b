"""The key figures of generated days equal a second computation, by other formulas, of what was told to the store."""

from datetime import datetime

from event_rows import Rows
from expected_kpi import Account, moment
from generated_days import DAY, DAYS, FIRST, ZONE, GeneratedDays

from alovoice_cli.events.filters import Filter, Period
from alovoice_cli.events.kpi import KpiSettings
from alovoice_cli.moments import ClockTime
from alovoice_cli.stores.events import EventStore


def test_generated_days_have_the_figures_of_a_second_computation(store_url: str) -> None:
    world = GeneratedDays(seed=20_261_123)
    rows = Rows(store_url)
    rows.store([event for *_, event in sorted(world.events, key=lambda told: told[:2])])
    store = EventStore(rows.url)
    clock = ClockTime(datetime.fromtimestamp(FIRST + (DAYS + 1) * DAY, ZONE), ZONE)
    verdicts = set()
    for day in range(DAYS):
        since, until = FIRST + day * DAY + 7 * 3600 - day * 60, FIRST + day * DAY + (8 + day % 5) * 3600 - day * 13
        told = store.kpi(Filter(Period(since * 1_000_000, until * 1_000_000)), KpiSettings(), clock).as_json()
        assert told.pop("period") == {"since": moment(since), "until": moment(until)}
        assert told.pop("settings")
        wanted = Account(world, since, until).figures()
        assert told == wanted, day
        verdicts.add(wanted["duration_test"]["verdict"])
    assert verdicts == {"talk", "total", "unclear", "too_few"}
