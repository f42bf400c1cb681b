"""The files in deploy/: a container that writes in one place, and nginx before it."""

import json
import re
import shutil
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from front_door import FrontDoor

from alovoice_cli.config.listen_options import listen_values
from alovoice_cli.events.deployment import nginx_location

DEPLOY = Path(__file__).parent.parent / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text("utf-8").replace("\\\n", "")
NGINX = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/bin")


def _instructions(word: str) -> list[str]:
    return [line.partition(" ")[2].strip() for line in DOCKERFILE.splitlines() if line.startswith(f"{word} ")]


def _environment() -> dict[str, str]:
    (line,) = _instructions("ENV")
    return dict(pair.split("=", 1) for pair in line.split())


def test_the_container_is_no_roots_and_says_where_it_writes() -> None:
    first, last = _instructions("FROM")
    assert first.endswith(":3.13-slim AS build")
    assert last.endswith("-slim")
    assert _instructions("USER") == ["10001"]
    assert _instructions("VOLUME") == [_environment()["ALOVOICE_STATE_DIR"]]
    assert _environment()["ALOVOICE_CONFIG_DIR"].startswith(_environment()["ALOVOICE_STATE_DIR"])
    assert (json.loads(_instructions("ENTRYPOINT")[0]), json.loads(_instructions("CMD")[-1])) == (
        ["alovoice"],
        ["listen"],
    )
    assert listen_values(_environment()) == {"host": "0.0.0.0", "admin": "127.0.0.1:9187", "log-format": "json"}


def test_what_the_image_is_built_from_is_in_its_context() -> None:
    lines = (DEPLOY / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
    taken = {line.removeprefix("!") for line in lines if line.startswith("!")}
    assert lines[0] == "*"
    assert all((DEPLOY.parent / name).exists() for name in taken)
    project = (DEPLOY.parent / "pyproject.toml").read_text("utf-8")
    assert {"pyproject.toml", "README.md", "LICENSE", "alovoice_cli"} <= taken
    assert {
        name.partition("/")[0] for name in re.findall(r'^"([^"]+)" = "(?:share|alovoice_cli)/', project, re.M)
    } <= taken


def test_the_health_check_follows_readiness(alovoice: FrontDoor, tmp_path: Path) -> None:
    health = json.loads(DOCKERFILE.partition("HEALTHCHECK")[2].partition("CMD ")[2].splitlines()[0])
    ready = tmp_path / "ready"
    process = alovoice.start(
        "listen", "--port", "0", "--admin", "0", "--ready-file", str(ready), streams=subprocess.DEVNULL
    )
    try:
        _wait_for(ready.exists)
        port = json.loads(ready.read_text())["admin"].rpartition(":")[2]
        words = [sys.executable, *(word.replace("9187", port) for word in health[1:])]
        assert health[0] == "python"
        assert subprocess.run(words, capture_output=True, check=False).returncode == 0
    finally:
        process.terminate()
        process.wait(60)
    assert subprocess.run(words, capture_output=True, check=False).returncode == 1


def _wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _compose() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
    return read


def test_compose_lets_nginx_alone_be_reached_and_both_write_nothing_but_their_own() -> None:
    compose = _compose()
    listener, nginx = compose["services"]["listener"], compose["services"]["nginx"]
    assert "ports" not in listener
    assert nginx["ports"] == ["443:443"]
    for service in (listener, nginx):
        assert service["read_only"] is True
        assert service["restart"] == "unless-stopped"
    assert listener["cap_drop"] == ["ALL"]
    assert listener["security_opt"] == ["no-new-privileges:true"]
    assert listener["volumes"] == ["events:" + _environment()["ALOVOICE_STATE_DIR"]]
    assert (DEPLOY / listener["build"]["context"] / listener["build"]["dockerfile"]).resolve() == DEPLOY / "Dockerfile"
    assert nginx["depends_on"] == {"listener": {"condition": "service_healthy"}}
    assert set(compose["volumes"]) == {"events"}
    assert set(compose["secrets"]) == set(listener["secrets"])


def test_compose_gives_the_listener_options_that_it_knows() -> None:
    services = _compose()["services"]
    given = listen_values(services["listener"]["environment"])
    assert given["secret"] == "@/run/secrets/path_secret"
    assert given["trusted-proxy"] == (services["nginx"]["networks"]["pbx"]["ipv4_address"],)
    assert given["admin"] == "0.0.0.0:9187", "from the same port as the health check's"


def test_its_nginx_has_the_location_that_the_program_prints(tmp_path: Path) -> None:
    server = (DEPLOY / "nginx.conf").read_text("utf-8")
    assert textwrap.indent(nginx_location("listener", 8787), "    ", lambda line: bool(line.strip())) in server
    if NGINX is None or shutil.which("openssl") is None:
        pytest.skip("nginx or openssl is missing")
    made = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-subj",
        "/CN=a",
    ]
    key, certificate = tmp_path / "privkey.pem", tmp_path / "fullchain.pem"
    subprocess.run([*made, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    # The name of the container is known in its network alone, and the port is root's.
    here = server.replace("http://listener:", "http://127.0.0.1:").replace("listen 443", "listen unix:https.sock")
    here = here.replace("/etc/nginx/tls", str(tmp_path))
    (tmp_path / "nginx.conf").write_text(f"pid nginx.pid; events {{}}\nhttp {{ access_log off;\n{here}}}\n", "utf-8")
    words = [NGINX, "-t", "-p", f"{tmp_path}/", "-c", "nginx.conf", "-e", "error.log"]
    tested = subprocess.run(words, capture_output=True, text=True, check=False)
    assert tested.returncode == 0, tested.stderr
