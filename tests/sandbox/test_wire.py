"""The sandbox's outer wire: whom it answers, and how it says no."""

from pathlib import Path
from typing import Any

import pytest

from .conftest import Mounted

PATHS = [
    ("POST", "/mapi/addAutorule"),
    ("GET", "/mapi/getAutorule/123"),
    ("GET", "/mapi/getMyTrunks"),
    ("POST", "/requestcall/{token}"),
    ("POST", "/outcall/{token}"),
    ("GET", "/getpeers/{token}"),
    ("GET", "/callsendai/{token}/1"),
    ("GET", "/callgetaireresult/{token}/1"),
    ("GET", "/stereo/1"),
    ("GET", "/nowhere"),
]


@pytest.mark.parametrize(
    "host", ["cld.alovoice.uz", "localhost.evil.example", "192.0.2.1", "", "127.0.0.1.evil", "[::2]:80"]
)
def test_a_host_that_is_not_loopback_is_misdirected(pbx: Mounted, host: str) -> None:
    for method, path in PATHS:
        answer = pbx.ask(method, path, headers={"Host": host})
        assert (answer.status_code, list(answer.json())) == (421, ["error"])


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:80", "sandbox.localhost", "127.8.9.1:99", "[::1]:8080", "[::1]"]
)
def test_every_loopback_host_is_answered(pbx: Mounted, host: str) -> None:
    assert pbx.ask("GET", "/mapi/getMyTrunks", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_every_answer_says_that_it_is_the_sandboxs(pbx: Mounted, method: str, path: str) -> None:
    for answer in (
        pbx.ask(method, path),
        pbx.ask(method, path, headers={"Host": "x.example"}),
        pbx.ask(method, path.replace("{token}", "wrong"), headers={"Authorization": ""}),
        pbx.ask("DELETE", path),
    ):
        assert answer.headers.get_list("x-alovoice-sandbox") == ["1"]


@pytest.mark.parametrize(
    "given", ["", "Bearer", "Bearer ", "Basic {t}", "{t}", "Bearer {t}x", "Bearer қ", "Bearer {t},{t}"]
)
def test_a_bearer_that_is_not_quite_the_token_is_refused(pbx: Mounted, given: Any) -> None:
    value = given.replace("{t}", "22dfbb22-d073-4422-b322-22949d14a022").encode()
    answer = pbx.ask("GET", "/mapi/getMyTrunks", headers={"Authorization": value})
    assert (answer.status_code, list(answer.json())) == (401, ["error"])


@pytest.mark.parametrize("token", ["x", "%E2%98%BA", "%00", "22DFBB22-D073-4422-B322-22949D14A022"])
def test_a_path_that_does_not_hold_the_token_is_refused(pbx: Mounted, token: str) -> None:
    for method, path in PATHS:
        if "{token}" in path:
            assert pbx.ask(method, path.replace("{token}", token)).status_code == 401


def test_what_is_not_there_is_404_and_a_wrong_method_405_both_as_json(pbx: Mounted) -> None:
    assert (pbx.ask("GET", "/").status_code, pbx.ask("GET", "/").json()) == (404, {"error": "Not Found"})
    answer = pbx.ask("GET", "/outcall/{token}")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert list(answer.json()) == ["error"]


def test_the_secrets_of_peers_are_the_seeds_own(pbx: Mounted, tmp_path: Path) -> None:
    other = type(pbx)(tmp_path / "other.db", seed=3)
    ours, theirs = pbx.get("/getpeers/{token}"), other.get("/getpeers/{token}")
    assert [peer["number"] for peer in ours] == [peer["number"] for peer in theirs]
    for key in ("secret", "windowsapp", "mobileqr"):
        assert len({peer[key] for peer in ours + theirs}) == 2 * len(ours)


def test_the_peers_are_those_of_the_documents_samples_some_on_some_off(pbx: Mounted) -> None:
    peers = pbx.get("/getpeers/{token}")
    assert {100, 2000, 2004, 2005, 2424} <= {peer["number"] for peer in peers}
    assert {peer["status"] for peer in peers} == {"on", "off"}
    assert "".join(peer["extnumber"] for peer in peers).isascii() is False
