"""`listen --print-systemd` and `--print-nginx`: what they print is what systemd and nginx take, and it works."""

import contextlib
import http.client
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from front_door import TOKEN, FrontDoor

from .conftest import Listening

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is neither systemd nor nginx")
NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/bin")
CONFIGURATION = """\
daemon off; pid nginx.pid; error_log error.log; worker_processes 1;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
  server {{ listen 127.0.0.1:{port}; {location} }}
}}
"""


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


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
        (["--print-systemd", "--print-nginx"], "a file each"),
        (["--print-systemd", "--sign-secret", "whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQ="], "--sign-secret @FILE"),
        (["--print-systemd", "--fallback", "nowhere"], "is no step"),
        (["--print-nginx", "--port", "0"], "nginx must know the port"),
        (["--print-nginx", "--allow-from", "x"], "is no network"),
    ],
)
def test_a_line_that_could_not_run_for_good_is_not_printed(alovoice: FrontDoor, words: list[str], said: str) -> None:
    result = alovoice("listen", *words)
    assert (result.code, result.out) == (2, "")
    assert said in result.err


def test_nginx_shows_the_way_to_the_port_and_under_the_path_that_the_line_names(alovoice: FrontDoor) -> None:
    plain = alovoice("listen", "--print-nginx", "--host", "0.0.0.0", "--port", "9001")
    assert (plain.code, plain.err) == (0, "")
    assert "\nlocation /h/ {\n    proxy_pass http://127.0.0.1:9001;\n" in plain.out
    assert "\nlocation / {\n" in alovoice("listen", "--print-nginx", "--secret", "none").out


@pytest.fixture
def behind_nginx(
    alovoice: FrontDoor, listen: Callable[..., Listening], tmp_path: Path
) -> Iterator[tuple[Listening, int]]:
    """A listener, and the port of an nginx before it."""
    words = ["--port", str(free_port()), "--trusted-proxy", "127.0.0.1/32", "--allow-from", "127.0.0.2"]
    location = alovoice("listen", *words, "--print-nginx").out
    listening, port = listen(*words), free_port()
    (tmp_path / "nginx.conf").write_text(CONFIGURATION.format(port=port, location=location), "utf-8")
    words = [str(NGINX), "-p", f"{tmp_path}/", "-c", "nginx.conf", "-e", "error.log"]
    with subprocess.Popen(words, stderr=subprocess.DEVNULL) as nginx:
        try:
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                    break
                time.sleep(0.02)
            yield listening, port
        finally:
            nginx.terminate()


@pytest.mark.skipif(NGINX is None, reason="nginx is missing")
def test_a_delivery_through_nginx_has_its_senders_own_address(behind_nginx: tuple[Listening, int]) -> None:
    listening, port = behind_nginx
    path = "/h/" + listening.urls["callend"].partition("/h/")[2]

    def post(address: str, headers: dict[str, str]) -> tuple[int, bytes]:
        sender = http.client.HTTPConnection("127.0.0.1", port, timeout=10, source_address=(address, 0))
        with contextlib.closing(sender):
            sender.request("POST", path, '{"call_id": "Ғ"}'.encode(), headers)
            answer = sender.getresponse()
            return answer.status, answer.read()

    assert post("127.0.0.2", {"X-Forwarded-For": "192.0.2.9"}) == (200, b"true")
    assert post("127.0.0.3", {"X-Forwarded-For": "127.0.0.2"})[0] == 403
    assert listening.event()["body"] == {"call_id": "Ғ"}
    assert listening.lines.empty()


def test_the_words_of_the_line_are_the_commands_own(alovoice: FrontDoor) -> None:
    """What is printed can be read again by the program: the unit's line, with --print-nginx behind it."""
    unit = alovoice("listen", "--print-systemd", "--port", "9002", "--json").out
    words = unit.partition("ExecStart=")[2].splitlines()[0].split()[3:]
    assert words == ["listen", "--port", "9002", "--json"]
    assert "127.0.0.1:9002" in alovoice(*words, "--print-nginx").out
