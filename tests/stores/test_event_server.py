"""The event store on a server: what its engine alone decides."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from event_rows import Rows, event_of
from front_door import FrontDoor
from postgres_server import Cluster

from alovoice_cli.errors import UsageError
from alovoice_cli.stores.event_engine import open_event_store, opened, store_exists
from alovoice_cli.stores.event_postgres import IDLE
from alovoice_cli.stores.event_schema import VERSION
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


def test_a_database_that_cannot_hold_every_letter_is_refused(alovoice: FrontDoor, postgres: Cluster) -> None:
    url = postgres.new_database("template0 ENCODING 'LATIN1' LOCALE 'C'")
    done = alovoice("events", "import", "-", "--store", url)
    assert (done.code, "its encoding is LATIN1" in done.err) == (2, True)
    assert "createdb --encoding UTF8" in done.err


def test_a_newer_schema_is_refused(postgres: Cluster) -> None:
    url = Rows(postgres.database()).url
    connection = connect(url)
    connection.execute("UPDATE schema_version SET version = 1000")
    connection.close()
    with pytest.raises(UsageError, match="newer version"):
        open_event_store(url)
    with pytest.raises(UsageError, match="newer version"), opened(url):
        pass


def test_an_older_schema_is_brought_up_to_date_by_who_writes_and_left_alone_by_readers(postgres: Cluster) -> None:
    url = Rows(postgres.database()).url
    IDLE.close()
    connection = connect(url)
    connection.execute("UPDATE schema_version SET version = 3")
    connection.execute("DROP TABLE notice, notice_message, notice_chat")
    with pytest.raises(UsageError, match="older version"), opened(url):
        pass
    open_event_store(url).close()
    assert connection.execute("SELECT version FROM schema_version").fetchone() == (VERSION,)
    connection.close()
    with opened(url) as again:
        assert again.execute("SELECT count(*) FROM notice").fetchone() == (0,)


def test_many_who_begin_at_once_make_one_schema(postgres: Cluster) -> None:
    url = postgres.database()
    with ThreadPoolExecutor(6) as threads:
        for connection in threads.map(lambda _: open_event_store(url), range(6)):
            assert connection.execute("SELECT count(*) FROM schema_version").fetchone() == (1,)
            connection.close()


def test_whoever_has_seen_a_number_has_seen_all_lower_ones(postgres: Cluster) -> None:
    """Six writers and a reader: the newest number that it sees is the count of all that it sees."""
    rows = Rows(postgres.database())
    made = [event_of("callend", time.time(), {"call_id": str(n)}) for n in range(240)]
    with ThreadPoolExecutor(6) as threads:
        writing = [threads.submit(rows.store, [event]) for event in made]
        while not all(one.done() for one in writing):
            with opened(rows.url) as connection:
                newest, count = connection.execute("SELECT max(seq), count(*) FROM delivery").fetchone()
            assert (newest or 0) == count
        assert sorted(one.result()[0].delivery.seq for one in writing) == list(range(1, 241))


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
