"""A store on a server, as it is named: in the profile, by --store, and where a password must not show."""

import subprocess
import sys
from pathlib import Path

import pytest
from front_door import FrontDoor

SECRET = "hunter2hunter2"
URL = f"postgresql://me:{SECRET}@127.0.0.1:1/db"
STORED = "postgresql://me@db.example.uz/alovoice?sslmode=verify-full"


@pytest.mark.parametrize(
    "url", [URL, f"postgres://h/db?password={SECRET}", f"postgresql://:{SECRET}@/db", f"postgresql://me:{SECRET}@[::1"]
)
def test_a_password_in_a_stored_url_is_refused_with_the_way_to_give_it(alovoice: FrontDoor, url: str) -> None:
    for key in ("store", "listen.store"):
        refused = alovoice("config", "set", key, url)
        assert refused.code == 2
        assert "~/.pgpass" in refused.err
        assert SECRET not in refused.err + refused.out
    refused = alovoice("listen", "--fallback", "hangup", environ={"ALOVOICE_LISTEN_STORE": url})
    assert refused.code == 2
    assert "~/.pgpass" in refused.err
    assert SECRET not in refused.err + refused.out


def test_a_password_that_somebody_wrote_into_the_file_is_refused_and_not_repeated(alovoice: FrontDoor) -> None:
    assert alovoice("config", "set", "store", STORED).code == 0
    path = Path(alovoice.environ["ALOVOICE_CONFIG_DIR"]) / "config.toml"
    path.write_text(path.read_text("utf-8").replace(STORED, URL), "utf-8")
    for words in (("events", "list"), ("config", "get", "store"), ("config", "list"), ("status", "--verbose")):
        done = alovoice(*words)
        assert SECRET not in done.err + done.out
    assert alovoice("events", "list").code == 2


def test_a_server_in_the_profile_is_shown_as_it_is(alovoice: FrontDoor) -> None:
    assert alovoice("config", "set", "store", STORED).code == 0
    assert alovoice("config", "get", "store").out == STORED + "\n"


@pytest.mark.parametrize(
    "words",
    [
        ("events", "list"),
        ("events", "list", "--json", "--verbose"),
        ("events", "show", "e1"),
        ("events", "tail"),
        ("events", "stats", "--kpi"),
        ("events", "missed"),
        ("events", "gaps"),
        ("events", "export"),
        ("events", "prune", "--older-than", "90d", "--yes"),
        ("events", "outbox", "list"),
        ("events", "outbox", "drop", "e1"),
        ("day",),
        ("top", "--once"),
    ],
)
def test_a_server_that_is_not_there_ends_with_2_and_no_password(alovoice: FrontDoor, words: tuple[str, ...]) -> None:
    done = alovoice(*words, "--store", URL)
    assert done.code == 2, done.err
    assert "the store postgresql://me:••••@127.0.0.1:1/db cannot be reached" in done.err
    assert done.err.count("all users of this computer can read") == 1
    assert SECRET not in done.err + done.out


def test_a_unit_holds_no_password(alovoice: FrontDoor) -> None:
    refused = alovoice("listen", "--fallback", "hangup", "--print-systemd", "--store", URL)
    assert refused.code == 2
    assert "~/.pgpass" in refused.err
    assert SECRET not in refused.err + refused.out
    unit = alovoice(
        "listen", "--fallback", "hangup", "--print-systemd", "--store", STORED, environ={"PGPASSFILE": "/etc/pgpass"}
    )
    assert unit.code == 0, unit.err
    assert f"--store {STORED.replace('?', chr(63))}" in unit.out.replace('"', "")
    assert "PGPASSFILE=/etc/pgpass" in unit.out


def test_without_the_driver_the_line_that_installs_it_is_told(alovoice: FrontDoor) -> None:
    hidden = alovoice.home / "hidden" / "psycopg"
    hidden.mkdir(parents=True)
    (hidden / "__init__.py").write_text("raise ImportError('not here')\n")
    done = alovoice.process("events", "list", "--store", STORED, environ={"PYTHONPATH": str(hidden.parent)})
    assert done.returncode == 2
    assert b"python -m pip install 'alovoice[postgres]'" in done.stderr


def test_a_file_needs_no_driver(alovoice: FrontDoor) -> None:
    script = (
        "import sys\nfrom alovoice_cli.__main__ import main\ntry:\n    main()\nexcept SystemExit:\n    pass\n"
        "assert not {'psycopg', 'alovoice_cli.stores.postgres'} & set(sys.modules)"
    )
    assert alovoice("events", "import", "-", stdin="").code == 0
    for words in (["events", "list"], ["events", "stats"], ["day", "--json"]):
        subprocess.run([sys.executable, "-c", script, *words], check=True, env=alovoice.environ, cwd=alovoice.home)
