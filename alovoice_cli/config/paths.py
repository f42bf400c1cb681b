"""Where configuration and state live."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from alovoice_cli.errors import UsageError

_NAME = "alovoice"
_HAS_ITS_OWN_WAY = sys.platform in ("win32", "cygwin", "darwin")

# Elsewhere the XDG rule is short enough to follow here: platformdirs costs 3 ms (a bare interpreter: 9 ms), and reads
# the process's environment only.
if _HAS_ITS_OWN_WAY:
    import platformdirs


class Paths(NamedTuple):
    """The two directories, both absolute; neither needs to exist. `home` ends the search for `.alovoice.toml`."""

    config: Path
    state: Path
    home: Path | None = None

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Paths":
        """`ALOVOICE_CONFIG_DIR` and `ALOVOICE_STATE_DIR`, else what the system holds to be the place.

        Raises UsageError where neither they nor a home directory are known.
        """
        home = _home(environ)
        return cls(
            config=_chosen(environ, "ALOVOICE_CONFIG_DIR") or _standard(environ, home, "config"),
            state=_chosen(environ, "ALOVOICE_STATE_DIR") or _standard(environ, home, "state"),
            home=home,
        )

    @property
    def config_file(self) -> Path:
        """Profiles and defaults: the user's own file, edited by hand too."""
        return self.config / "config.toml"

    @property
    def tokens_file(self) -> Path:
        """Tokens by profile; only this program writes it."""
        return self.config / "tokens.toml"


def _chosen(environ: Mapping[str, str], variable: str) -> Path | None:
    text = environ.get(variable)
    return Path(text).absolute() if text else None


def _home(environ: Mapping[str, str]) -> Path | None:
    # Without HOME (a cron or a service that clears everything) the user database is asked.
    home = Path(environ.get("HOME") or os.path.expanduser("~"))  # noqa: PTH111 - Path.home() raises where nobody knows
    return home if home.is_absolute() else None


def _standard(environ: Mapping[str, str], home: Path | None, kind: str) -> Path:
    if _HAS_ITS_OWN_WAY:
        find = platformdirs.user_config_path if kind == "config" else platformdirs.user_state_path
        return find(_NAME, appauthor=False)
    # A relative path in these variables is to be ignored: XDG Base Directory Specification.
    variable, fallback = {"config": ("XDG_CONFIG_HOME", ".config"), "state": ("XDG_STATE_HOME", ".local/state")}[kind]
    named = Path(environ.get(variable, ""))
    if named.is_absolute():
        return named / _NAME
    if home is None:
        raise UsageError(
            f"no home directory is known to keep the {kind} in",
            hint=f"set HOME, or ALOVOICE_{kind.upper()}_DIR to a directory of yours",
        )
    return home / fallback / _NAME
