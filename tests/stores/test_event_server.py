"""The event store on a server: what its engine alone decides."""

import json
import time

import pytest
from event_rows import Rows
from front_door import FrontDoor
from postgres_server import Cluster

from alovoice_cli.errors import UsageError
from alovoice_cli.stores.event_engine import open_event_store, opened, store_exists
from alovoice_cli.stores.postgres import connect


def test_events_of_a_server_are_listed(alovoice: FrontDoor, postgres: Cluster) -> None:
    rows = Rows(postgres.database())
    rows.call(time.time() - 60, "901234567")
    done = alovoice("events", "list", "--json", "--store", rows.url)
    assert [row["type"] for row in json.loads(done.out)] == ["callend", "callstart"]


def test_a_database_without_tables_is_no_store(alovoice: FrontDoor, postgres: Cluster) -> None:
    url = postgres.database()
    assert not store_exists(url)
    done = alovoice("events", "stats", "--store", url)
    assert done.code == 2
    assert "there is no event store in postgresql://alovoice@127.0.0.1" in done.err


def test_a_newer_schema_is_refused(postgres: Cluster) -> None:
    url = Rows(postgres.database()).url
    connection = connect(url)
    connection.execute("UPDATE schema_version SET version = 1000")
    connection.close()
    with pytest.raises(UsageError, match="newer version"):
        open_event_store(url)
    with pytest.raises(UsageError, match="newer version"), opened(url):
        pass


def test_an_account_that_only_reads_is_enough_for_readers(alovoice: FrontDoor, postgres: Cluster) -> None:
    rows = Rows(postgres.database())
    rows.call(time.time() - 60)
    name = rows.url.rpartition("/")[2]
    postgres.sql(name, "DROP ROLE IF EXISTS reader")
    postgres.sql(name, "CREATE ROLE reader LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
    url = rows.url.replace("alovoice@", "reader@")
    done = alovoice("events", "stats", "--kpi", "--json", "--store", url)
    assert json.loads(done.out)["inbound"]["offered"] == 1
    postgres.sql(name, "DROP OWNED BY reader; DROP ROLE reader")
