"""Opens the simulated PBX over its file, and resets it."""

import re
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from alovoice_cli.errors import UsageError
from alovoice_cli.language import tr
from alovoice_cli.sandbox.app import make_app
from alovoice_cli.sandbox.faults import App, parse_faults
from alovoice_cli.sandbox.pbx import Pbx
from alovoice_cli.sandbox.scenario import shipped
from alovoice_cli.stores.pbx import PbxStore

STATE_NAME = "sandbox.db"
"""The file's name in the state directory."""
EMBEDDED_URL = "http://sandbox.localhost"
"""The base URL of the in-process mount; the app answers any loopback host."""
DEFAULT_SPEED = 60.0
DEFAULT_SEED = 998
_TOKEN = re.compile(r"[^\s/?#%\\\x00-\x20\x7f-\x9f]{1,200}")

MOST_BODY_BYTES = 300 << 20
"""The body limit for a server in front of the app: a campaign's recording may be large."""


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A running PBX: its ASGI app, and its only token; a Switchboard leads the calls of `pbx`."""

    app: App
    token: str
    pbx: Pbx


def open_sandbox(
    path: Path,
    *,
    token: str | None = None,
    speed: float | None = None,
    seed: int | None = None,
    faults: str = "",
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Sandbox:
    """Opens or makes the PBX with this state file.

    Token and seed are made once and kept in the file. A `token` given here is valid for this opening only, a `seed` is
    kept from now on. `speed` is virtual seconds a second, for everything created while this is open. `faults` is a
    `--fault` text. `now` is an aware clock. Raises UsageError for a bad token, fault text, speed or file.
    """
    if token and not _TOKEN.fullmatch(token):
        raise UsageError(tr("a token has up to 200 printable characters, without / ? # % \\ or spaces"))
    ordered = parse_faults(faults)
    pace = DEFAULT_SPEED if speed is None else speed
    if not 0 < pace <= 1_000_000:
        raise UsageError(tr("--speed {value} is not over 0 and up to 1000000", value=pace))
    store = PbxStore(path)
    if seed is not None:
        store.change_setting("seed", str(seed))
    kept_seed = int(store.setting("seed", lambda: str(DEFAULT_SEED)))
    kept_token = token or store.setting("token", lambda: str(uuid.uuid4()))
    pbx = Pbx(store, shipped(), seed=kept_seed, speed=pace, now=now)
    return Sandbox(make_app(pbx, token=kept_token, faults=ordered), kept_token, pbx)


def reset_sandbox(path: Path) -> bool:
    """Resets the PBX but for its token, so that running mounts continue; returns False without a file.

    A file that is no sandbox's is removed: it has nothing worth keeping.
    """
    if not path.exists():
        return False
    try:
        PbxStore(path).clear(keep=("token",))
    except UsageError:
        for suffix in ("", "-wal", "-shm"):
            with suppress(FileNotFoundError):
                path.with_name(path.name + suffix).unlink()
    open_sandbox(path)  # the past campaigns, again
    return True
