"""How moments and texts stand in a column."""

from datetime import UTC, datetime


def iso(moment: datetime) -> str:
    """Sortable as text: always microseconds, always UTC."""
    moment = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def storable(text: str) -> str:
    """SQLite takes no lone surrogate, which an argument in a broken encoding holds."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")
