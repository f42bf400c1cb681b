"""Which authorities an https server is checked by: SSL_CERT_FILE, SSL_CERT_DIR, the system's hashed folder, certifi."""

import json
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from front_door import FrontDoor

from alovoice_cli.errors import UnreachableError

CERTIFI = "the bundle of certifi"
LINES = b'["712037006"]'


def answer_lines(connection: Any) -> None:
    connection.read()
    connection.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(LINES), LINES))


def _hash_of(certificate: Path) -> str:
    command = ["openssl", "x509", "-hash", "-noout", "-in", str(certificate)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _certificate_for(name: str, folder: Path) -> Path:
    """A self-signed certificate for this name, with its key in one file."""
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"]
    subprocess.run([*command, "-keyout", folder / "key", "-out", folder / "cert"], check=True, capture_output=True)
    both = folder / "both.pem"
    both.write_bytes((folder / "key").read_bytes() + (folder / "cert").read_bytes())
    return both


@pytest.fixture
def folder(tmp_path: Path, certificate: Path) -> Path:
    """A folder that holds the server's authority under its hash."""
    (tmp_path / f"{_hash_of(certificate)}.0").write_bytes(certificate.read_bytes())
    return tmp_path


@pytest.fixture
def of_system(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Makes the folder the system's, with so many other authorities in it."""

    def install(others: int) -> None:
        for number in range(others):
            (folder / f"{number:08x}.0").touch()
        paths = ssl.get_default_verify_paths()._replace(openssl_capath=str(folder))
        monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: paths)

    return install


def test_a_folder_that_ssl_cert_dir_names_is_trusted(serve: Any, client: Any, tls: Any, folder: Path) -> None:
    pbx = client(f"https://localhost:{serve(answer_lines, context=tls).port}", environ={"SSL_CERT_DIR": str(folder)})
    assert pbx.trunks.list() == ["712037006"]
    assert pbx.authorities == str(folder)


def test_the_hashed_folder_of_the_system_is_trusted(
    serve: Any, client: Any, tls: Any, folder: Path, of_system: Callable[[int], None]
) -> None:
    of_system(100)
    pbx = client(f"https://localhost:{serve(answer_lines, context=tls).port}")
    assert pbx.trunks.list() == ["712037006"]
    assert pbx.authorities == str(folder)


def test_a_certificate_for_another_name_is_refused_by_the_system_s_folder_too(
    serve: Any, client: Any, folder: Path, tmp_path_factory: Any, of_system: Callable[[int], None]
) -> None:
    of_system(100)
    other = _certificate_for("other.uz", tmp_path_factory.mktemp("other"))
    (folder / f"{_hash_of(other)}.0").write_bytes(other.read_bytes())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(other)
    server = serve(answer_lines, context=context)
    with pytest.raises(UnreachableError, match="certificate"):
        client(f"https://localhost:{server.port}").trunks.list()
    assert server.requests == []


def test_a_server_whose_authority_is_not_in_the_system_s_folder_is_refused(
    serve: Any, client: Any, tls: Any, folder: Path, certificate: Path, of_system: Callable[[int], None]
) -> None:
    of_system(100)
    (folder / f"{_hash_of(certificate)}.0").unlink()
    server = serve(answer_lines, context=tls)
    with pytest.raises(UnreachableError, match="certificate"):
        client(f"https://localhost:{server.port}").trunks.list()
    assert server.requests == []


def test_a_folder_of_a_few_authorities_does_not_take_the_place_of_the_public_ones(
    serve: Any, client: Any, tls: Any, of_system: Callable[[int], None]
) -> None:
    of_system(10)
    pbx = client(f"https://localhost:{serve(answer_lines, context=tls).port}")
    assert pbx.authorities == CERTIFI
    with pytest.raises(UnreachableError, match="certificate"):
        pbx.trunks.list()


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_the_environment_wins_over_the_system_s_folder(
    name: str, serve: Any, client: Any, tls: Any, tmp_path_factory: Any, of_system: Callable[[int], None]
) -> None:
    of_system(100)
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    if name == "SSL_CERT_FILE":
        elsewhere = _certificate_for("other.uz", elsewhere)
    pbx = client(f"https://localhost:{serve(answer_lines, context=tls).port}", environ={name: str(elsewhere)})
    assert pbx.authorities == str(elsewhere)
    with pytest.raises(UnreachableError, match="certificate"):
        pbx.trunks.list()


def test_a_system_without_a_hashed_folder_is_served_by_certifi(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = ssl.get_default_verify_paths()._replace(openssl_capath="/nowhere/certs")
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: paths)
    assert client("https://pbx.uz").authorities == CERTIFI


def test_status_names_the_authorities(alovoice: FrontDoor, folder: Path, of_system: Callable[[int], None]) -> None:
    of_system(100)
    words = ("status", "--offline", "--json", "--base-url", "https://pbx.uz")
    assert json.loads(alovoice(*words).out)["authorities"] == str(folder)
