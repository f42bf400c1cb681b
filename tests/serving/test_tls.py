"""TLS: its files are judged before anything is bound, and its handshake has the request's deadline."""

import shutil
import socket
import ssl
import subprocess
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from http_talk import GET, Receive, Scope, Send, answer, counting, one_answer, post, status_of

from alovoice_cli.errors import UsageError
from alovoice_cli.serving.server import SocketServer

from .conftest import Serving

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificates")
SOON = timedelta(seconds=0.4)


def openssl(*words: Any) -> None:
    subprocess.run(["openssl", *words], check=True, capture_output=True)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A certificate for 127.0.0.1, its key, a stranger's key, and its key locked by a password."""
    room = tmp_path_factory.mktemp("tls")
    made = {name: str(room / f"{name}.pem") for name in ("certificate", "key", "other", "locked")}
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    openssl("req", "-x509", *curve, *name, "-keyout", made["key"], "-out", made["certificate"])
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-out", made["other"])
    openssl("pkey", "-in", made["key"], "-aes128", "-passout", "pass:secret", "-out", made["locked"])
    return made


@pytest.fixture
def client(files: dict[str, str]) -> Any:
    return ssl.create_default_context(cafile=files["certificate"])


@pytest.fixture
def secure(serving: Serving, files: dict[str, str]) -> Any:
    return lambda app, **limits: serving(app, tls=(files["certificate"], files["key"]), **limits)


def shaken(client: ssl.SSLContext, running: Any) -> Any:
    return client.wrap_socket(socket.create_connection(running.address, timeout=60), server_hostname="127.0.0.1")


def test_a_request_over_tls_is_answered_and_the_connection_used_again(secure: Serving, client: ssl.SSLContext) -> None:
    async def scheme(scope: Scope, receive: Receive, send: Send) -> None:
        await answer(send, 200, "{} {}".format(scope["scheme"], scope["client"][0]).encode())

    running = secure(scheme)
    assert running.server.url.startswith("https://127.0.0.1:")
    with shaken(client, running) as connection:
        for _ in range(3):
            connection.sendall(post(b"abc", close=False))
            one_answer(connection, b"\r\n\r\nhttps 127.0.0.1")


def test_large_bodies_and_answers_pass_and_the_cap_holds(secure: Serving, client: ssl.SSLContext) -> None:
    running = secure(counting, body_bytes=1_000_000)
    for length, status in ((1_000_000, 200), (2_000_000, 413)):
        with shaken(client, running) as connection:
            connection.sendall(post(b"x" * length))
            assert status_of(running.rest(connection)) == status


@pytest.mark.parametrize("said", [b"", b"\x16\x03\x01\x02\x00\x01"])
def test_a_silent_handshake_is_closed_at_the_deadline(secure: Serving, said: bytes) -> None:
    running = secure(counting, request_deadline=SOON)
    began = time.perf_counter()
    with running.connected(said) as connection:
        assert running.rest(connection) == b""
    assert time.perf_counter() - began > 0.3


def test_plain_http_and_rubbish_get_no_answer_and_no_line(
    secure: Serving, client: ssl.SSLContext, capfd: pytest.CaptureFixture[str]
) -> None:
    running = secure(counting)
    for text in (GET, b"\0" * 100):
        running.say(text)
    with shaken(client, running) as connection:
        connection.sendall(GET)
        assert status_of(running.rest(connection)) == 200
    assert running.complaints == []
    assert capfd.readouterr() == ("", "")


def test_a_reset_gives_no_answer_within_tls_either(secure: Serving, client: ssl.SSLContext) -> None:
    async def resetting(scope: Scope, receive: Receive, send: Send) -> None:
        raise ConnectionResetError

    running = secure(resetting)
    with shaken(client, running) as connection:
        connection.sendall(GET)
        assert running.rest(connection) == b""
    assert running.complaints == []


@pytest.mark.parametrize(
    ("pair", "words"),
    [
        (("absent", "key"), "absent cannot be read: No such file"),
        (("certificate", "absent"), "absent cannot be read: No such file"),
        (("rubbish", "key"), ".*rubbish.pem is not a PEM file"),
        (("key", "key"), ".*key.pem contains no readable certificate"),
        (("certificate", "certificate"), ".*certificate.pem contains no readable private key"),
        (("certificate", "other"), "the key in .*other.pem does not belong to the first certificate in .*certificate"),
        (("certificate", "locked"), "the key file .*locked.pem is protected by a password"),
    ],
)
def test_a_bad_file_is_named_before_the_port_is_taken(
    files: dict[str, str], tmp_path: Path, pair: Any, words: str
) -> None:
    rubbish = tmp_path / "rubbish.pem"
    rubbish.write_bytes(b"\x30\x82 no PEM")
    known = {**files, "absent": "absent", "rubbish": str(rubbish)}
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(UsageError, match=words):
        SocketServer(counting, port=taken.getsockname()[1], tls=(known[pair[0]], known[pair[1]]))
