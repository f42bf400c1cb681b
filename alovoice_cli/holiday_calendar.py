"""The public holidays of countries, by the library `holidays`; only the needed countries are imported."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any

from alovoice_cli.language import joined, mark, tr

_COUNTRIES = "holidays.countries"
ESTIMATED = "estimated"
"""Marks, in a holiday's English name, the day of a lunar holiday that is not announced yet."""
_UZBEK_HOLIDAYS = (
    mark("Additional day off by Presidential decree"),
    mark("Constitution Day"),
    mark("Day of Memory and Honor"),
    mark("Eid al-Adha"),
    mark("Eid al-Fitr"),
    mark("Independence Day"),
    mark("New Year's Day"),
    mark("Nowruz"),
    mark("Teachers and Instructors Day"),
    mark("Women's Day"),
)
"""The library's English names; it has no Russian ones."""


def country_holidays(
    code: str, years: Iterable[int], *, part: str | None = None, language: str | None = None
) -> Mapping[date, str]:
    """Returns the holidays of a country (`UZ`) or of its part in these years, each with its name."""
    found: Mapping[date, str] = _library().country_holidays(code, subdiv=part, years=years, language=language)
    return found


def holiday_text(name: str) -> str:
    """Returns the name of Uzbek holidays, as the library has it in English, in the operator's language."""
    return joined("; ", map(_one_holiday_text, name.split("; ")))


def _one_holiday_text(name: str) -> str:
    plain, _, remark = name.rstrip(")").partition(" (")
    if remark.startswith("substituted from "):
        return tr("day off instead of another day")
    text = tr(plain) if plain in _UZBEK_HOLIDAYS else plain
    if remark and ESTIMATED in remark:
        return tr("{holiday} (estimated)", holiday=text)
    return tr("{holiday} (day off)", holiday=text) if remark else text


def known_countries() -> Sequence[str]:
    """Returns the country codes of the library."""
    return list(_library().registry.EntityLoader.get_country_codes())


def parts_of(code: str) -> Sequence[str]:
    """Returns the codes of a country's parts."""
    return list(getattr(_library(), code).subdivisions)


def library_version() -> str:
    """Returns the version of the library, which dates its data."""
    from importlib.metadata import version  # noqa: PLC0415 - this import takes as long as the whole library

    return version("holidays")


def _library() -> Any:
    if "holidays" not in sys.modules:
        # The library's version loads the metadata of all packages (1.3 times `python -c pass`): see library_version.
        sys.modules["holidays.version"] = unread = ModuleType("holidays.version")
        unread.__dict__["__version__"] = ""
    # The package of countries imports all 250 (0.15 of 0.35 s): here it is a bare package, whose modules the library's
    # own loader imports one by one.
    if _COUNTRIES not in sys.modules and (spec := find_spec(_COUNTRIES)) is not None:
        sys.modules[_COUNTRIES] = module_from_spec(spec)
    import holidays

    return holidays
