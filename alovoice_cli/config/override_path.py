"""Where a profile's override is kept: one rule for `route override`, `listen` and `status`."""

from pathlib import Path

from alovoice_cli.config.profiles import DEFAULT
from alovoice_cli.config.settings import Settings


def override_path(settings: Settings) -> Path:
    """The file in the state directory; it need not exist."""
    name = "override.json" if settings.profile == DEFAULT else f"override-{settings.profile}.json"
    return settings.paths.state / name
