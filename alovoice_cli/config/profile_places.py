"""What belongs to a profile: its event store, its file of override switches, and the list of all profiles."""

from pathlib import Path

from alovoice_cli.config.paths import Paths
from alovoice_cli.config.profiles import DEFAULT, SANDBOX, read_config
from alovoice_cli.config.settings import Flags, Settings, known_profiles, resolve


def event_store_url(settings: Settings, flag: str | None) -> str:
    """The store's URL: `--store`, else the profile's `store`, else a file of the profile's own in the state directory.

    Either may be `sqlite:///FILE` or a path alone; `~` is the home directory of `settings.paths`.
    """
    named = flag or settings.store
    if named is None:
        name = "events.db" if settings.profile == DEFAULT else f"events-{settings.profile}.db"
        return f"sqlite:///{settings.paths.state / name}"
    return str(home_path(settings.paths, named)) if named.startswith("~") else named


def home_path(paths: Paths, text: str) -> Path:
    """The path; `~/` at its beginning is the home directory."""
    if paths.home is not None and text.startswith(("~/", "~\\")):
        return paths.home / Path(text[2:])
    return Path(text)


def override_path(settings: Settings) -> Path:
    """The file in the state directory; it need not exist."""
    name = "override.json" if settings.profile == DEFAULT else f"override-{settings.profile}.json"
    return settings.paths.state / name


def list_profiles(paths: Paths, current: str) -> list[dict[str, object]]:
    """A row a profile: its settings by their names, `token_from`, and whether it is the `current` one.

    Raises BadConfigError when config.toml cannot be understood.
    """
    rows: list[dict[str, object]] = []
    for name in known_profiles(read_config(paths.config_file), paths):
        settings = resolve(Flags(profile=name), {}, paths, paths.config)
        rows.append(
            {
                "profile": name,
                "current": name == current,
                "base_url": settings.base_url,
                "token_from": "the sandbox's own" if name == SANDBOX else settings.token_source() or None,
                "encoding": settings.encoding,
                "timezone": settings.timezone,
                "timeout": settings.timeout,
                "trunks": list(settings.trunks),
                "store": settings.store,
                "insecure": settings.insecure,
                "require_profile": settings.require_profile,
            }
        )
    return rows
