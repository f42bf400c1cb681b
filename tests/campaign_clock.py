"""The day and the zone by which the tests read a campaign's clock."""

from datetime import date

from alovoice_cli.moments import parse_zone

TODAY = date(2026, 3, 30)
TASHKENT = parse_zone("Asia/Tashkent")
