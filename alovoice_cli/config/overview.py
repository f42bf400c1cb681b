"""All profiles at a glance, each as it would be in force by its own settings alone."""

from alovoice_cli.config.paths import Paths
from alovoice_cli.config.profiles import SANDBOX, read_config
from alovoice_cli.config.settings import Flags, known_profiles, resolve


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
