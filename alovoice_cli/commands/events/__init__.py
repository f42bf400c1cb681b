"""`alovoice events`: the events that the PBX sent to the listener, the only history of calls."""

from collections.abc import Mapping

from alovoice_cli.events.statistics import By
from alovoice_cli.language import mark

GROUP_TITLES: Mapping[By, str] = {
    "hour": mark("Hour"),
    "day": mark("Day"),
    "weekday": mark("Weekday"),
    "line": mark("Line"),
    "peer": mark("Extension"),
    "number": mark("Number"),
    "status": mark("Status"),
    "rule": mark("Rule"),
}
"""The heading of the groups' names in `events stats`, by the value of --by."""
