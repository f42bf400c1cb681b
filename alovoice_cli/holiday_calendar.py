"""The public holidays of countries, by the library `holidays`; only the needed countries are imported."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any

_COUNTRIES = "holidays.countries"


def country_holidays(
    code: str, years: Iterable[int], *, part: str | None = None, language: str | None = None
) -> Mapping[date, str]:
    """Returns the holidays of a country (`UZ`) or of its part in these years, each with its name."""
    found: Mapping[date, str] = _library().country_holidays(code, subdiv=part, years=years, language=language)
    return found


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
