"""The edge to PostgreSQL, on a real server."""

from pathlib import Path

import pytest
from postgres_server import Cluster
from psycopg.errors import DivisionByZero

from alovoice_cli.errors import UsageError
from alovoice_cli.store_urls import holds_password, masked_url
from alovoice_cli.stores.postgres import connect, explained_server, server_transaction


def test_a_statement_with_our_marks_runs_on_a_server(postgres: Cluster) -> None:
    connection = connect(postgres.database())
    connection.execute("CREATE TABLE row (number BIGINT, text TEXT)")
    with server_transaction(connection):
        connection.executemany("INSERT INTO row VALUES (?, ?)", [(1, "100 %"), (2, "Ўзбек")])
    found = connection.execute("SELECT text FROM row WHERE text LIKE '%' AND number = ?", (2,)).fetchall()
    connection.close()
    assert found == [("Ўзбек",)]


def test_a_failed_transaction_leaves_nothing(postgres: Cluster) -> None:
    connection = connect(postgres.database())
    connection.execute("CREATE TABLE row (number BIGINT)")
    with pytest.raises(DivisionByZero), server_transaction(connection):
        connection.execute("INSERT INTO row VALUES (1), (1 / 0)")
    assert connection.execute("SELECT count(*) FROM row").fetchone() == (0,)
    connection.close()


def test_a_server_that_is_not_there_is_a_clear_error_without_the_password(tmp_path: Path) -> None:
    url = "postgresql://me:hunter2hunter2@127.0.0.1:1/db"
    with pytest.raises(UsageError, match="cannot be reached") as error, explained_server(url):
        connect(url, timeout=2)
    assert "hunter2" not in error.value.message + str(error.value.hint) + str(error.value.detail)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:pass@host/db",
        "postgres://host/db?password=pass&sslmode=verify-full",
        "postgresql://:pass@h",
        "postgresql://[::1/d?password=pass",
    ],
)
def test_a_password_in_a_url_is_seen_and_masked(url: str) -> None:
    assert holds_password(url)
    assert "pass@" not in masked_url(url)
    assert "=pass" not in masked_url(url)


def test_a_url_without_a_password_is_shown_as_it_is() -> None:
    url = "postgresql://me@host:5433/db?sslmode=verify-full&sslrootcert=/etc/ca.pem"
    assert not holds_password(url)
    assert masked_url(url) == url


def test_sums_and_means_are_plain_numbers(postgres: Cluster) -> None:
    connection = connect(postgres.database())
    asked = "SELECT sum(n), avg(n), sum(-n) FROM (VALUES (1::bigint), (2)) AS row (n)"
    (found,) = connection.execute(asked).fetchall()
    connection.close()
    assert [(type(value), value) for value in found] == [(int, 3), (float, 1.5), (int, -3)]
