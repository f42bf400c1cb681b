"""The same campaign once: several starts at once, starts that died, lost answers, and an older version's campaigns."""

import json
import signal
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import islice
from pathlib import Path

import pytest
from front_door import TOKEN, FrontDoor
from raw_server import Connection, RawServer

pytestmark = pytest.mark.usefixtures("profile_store")

MP3 = Path(__file__).parents[2] / "alovoice_cli" / "sandbox" / "scenarios" / "announcement.mp3"
CREATE = (
    *("autorule", "create", "--record", "promo.mp3", "--recipients", "clients.csv"),
    *("--from", "tomorrow", "--to", "+3d", "--fromtime", "10:00", "--totime", "19:59", "--trunks", "712037006"),
    *("--night-ok", "--yes"),
)
NAMED = (*CREATE, "--name", "Куз oʻ")
SECONDS = 30


class SlowPbx:
    """Answers an upload when it is told to; `uploads` counts them."""

    def __init__(self) -> None:
        self.may_answer, self.is_read = threading.Event(), threading.Event()
        self.status, self.body = "200 OK", b'{"id": 124, "status": "new"}'
        self.all_have_begun = threading.Barrier(1)
        self.server = RawServer([self._serve])

    @property
    def uploads(self) -> int:
        return len(self.server.effects)

    def _serve(self, connection: Connection) -> None:
        while (seen := connection.read()) is not None:
            if seen.target.endswith("getMyTrunks"):
                self.all_have_begun.wait(SECONDS)
                connection.answer("200 OK", b'["712037006"]')
                continue
            self.is_read.set()
            self.may_answer.wait(SECONDS)
            if not self.body:
                connection.reset()
                return
            connection.answer(self.status, self.body)


@pytest.fixture
def pbx(alovoice: FrontDoor) -> Iterator[SlowPbx]:
    slow = SlowPbx()
    alovoice.environ |= {"ALOVOICE_BASE_URL": slow.server.url, "ALOVOICE_TOKEN": TOKEN}
    (alovoice.home / "promo.mp3").write_bytes(MP3.read_bytes())
    (alovoice.home / "clients.csv").write_text("998901234567\n998912345678\n", "utf-8")
    yield slow
    slow.may_answer.set()
    slow.server.stop()


def _ended(process: subprocess.Popen[bytes]) -> tuple[int, str]:
    _, told = process.communicate(timeout=SECONDS)
    return process.returncode, told.decode()


@pytest.mark.parametrize("names", [["one"] * 4, ["one", "two"]], ids=["identical", "beyond the limit"])
def test_of_several_creates_at_once_one_uploads(alovoice: FrontDoor, pbx: SlowPbx, names: list[str]) -> None:
    if len(names) == 2:
        alovoice("config", "set", "max_campaigns_per_day", "1")
    pbx.all_have_begun = threading.Barrier(len(names))  # what is checked before the upload is checked by all at once
    started = [alovoice.start(*CREATE, "--name", name) for name in names]
    with ThreadPoolExecutor(len(names)) as pool:
        ends = [pool.submit(_ended, process) for process in started]
        assert pbx.is_read.wait(SECONDS)
        losers = islice(as_completed(ends, SECONDS), len(names) - 1)
        assert 0 not in [end.result()[0] for end in losers], "those who lose wait for nobody"
        pbx.may_answer.set()
        told = [end.result() for end in ends]
    assert sorted(code for code, _ in told) == [0, *[8] * (len(names) - 1)], told
    assert pbx.uploads == 1


def test_a_create_that_died_counts_as_perhaps_created(alovoice: FrontDoor, pbx: SlowPbx) -> None:
    process = alovoice.start(*NAMED)
    assert pbx.is_read.wait(SECONDS)
    meanwhile = alovoice(*NAMED)
    assert (meanwhile.code, f"process {process.pid} is creating" in meanwhile.err) == (8, True), meanwhile.err
    process.send_signal(signal.SIGKILL)
    _ended(process)
    pbx.may_answer.set()
    refused = alovoice(*NAMED)
    assert (refused.code, pbx.uploads) == (8, 1)
    for said in ("may have created it", "web console", "Куз oʻ", "--allow-duplicate", "receipt R-"):
        assert said in refused.err
    assert alovoice(*NAMED, "--allow-duplicate").code == 0


def test_after_a_lost_answer_the_refusal_says_that_it_may_be_there_and_how_to_find_out(
    alovoice: FrontDoor, pbx: SlowPbx
) -> None:
    pbx.may_answer.set()
    pbx.body = b""
    lost = alovoice(*NAMED, "--json")
    assert lost.code == 6
    (receipt,) = json.loads(alovoice("call", "receipts", "list", "--json").out)
    refused = alovoice(*NAMED, "--json")
    error = json.loads(refused.err.splitlines()[-1])["error"]
    assert (refused.code, error["sent"], pbx.uploads) == (8, "no", 1)
    assert "may have been created" in error["message"]
    assert receipt["receipt"] in error["message"]
    assert "web console" in error["hint"]


def test_a_refused_create_and_one_that_never_left_give_their_claim_back(alovoice: FrontDoor, pbx: SlowPbx) -> None:
    alovoice("config", "set", "max_campaigns_per_day", "1")
    pbx.may_answer.set()
    pbx.status, pbx.body = "400 Bad Request", b'{"error": "no"}'
    assert alovoice(*NAMED).code == 1
    alovoice.environ["ALOVOICE_BASE_URL"] = "http://localhost:1"
    assert alovoice(*NAMED, "--timeout", "1").code == 5
    alovoice.environ["ALOVOICE_BASE_URL"] = pbx.server.url
    pbx.status, pbx.body = "200 OK", b'{"id": 124}'
    assert alovoice(*NAMED).code == 0
    assert alovoice(*NAMED, "--allow-duplicate").code == 8
    assert alovoice(*NAMED, "--allow-duplicate", "--override-limit", "max_campaigns_per_day").code == 0


@pytest.mark.parametrize("name", ["Куз oʻ", None], ids=["named", "unnamed"])
def test_the_campaigns_of_a_version_without_their_own_file_still_guard(
    alovoice: FrontDoor, pbx: SlowPbx, name: str | None
) -> None:
    words = CREATE if name is None else NAMED
    pbx.may_answer.set()
    assert alovoice(*words).code == 0
    for ending in ("", "-wal", "-shm"):
        (alovoice.home / "state" / f"campaigns.db{ending}").unlink(missing_ok=True)
    refused = alovoice(*words)
    assert (refused.code, pbx.uploads) == (8, 1), refused.err
    assert "created within the last 24 hours: 124" in refused.err
    assert [row["id"] for row in json.loads(alovoice("autorule", "list", "--json").out)] == ["124"]
    alovoice("config", "set", "max_campaigns_per_day", "1")
    assert alovoice(*words, "--allow-duplicate").code == 8
    assert alovoice(*words, "--tryes", "4", "--override-limit", "max_campaigns_per_day").code == 0
