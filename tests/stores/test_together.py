"""Changes of several threads, written together: what is told as written is on the disk, for each of them."""

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from alovoice_cli.stores import together as together_module
from alovoice_cli.stores.beside import Beside
from alovoice_cli.stores.migrations import open_store
from alovoice_cli.stores.together import Together

MIGRATIONS = ("CREATE TABLE word (text TEXT PRIMARY KEY);",)


class Book:
    """A file of words; says in which groups they came."""

    def __init__(self, path: Path, beside: Beside | None = None) -> None:
        self.path = path
        self.groups: list[list[str]] = []
        self.before: Callable[[], None] = lambda: None
        self.together = Together(path, open_store(path, MIGRATIONS), self._write, beside)

    def _write(self, connection: sqlite3.Connection, words: Sequence[str]) -> Sequence[str]:
        self.groups.append(list(words))
        self.before()
        connection.execute(f"INSERT INTO word VALUES {', '.join(['(?)'] * len(words))}", tuple(words))
        return [word.upper() for word in words]


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    book = Book(tmp_path / "words.db")
    yield book
    book.together.close()


def _at_once(book: Book, words: Sequence[str]) -> dict[str, object]:
    """Writes one word, and the others by as many threads while it is being written."""
    found: dict[str, object] = {}

    def run(word: str) -> None:
        try:
            found[word] = book.together.run(word)
        except Exception as error:
            found[word] = error

    threads = [threading.Thread(target=run, args=(word,)) for word in words]
    waiting = threads[1:]

    def start_the_others() -> None:
        book.before = lambda: None
        for thread in waiting:
            thread.start()
        until = time.monotonic() + 5
        while len(book.together._queue) < len(waiting) and time.monotonic() < until:
            time.sleep(0.001)

    book.before = start_the_others
    threads[0].start()
    for thread in threads:
        thread.join()
    return found


def test_those_that_come_while_another_writes_are_written_by_one_statement(book: Book) -> None:
    found = _at_once(book, ["a", "b", "c", "d", "e"])
    assert found == {"a": "A", "b": "B", "c": "C", "d": "D", "e": "E"}
    assert [len(group) for group in book.groups] == [1, 4]


def test_one_that_fails_spoils_no_other_of_its_group(book: Book) -> None:
    book.together.run("c")
    found = _at_once(book, ["a", "b", "c", "d"])
    assert isinstance(found.pop("c"), sqlite3.IntegrityError)
    assert found == {"a": "A", "b": "B", "d": "D"}


def test_the_log_is_synced_after_each_change_that_waits_and_no_other(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr(together_module, "_sync_data", lambda file: synced.append(os.fstat(file).st_ino))
    book.together.run("a")  # by SQLite
    assert synced == []
    book.together.run_unsynced("b")
    assert synced == []
    book.together.run("c")
    assert synced == [Path(f"{book.path}-wal").stat().st_ino]


def test_where_the_log_cannot_be_synced_none_of_the_group_is_taken_for_written(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(file: int) -> None:
        raise OSError(5, "Input/output error")

    book.together.run("z")
    monkeypatch.setattr(together_module, "_sync_data", full)
    found = _at_once(book, ["a", "b", "c"])
    assert [type(error) for error in found.values()] == [OSError] * 3


def test_what_is_synced_beside_is_on_the_disk_too_when_a_change_is_told(tmp_path: Path) -> None:
    ended: list[str] = []

    def slowly() -> None:
        time.sleep(0.2)
        ended.append("ended")

    beside = Beside(slowly)
    book = Book(tmp_path / "words.db", beside)
    assert (book.together.run("a"), ended) == ("A", ["ended"])
    assert (book.together.run("b"), ended) == ("B", ["ended", "ended"])
    book.together.close()
    beside.close()


def test_what_cannot_be_synced_beside_fails_the_change_and_not_the_next_one(tmp_path: Path) -> None:
    troubles: list[Exception] = [OSError(5, "Input/output error")]

    def sync() -> None:
        if troubles:
            raise troubles.pop()

    beside = Beside(sync)
    book = Book(tmp_path / "words.db", beside)
    with pytest.raises(OSError, match="Input/output"):
        book.together.run("a")
    assert book.together.run("b") == "B"
    book.together.close()
    beside.close()
