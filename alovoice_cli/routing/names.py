"""Reads what rules refer to by name: `[lists]` and `[hours]`."""

from pathlib import Path

from alovoice_cli.routing.clauses import Reading, check_keys, read_days, read_numbers, toml_of
from alovoice_cli.routing.days import Days
from alovoice_cli.routing.findings import did_you_mean
from alovoice_cli.routing.hours import (
    HOUR_FORMS,
    AnyHours,
    HolidayHours,
    Holidays,
    Hours,
    country_problem,
    make_hours,
    parse_windows,
)
from alovoice_cli.routing.lists import Source, read_list, stamp_of
from alovoice_cli.routing.located import Entry
from alovoice_cli.routing.numbers import NumberSet

_LIST_FORMS = 'write vip = "vip.csv", vip = ["901234567", "99871*"] or vip = { file = "clients.csv", column = "phone" }'
_HOLIDAYS = "holidays"


def read_lists(entry: Entry | None, path: Path, sources: list[Source], reading: Reading) -> None:
    """The lists, their files looked for beside `path`; each file is added to the sources."""
    if entry is None:
        return
    if not isinstance(entry.value, dict):
        reading.bad(entry, "`lists` is no table", "write [lists] and a line for each list")
        return
    reading.known_lists = frozenset(entry.table)
    found = {name: _list(inner, path, sources, reading) for name, inner in entry.table.items()}
    reading.lists = {name: numbers for name, numbers in found.items() if numbers is not None}


def _list(entry: Entry, path: Path, sources: list[Source], reading: Reading) -> NumberSet | None:
    if isinstance(entry.value, list):
        return _inline(entry, reading)
    file, column = entry, None
    if isinstance(entry.value, dict):
        check_keys(entry, ("file", "column"), "a list", reading.findings)
        file, column = entry.table.get("file", entry), entry.table.get("column")
    if not isinstance(file.value, str) or not file.value:
        reading.bad(file, "the list is neither a file nor an array of numbers", _LIST_FORMS)
        return None
    wanted = str(column.value) if column is not None else None
    return _file(file, file.value, path.parent / file.value, wanted, sources, reading)


def _file(
    entry: Entry, shown: str, path: Path, column: str | None, sources: list[Source], reading: Reading
) -> NumberSet | None:
    try:
        numbers, source = read_list(path, str(path), column, reading.findings)
    except (OSError, ValueError) as error:
        sources.append(Source(path, stamp_of(path)))
        reason = getattr(error, "strerror", None) or str(error)
        hint = "its path is taken from the folder of the rules file"
        reading.bad(entry, f"the list {shown!r} cannot be read: {reason}", hint, "list-file")
        return None
    sources.append(source)
    if not len(numbers):
        message = f"the list {shown!r} holds no number"
        reading.findings.warning("empty-list", entry.place, message, "rules that ask for it never match")
    return numbers


def _inline(entry: Entry, reading: Reading) -> NumberSet:
    if not entry.items:
        reading.findings.warning("empty-list", entry.place, "the list is empty", "rules that ask for it never match")
    return read_numbers(entry.items, reading, "", 'write "901234567", "+998901234567" or "99890*"')


def read_hours(entry: Entry | None, reading: Reading) -> None:
    """The hours, with the holidays on which all of them are shut."""
    if entry is None:
        return
    if not isinstance(entry.value, dict):
        reading.bad(entry, "`hours` is no table", 'write [hours] and a line such as office = ["Mon-Fri 09:00-18:00"]')
        return
    table = entry.table
    reading.known_hours = frozenset(table)
    holidays = _holidays(table[_HOLIDAYS], reading) if _HOLIDAYS in table else Holidays()
    found: dict[str, AnyHours] = {
        name: _named_hours(name, inner, holidays, reading) for name, inner in table.items() if name != _HOLIDAYS
    }
    if _HOLIDAYS in table:
        found[_HOLIDAYS] = HolidayHours(holidays)
    reading.hours = found


def _named_hours(name: str, entry: Entry, holidays: Holidays, reading: Reading) -> Hours:
    windows = []
    lines = entry.items if isinstance(entry.value, list) else [entry]
    if not lines:
        reading.bad(entry, f"the hours {name!r} are empty: they are never open", HOUR_FORMS)
    for line in lines:
        found = parse_windows(line.value) if isinstance(line.value, str) else None
        if found is None:
            reading.bad(line, f"{toml_of(line)} are no hours", HOUR_FORMS)
        else:
            windows += found
    return make_hours(name, windows, holidays)


def _holidays(entry: Entry, reading: Reading) -> Holidays:
    countries: list[str] = []
    days = Days()
    for item in entry.items if isinstance(entry.value, list) else [entry]:
        text = item.value
        if isinstance(text, str) and text[:1].isalpha():
            problem = country_problem(text)
            if problem is None:
                countries.append(text)
            else:
                hint = problem or did_you_mean(text.upper(), ["UZ", "KZ", "KG", "TJ", "TM", "RU"], "countries: ")
                reading.bad(item, f"the holidays of {text!r} are not known", hint, "unknown-name")
        else:
            days |= read_days([item], reading, "the holiday")
    return Holidays(days, countries)
