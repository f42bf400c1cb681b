"""Which event store a run reads or fills: one rule for `listen`, `events` and `route`."""

from pathlib import Path

from alovoice_cli.config.profiles import DEFAULT
from alovoice_cli.config.settings import Settings


def event_store_url(settings: Settings, flag: str | None) -> str:
    """The store's URL: `--store`, else the profile's `store`, else a file of the profile's own in the state directory.

    Either may be `sqlite:///FILE` or a path alone; `~` is the home directory of `settings.paths`.
    """
    named = flag or settings.store
    if named is None:
        name = "events.db" if settings.profile == DEFAULT else f"events-{settings.profile}.db"
        return f"sqlite:///{settings.paths.state / name}"
    home = settings.paths.home
    if home is not None and named.startswith(("~/", "~\\")):
        return str(home / Path(named[2:]))
    return named
