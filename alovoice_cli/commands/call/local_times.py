"""Times of receipts and batches on a terminal, in the profile's time zone; scripts get them in UTC."""

from collections.abc import Collection
from datetime import datetime, tzinfo
from functools import partial

from alovoice_cli.language import tr
from alovoice_cli.output.listing import Column
from alovoice_cli.session import Session


def local_text(zone: tzinfo, value: object) -> str:
    """Returns an ISO 8601 moment as text in the zone, to the second or, if it has none, to the minute; '' for none."""
    if not value:
        return ""
    local = datetime.fromisoformat(str(value).replace("Z", "+00:00")).astimezone(zone)
    return f"{local:%Y-%m-%d %H:%M}" if str(value).count(":") == 1 else f"{local:%Y-%m-%d %H:%M:%S}"


def local_columns(session: Session, columns: tuple[Column, ...], names: Collection[str]) -> tuple[Column, ...]:
    """Returns the columns; on a terminal those with these names show moments in the profile's time zone."""
    words = partial(local_text, session.clock.zone)
    return tuple(column._replace(words=words) if column.name in names else column for column in columns)


def note_zone(session: Session) -> None:
    """Says the time zone of the times, where a terminal shows them."""
    options = session.options
    if session.stdout.isatty() and not (options.json or options.csv):
        session.note(tr("times are in the profile's time zone, {zone}", zone=session.settings.timezone))
