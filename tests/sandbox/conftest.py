"""A sandbox in this process, with a clock that the test moves."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from alovoice_cli.sandbox.opening import EMBEDDED_URL, Sandbox, open_sandbox
from alovoice_cli.sandbox.scenario import data

TOKEN = "22dfbb22-d073-4422-b322-22949d14a022"


@dataclass
class Mounted:
    """A PBX, and what a client may ask of it."""

    path: Path
    now: datetime = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)  # 09:00 in Tashkent, a Monday
    faults: str = ""
    seed: int | None = None
    speed: float = 60
    sandbox: Sandbox = field(init=False)

    def __post_init__(self) -> None:
        self.reopen()

    def reopen(self) -> None:
        self.sandbox = open_sandbox(
            self.path, token=TOKEN, speed=self.speed, seed=self.seed, faults=self.faults, now=lambda: self.now
        )

    def wait(self, **virtual: float) -> None:
        """Lets so much virtual time pass for what was made at the mount's speed."""
        self.now += timedelta(**virtual) / self.speed

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """One request with the bearer token; `{token}` in the path is filled in."""
        headers = {"Authorization": f"Bearer {TOKEN}", **more.pop("headers", {})}

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.sandbox.app)
            async with httpx.AsyncClient(transport=transport, base_url=EMBEDDED_URL) as client:
                return await client.request(method, path.format(token=TOKEN), headers=headers, **more)

        return asyncio.run(send())

    def get(self, path: str, **more: Any) -> Any:
        """The JSON that a GET answers."""
        return self.ask("GET", path, **more).json()

    def create(self, *, record: bytes | None = None, recipients: bytes | None = None, **fields: Any) -> httpx.Response:
        """A campaign of today, 18:00 to 20:59, three lines, but for what is said; a field that is None is left out."""
        texts = {
            "name": "Eslatma",
            "from": "2026.03.02",
            "to": "2026.03.02",
            "fromtime": "18:00",
            "totime": "20:59",
            "trunks": "712037006",
            "maxline": "3",
            **fields,
        }
        sound = data("announcement.mp3").read_bytes() if record is None else record
        numbers = data("recipients.csv").read_bytes() if recipients is None else recipients
        files = {"record": ("a.mp3", sound, "audio/mpeg"), "recipients": ("r.csv", numbers, "text/csv")}
        sent = {name: text for name, text in texts.items() if text is not None}
        return self.ask("POST", "/mapi/addAutorule", data=sent, files=files)


@pytest.fixture
def pbx(tmp_path: Path) -> Mounted:
    """A PBX on a Monday morning at nine, in Tashkent."""
    return Mounted(tmp_path / "state" / "sandbox.db")


@pytest.fixture(scope="module")
def shared_pbx(tmp_path_factory: pytest.TempPathFactory) -> Mounted:
    """One PBX for a whole module, for tests that only look at answers."""
    return Mounted(tmp_path_factory.mktemp("shared") / "sandbox.db")
