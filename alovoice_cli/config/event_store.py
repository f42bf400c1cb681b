"""Where a profile's events are kept."""

from alovoice_cli.config.profiles import DEFAULT
from alovoice_cli.config.settings import Settings


def event_store_url(settings: Settings, flag: str | None) -> str:
    """The store of `--store`, else the profile's own file in the state directory."""
    if flag:
        return flag
    name = "events.db" if settings.profile == DEFAULT else f"events-{settings.profile}.db"
    return str(settings.paths.state / name)
