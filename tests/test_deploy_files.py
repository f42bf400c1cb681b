"""The files in deploy/: a container that writes in one place, and nginx before it."""

import json
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
import yaml
from front_door import FrontDoor
from waiting import wait_until

from alovoice_cli.config.listen_options import listen_values
from alovoice_cli.events.deployment import nginx_location, nginx_shared_location, nginx_upstream

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
        wait_until(ready.exists, "the ready file")
        port = json.loads(ready.read_text())["admin"].rpartition(":")[2]
        words = [sys.executable, *(word.replace("9187", port) for word in health[1:])]
        assert health[0] == "python"
        assert subprocess.run(words, capture_output=True, check=False).returncode == 0
    finally:
        process.terminate()
        process.wait(60)
    assert subprocess.run(words, capture_output=True, check=False).returncode == 1


def _compose(name: str = "compose.yaml") -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((DEPLOY / name).read_text("utf-8"))
    return read


LISTENERS = {"compose.single.yaml": ("listener",), "compose.yaml": ("listener-1", "listener-2")}


@pytest.mark.parametrize("name", LISTENERS)
def test_compose_lets_nginx_alone_be_reached_and_each_write_nothing_but_its_own(name: str) -> None:
    compose = _compose(name)
    services = compose["services"]
    assert [service for service, about in services.items() if "ports" in about] == ["nginx"]
    assert services["nginx"]["ports"] == ["443:443"]
    state = _environment()["ALOVOICE_STATE_DIR"]
    places = []
    for listener in (services[own] for own in LISTENERS[name]):
        assert listener["cap_drop"] == ["ALL"]
        assert listener["security_opt"] == ["no-new-privileges:true"]
        ((volume, place),) = (text.split(":") for text in listener["volumes"])
        places.append(volume)
        assert place == state
        build = DEPLOY / listener["build"]["context"] / listener["build"]["dockerfile"]
        assert build.resolve() == DEPLOY / "Dockerfile"
    assert len(set(places)) == len(places), "each listener has its own spool"
    for service in (services["nginx"], *(services[own] for own in LISTENERS[name])):
        assert service["read_only"] is True
        assert service["restart"] == "unless-stopped"
    named = {volume.split(":")[0] for about in services.values() for volume in about.get("volumes", ())}
    assert set(compose["volumes"]) == {volume for volume in named if not volume.startswith(".")}
    assert set(compose["secrets"]) == {secret for about in services.values() for secret in about.get("secrets", ())}


def test_one_listener_has_its_history_in_a_file() -> None:
    compose = _compose("compose.single.yaml")
    assert set(compose["volumes"]) == {"events"}
    assert compose["services"]["nginx"]["depends_on"] == {"listener": {"condition": "service_healthy"}}


@pytest.mark.parametrize("name", LISTENERS)
def test_compose_gives_listeners_options_that_they_know(name: str) -> None:
    services = _compose(name)["services"]
    for own in LISTENERS[name]:
        given = listen_values(services[own]["environment"])
        assert given["secret"] == "@/run/secrets/path_secret"
        assert given["trusted-proxy"] == (services["nginx"]["networks"]["pbx"]["ipv4_address"],)
        assert given["admin"] == "0.0.0.0:9187", "from the same port as the health check's"


def test_two_listeners_name_a_server_whose_password_is_in_no_url() -> None:
    compose = _compose()
    services, postgres = compose["services"], compose["services"]["postgres"]
    user, database = postgres["environment"]["POSTGRES_USER"], postgres["environment"]["POSTGRES_DB"]
    for own in LISTENERS["compose.yaml"]:
        environment = services[own]["environment"]
        assert listen_values(environment)["store"] == f"postgresql://{user}@postgres/{database}"
        assert environment["PGPASSFILE"] == "/run/secrets/pgpass"
        assert "pgpass" in services[own]["secrets"]
    assert postgres["environment"]["POSTGRES_PASSWORD_FILE"] == "/run/secrets/db_password"
    assert "db_password" in postgres["secrets"]
    text = (DEPLOY / "compose.yaml").read_text("utf-8")
    (line,) = re.findall(r"printf '(.*)\\n'", text)
    assert line == f"postgres:5432:{database}:{user}:%s", "as libpq looks for it"
    assert not re.search(r"(?i)[^b]_?password: [^.]", text), "secrets are in files"


def test_the_secrets_are_made_as_compose_says(tmp_path: Path) -> None:
    text = (DEPLOY / "compose.yaml").read_text("utf-8")
    lines = [line.removeprefix("#").strip() for line in text.splitlines() if line.startswith("#     ")]
    made = "; ".join(lines).replace("chown 10001 ", "true ")  # only root may give them away
    subprocess.run(["/bin/sh", "-euc", made], cwd=tmp_path, check=True, capture_output=True)
    password = (tmp_path / "db_password").read_text().strip()
    assert (tmp_path / "pgpass").read_text() == f"postgres:5432:pbx:alovoice:{password}\n"
    assert (len(password), (tmp_path / "pgpass").stat().st_mode & 0o777) == (48, 0o400)
    assert {path.name for path in tmp_path.iterdir()} == set(_compose()["secrets"])


def test_the_image_has_the_driver_of_the_server() -> None:
    assert "'/source[postgres]'" in DOCKERFILE


def _indented(text: str) -> str:
    return textwrap.indent(text, "    ", lambda line: bool(line.strip()))


def test_nginx_has_what_the_program_prints(tmp_path: Path) -> None:
    one = (DEPLOY / "nginx.single.conf").read_text("utf-8")
    assert _indented(nginx_location("listener", 8787)) in one
    two = (DEPLOY / "nginx.conf").read_text("utf-8")
    services = _compose()["services"]
    addresses = [services[own]["networks"]["pbx"]["ipv4_address"] for own in LISTENERS["compose.yaml"]]
    assert nginx_upstream([(address, 8787) for address in addresses]) in two
    assert _indented(nginx_shared_location()) in two
    if NGINX is None or shutil.which("openssl") is None:
        pytest.skip("nginx or openssl is missing")
    made = (
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
    )
    key, certificate = tmp_path / "privkey.pem", tmp_path / "fullchain.pem"
    subprocess.run([*made, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    for text in (one, two):
        # The name of the container is known in its network alone, and the port is root's.
        here = text.replace("http://listener:", "http://127.0.0.1:").replace("listen 443", "listen unix:https.sock")
        here = here.replace("/etc/nginx/tls", str(tmp_path))
        (tmp_path / "nginx.conf").write_text(
            f"pid nginx.pid; events {{}}\nhttp {{ access_log off;\n{here}}}\n", "utf-8"
        )
        words = [NGINX, "-t", "-p", f"{tmp_path}/", "-c", "nginx.conf", "-e", "error.log"]
        tested = subprocess.run(words, capture_output=True, text=True, check=False)
        assert tested.returncode == 0, tested.stderr
