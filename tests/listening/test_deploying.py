"""`listen --print-systemd` and `--print-nginx`: what they print is what systemd and nginx take, and it works."""

import contextlib
import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from front_door import TOKEN, FrontDoor
from ports import free_port

from .conftest import Listening

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is neither systemd nor nginx")
NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/bin")
CONFIGURATION = """\
{user}daemon off; pid nginx.pid; error_log error.log info; worker_processes 1;
events {{ worker_connections 64; }}
http {{
  access_log access.log; error_log http-error.log debug;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
  server {{
    listen 127.0.0.1:{port} ssl; ssl_certificate cert.pem; ssl_certificate_key key.pem;
    {location}
  }}
}}
"""


def test_the_unit_runs_this_very_line_without_the_option_and_without_the_token(
    alovoice: FrontDoor, tmp_path: Path
) -> None:
    words = ["-p", "sandbox", "listen", "--print-systemd", "--exec", "callend=sh -c 'echo $1 100%'", "--quiet"]
    result = alovoice(*words, environ={"ALOVOICE_TOKEN": TOKEN})
    assert (result.code, result.err) == (0, "")
    (command,) = (line for line in result.out.splitlines() if line.startswith("ExecStart="))
    program = f"{sys.executable} -m alovoice_cli"
    assert command == f"ExecStart={program} -p sandbox listen --exec \"callend=sh -c 'echo $$1 100%%'\" --quiet"
    assert f"\nWorkingDirectory={alovoice.home}\n" in result.out
    assert f'\nEnvironment="ALOVOICE_STATE_DIR={alovoice.home / "state"}"\n' in result.out
    assert "\nUser=" in result.out
    assert TOKEN not in result.out
    assert not (alovoice.home / "state" / "events.db").exists()
    if shutil.which("systemd-analyze"):
        unit = tmp_path / "alovoice.service"
        unit.write_text(result.out, "utf-8")
        done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
        assert "alovoice.service" not in done.stderr, done.stderr


def test_the_unit_names_the_program_as_it_was_started(alovoice: FrontDoor) -> None:
    program = Path(sys.executable).with_name("alovoice")
    if not program.exists():
        pytest.skip("the program is not installed beside its interpreter")
    done = alovoice.run_shell(["sh", "-c", f"cd {program.parent.parent} && bin/alovoice listen --print-systemd -q"])
    assert f"\nExecStart={program} listen -q\n" in done.stdout.decode()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--print-systemd", "--print-nginx"], "cannot be used together"),
        (["--print-systemd", "--sign-secret", "whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQ="], "--sign-secret @FILE"),
        (["--print-systemd", "--secret=very-secret-1234"], "--secret @FILE"),
        (["--print-systemd", "--forward-header", "Authorization: Bearer abc"], "--forward-header @FILE"),
        (["--print-systemd", "--fallback", "nowhere"], "is not a step"),
        (["--print-nginx", "--port", "0"], "nginx needs a fixed port"),
        (["--print-nginx", "--allow-from", "x"], "is not a valid network"),
    ],
)
def test_a_line_that_could_not_run_for_good_is_not_printed(alovoice: FrontDoor, words: list[str], said: str) -> None:
    result = alovoice("listen", *words)
    assert (result.code, result.out) == (2, "")
    assert said in result.err


def test_a_unit_gets_secrets_as_credentials_and_places_of_its_own(alovoice: FrontDoor) -> None:
    for name, text in (("path", "very-secret-1234"), ("sign", "whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQ=")):
        (alovoice.home / name).write_text(text)
    del alovoice.environ["ALOVOICE_STATE_DIR"]
    words = [
        "listen",
        "--secret=@path",
        "--print-systemd",
        "--exec",
        "true",
        "--port",
        "443",
        "--store",
        "/srv/ev/a.db",
    ]
    variables = {"ALOVOICE_LISTEN_SIGN_SECRET": f"@{alovoice.home}/sign", "ALOVOICE_LISTEN_FALLBACK": "queue:6000"}
    result = alovoice("-p", "sandbox", *words, environ=variables)
    assert result.code == 0, result.err
    lines = result.out.splitlines()
    credentials = "/run/credentials/alovoice-sandbox.service"
    program = f"{sys.executable} -m alovoice_cli -p sandbox"
    expected = [
        f"ExecStart={program} listen --secret=@{credentials}/secret-2 --exec true --port 443 --store /srv/ev/a.db",
        f"LoadCredential=sign-secret:{alovoice.home}/sign",
        f"LoadCredential=secret-2:{alovoice.home}/path",
        f'Environment="ALOVOICE_LISTEN_SIGN_SECRET=@{credentials}/sign-secret"',
        'Environment="ALOVOICE_LISTEN_FALLBACK=queue:6000"',
        'Environment="ALOVOICE_LISTEN_READY_FILE=/run/alovoice-sandbox/ready"',
        'Environment="ALOVOICE_STATE_DIR=/var/lib/alovoice"',
        "EnvironmentFile=-/etc/alovoice/alovoice-sandbox.env",
        "StateDirectory=alovoice",
        "RuntimeDirectory=alovoice-sandbox",
        "WatchdogSec=30",
        'ReadWritePaths="-/srv/ev"',
        "AmbientCapabilities=CAP_NET_BIND_SERVICE",
    ]
    assert [line for line in expected if line not in lines] == []
    assert "MemoryDenyWriteExecute" not in result.out
    assert "very-secret" not in result.out
    assert "whsec_" not in result.out
    assert "export ALOVOICE_STATE_DIR=/var/lib/alovoice" in result.err
    refused = alovoice("listen", "--print-systemd", environ={"ALOVOICE_LISTEN_SECRET": "very-secret-1234"})
    assert (refused.code, refused.out) == (2, "")


@pytest.mark.parametrize("url", ["https://crm.example/in?key=very-secret", "call=http://me:very-secret@127.0.0.1/"])
def test_a_unit_holds_no_key_of_a_target(alovoice: FrontDoor, url: str) -> None:
    for words, environ in ((["--forward", url], {}), ([], {"ALOVOICE_LISTEN_FORWARD": url})):
        refused = alovoice("listen", "--print-systemd", *words, environ=environ)
        assert (refused.code, refused.out) == (2, "")
        assert "very-secret" not in refused.err
    alovoice("config", "set", "listen.forward", "https://crm.example/in?key=very-secret")
    kept = alovoice("listen", "--print-systemd")
    assert (kept.code, "very-secret" in kept.out) == (0, False)


def test_nginx_shows_the_way_to_the_port_and_under_the_path_that_the_line_names(alovoice: FrontDoor) -> None:
    plain = alovoice("listen", "--print-nginx", "--host", "0.0.0.0", "--port", "9001")
    assert (plain.code, plain.err) == (0, "")
    assert "\nlocation /h/ {\n    proxy_pass http://127.0.0.1:9001;\n" in plain.out
    assert "\nlocation / {\n" in alovoice("listen", "--print-nginx", "--secret", "none").out
    shared = alovoice("listen", "--print-nginx", "--port", "9001", "--store", "postgresql://me@db/pbx")
    assert (shared.code, "upstream alovoice {\n    server 127.0.0.1:9001 max_fails=0;\n}\n" in shared.out) == (0, True)
    assert "    proxy_pass http://alovoice;\n" in shared.out


@dataclass
class Nginx:
    """A real nginx with TLS before a listener, both of its logs on, and what it may write in."""

    listening: Listening
    port: int
    folder: Path

    def connect(self, address: str = "127.0.0.2") -> ssl.SSLSocket:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=30, source_address=(address, 0))
        return context.wrap_socket(plain)

    def say(self, text: bytes, address: str = "127.0.0.2") -> tuple[int, bytes]:
        """The status and the body of the answer to a whole request."""
        with self.connect(address) as connection:
            connection.sendall(text)
            answer = http.client.HTTPResponse(connection)
            answer.begin()
            return answer.status, answer.read()

    def post(self, kind: str, body: bytes, address: str = "127.0.0.2", headers: str = "") -> tuple[int, bytes]:
        path = "/h/" + self.listening.urls[kind].partition("/h/")[2]
        head = f"POST {path} HTTP/1.1\r\nHost: pbx\r\nConnection: close\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
        return self.say(head.encode() + body, address)


@pytest.fixture
def nginx(alovoice: FrontDoor, listen: Callable[..., Listening], tmp_path: Path) -> Iterator[Nginx]:
    words = ["--port", str(free_port()), "--trusted-proxy", "127.0.0.1/32", "--allow-from", "127.0.0.2"]
    words += ["--fallback", "queue:6000"]
    location = alovoice("listen", *words, "--print-nginx").out
    listening, port = listen(*words), free_port()
    user = "user root; " if os.geteuid() == 0 else ""  # else its worker could not write in this test's folder
    (tmp_path / "nginx.conf").write_text(CONFIGURATION.format(user=user, port=port, location=location), "utf-8")
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    files = ["-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "cert.pem")]
    subprocess.run([*made, "-subj", "/CN=pbx", *files], check=True, capture_output=True)
    program = [str(NGINX), "-p", f"{tmp_path}/", "-c", "nginx.conf", "-e", "error.log"]
    tested = subprocess.run([*program, "-t"], capture_output=True, text=True, check=False)
    assert tested.returncode == 0, tested.stderr
    with subprocess.Popen(program, stderr=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                    break
                time.sleep(0.02)
            yield Nginx(listening, port, tmp_path)
        finally:
            process.terminate()


@pytest.mark.skipif(NGINX is None or shutil.which("openssl") is None, reason="nginx or openssl is missing")
def test_nginx_with_tls_passes_all_on_and_writes_the_secret_nowhere(nginx: Nginx) -> None:
    listening = nginx.listening
    secret = listening.urls["route"].split("/")[-2].encode()
    assert nginx.post("callend", '{"call_id": "Ғ"}'.encode(), headers="X-Forwarded-For: 192.0.2.9\r\n") == (
        200,
        b"true",
    )
    assert nginx.post("callend", b"{}", "127.0.0.3", "X-Forwarded-For: 127.0.0.2\r\n")[0] == 403
    assert listening.event()["body"] == {"call_id": "Ғ"}
    for size in (100_000, 3 << 20):  # within the listener's limit, and over it
        status, step = nginx.post("route", b'{"from_number": "974244100", "x": "' + b"x" * size + b'"}')
        assert (status, json.loads(step)["action_data"]) == (200, "6000")
    path = b"/h/" + secret + b"/callend"
    assert nginx.say(b"POST " + path + b" HTTP/1.1\r\n\r\n")[0] == 400
    assert nginx.say(b"POST " + path + b" HTTP/1.1\r\nHost: a\r\nbad header\r\n\r\n")[0] in (400, 411)
    assert nginx.say(b"POST " + path + b"x" * 9_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n")[0] == 414
    assert nginx.say(b"POST " + path + b" HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n")[0] == 413
    assert nginx.say(b"POST " + path + b" HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n")[0] == 400
    with socket.create_connection(("127.0.0.1", nginx.port), timeout=30) as plain:
        plain.sendall(b"POST " + path + b" HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b" 400 " in plain.recv(1000)
    with nginx.connect() as leaving:  # in the middle of its body
        leaving.sendall(b"POST " + path + b" HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{")
    listening.stop()
    assert nginx.post("callend", b"{}")[0] == 502
    logs = {file.name: file.read_bytes() for file in nginx.folder.rglob("*.log")}
    assert {"access.log", "error.log", "http-error.log"} <= set(logs)
    assert [name for name, text in logs.items() if secret in text] == []


def test_the_words_of_the_line_are_the_commands_own(alovoice: FrontDoor) -> None:
    """What is printed can be read again by the program: the unit's line, with --print-nginx behind it."""
    unit = alovoice("listen", "--print-systemd", "--port", "9002", "--json").out
    words = unit.partition("ExecStart=")[2].splitlines()[0].split()[3:]
    assert words == ["listen", "--port", "9002", "--json"]
    assert "127.0.0.1:9002" in alovoice(*words, "--print-nginx").out
