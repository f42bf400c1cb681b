"""The fetched analyses, stored so that searches, scores and reports need no second request.

The server's whole answer is stored as JSON; rows of turns and tags are derived from it for searching. Turns are indexed
by their foldings (speech.folding) in trigrams, so that any part of a word is found without a full scan. An analysis
with an older index (`indexed` 0) is indexed when the file is opened. Scores set by hand have a table of their own.
Transcripts are personal data: the file is 0600, and `prune` frees the space.
"""

import json
import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from alovoice_cli.errors import UsageError
from alovoice_cli.language import ngettext, tr
from alovoice_cli.speech.folding import foldings
from alovoice_cli.speech.talk import EVERYTHING, ScoreOverride, Talk, Wanted, read_talk
from alovoice_cli.speech.turns import speech_turns
from alovoice_cli.stores.migrations import explained, open_store, transaction

STORE_NAME = "analyses.db"
_SHORTEST_INDEXED = 3  # letters: a trigram
_CHUNK = 200
_BETWEEN = "\n"  # between two foldings of one phrase: no search text contains it

MIGRATIONS = (
    """
    CREATE TABLE analysis (
        id INTEGER PRIMARY KEY, profile TEXT NOT NULL, call_id TEXT NOT NULL, begun_at INTEGER NOT NULL,
        kept_at INTEGER NOT NULL, peer TEXT, answer TEXT NOT NULL, UNIQUE (profile, call_id)
    );
    CREATE INDEX analysis_by_time ON analysis (profile, begun_at);
    CREATE TABLE tag (analysis INTEGER NOT NULL REFERENCES analysis, folded TEXT NOT NULL);
    CREATE INDEX tag_by_analysis ON tag (analysis, folded);
    CREATE TABLE phrase (
        id INTEGER PRIMARY KEY, analysis INTEGER NOT NULL REFERENCES analysis, place INTEGER NOT NULL,
        folded TEXT NOT NULL
    );
    CREATE INDEX phrase_by_analysis ON phrase (analysis);
    CREATE VIRTUAL TABLE phrase_index USING fts5 (
        folded, content='phrase', content_rowid='id', tokenize='trigram case_sensitive 1'
    );
    """,
    """
    ALTER TABLE analysis ADD COLUMN indexed INTEGER NOT NULL DEFAULT 0;
    CREATE INDEX analysis_to_index ON analysis (id) WHERE indexed = 0;
    CREATE TABLE score_override (
        profile TEXT NOT NULL, call_id TEXT NOT NULL, points REAL NOT NULL, note TEXT NOT NULL, set_by TEXT NOT NULL,
        set_at INTEGER NOT NULL, PRIMARY KEY (profile, call_id)
    );
    """,
)
"""A later change of the folding or of the turns sets `indexed` to 0."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One stored analysis. `begun_at` is the call's beginning, or the storing time if the server gave no beginning."""

    call_id: str
    begun_at: int
    kept_at: int
    peer: str | None
    answer: Mapping[str, object]
    override: ScoreOverride | None = None

    @property
    def talk(self) -> Talk:
        """Returns the analysis as values."""
        talk = read_talk(self.call_id, self.answer, peer=self.peer)
        return talk or Talk(self.call_id, ())


class Analyses:
    """The file `analyses.db`, for one profile. Every method raises UsageError for an unusable file.

    `note` is called before analyses of an earlier version are indexed, if that takes seconds.
    """

    def __init__(
        self, path: Path, profile: str, now: Callable[[], datetime], *, note: Callable[[str], None] | None = None
    ) -> None:
        self.path, self.profile, self._now, self._note = path, profile, now, note

    def keep(
        self, call_id: str, answer: Mapping[str, object], *, peer: str | None = None, begun_at: int | None = None
    ) -> None:
        """Stores a finished analysis in place of an earlier one of this call; `peer` None keeps the stored peer.

        `begun_at` is the call's beginning in unix seconds; None takes it from the answer.
        """
        talk = read_talk(call_id, answer, peer=peer)
        if talk is None:
            return
        now = int(self._now().astimezone(UTC).timestamp())
        text = json.dumps(answer)  # ASCII: a lone surrogate, which SQLite refuses in a text, stays escaped
        begun = next((at for at in (begun_at, talk.begun_at) if at is not None), now)
        with self._writing() as connection:
            earlier = connection.execute(
                "SELECT id, peer FROM analysis WHERE profile = ? AND call_id = ?", (self.profile, _storable(call_id))
            ).fetchone()
            known = talk.peer or (earlier[1] if earlier else None)
            if earlier:
                _forget(connection, [earlier[0]])
            row = (self.profile, _storable(call_id), begun, now, known and _storable(known), text)
            number = connection.execute(
                "INSERT INTO analysis (profile, call_id, begun_at, kept_at, peer, answer, indexed)"
                " VALUES (?, ?, ?, ?, ?, ?, 1)",
                row,
            ).lastrowid
            _index(connection, number or 0, talk)

    def get(self, call_id: str) -> Kept | None:
        """Returns the stored analysis of this call, or None."""
        return next(self.all(Wanted(call_ids=(call_id,))), None)

    def kept_of(self, call_ids: Collection[str]) -> set[str]:
        """Returns those of the calls whose analysis is stored."""
        if not self.path.exists():
            return set()
        by_stored = {_storable(call_id): call_id for call_id in call_ids}
        with self._open() as connection:
            rows = connection.execute(
                "SELECT call_id FROM analysis WHERE profile = ? AND call_id IN (SELECT value FROM json_each(?))",
                (self.profile, json.dumps(list(by_stored))),
            )
            return {by_stored[row[0]] for row in rows}

    def without_peer(self) -> list[str]:
        """Returns the calls whose operator's extension is not known."""
        with self._open() as connection:
            asked = "SELECT call_id FROM analysis WHERE profile = ? AND peer IS NULL"
            return [row[0] for row in connection.execute(asked, (self.profile,))]

    def join_calls(self, calls: Mapping[str, tuple[str, int | None]]) -> None:
        """Stores, for stored analyses, the operator's extension and the beginning of the call, if known."""
        changed = [(_storable(peer), at, self.profile, _storable(id)) for id, (peer, at) in calls.items()]
        update = "UPDATE analysis SET peer = ?, begun_at = coalesce(?, begun_at) WHERE profile = ? AND call_id = ?"
        with self._writing() as connection:
            connection.executemany(update, changed)

    def all(self, wanted: Wanted = EVERYTHING, *, limit: int = 0) -> Iterator[Kept]:
        """Yields the wanted analyses, the latest call first, a chunk at a time; `limit` 0 means all."""
        if not self.path.exists():
            return
        where, values = self._conditions(wanted)
        after: tuple[int, int] | None = None
        left = limit
        while True:
            paging, more = ("", ()) if after is None else (" AND (begun_at, id) < (?, ?)", after)
            size = min(_CHUNK, left) if limit else _CHUNK
            with self._open() as connection:
                rows = connection.execute(
                    "SELECT id, call_id, begun_at, kept_at, peer, answer, points, note, set_by, set_at"  # noqa: S608 - constants
                    " FROM analysis LEFT JOIN score_override USING (profile, call_id)"
                    f" WHERE {where}{paging} ORDER BY begun_at DESC, id DESC LIMIT ?",
                    (*values, *more, size),
                ).fetchall()
            for number, *rest in rows:
                after = (rest[1], number)
                yield self._kept(rest)
            left -= len(rows)
            if len(rows) < size or (limit and left <= 0):
                return

    def candidates(self, sought: Sequence[str], wanted: Wanted = EVERYTHING) -> Iterator[Kept]:
        """Yields analyses in which a phrase may contain one of these folded texts, the latest call first."""
        indexed = [text for text in sought if len(text) >= _SHORTEST_INDEXED]
        if len(indexed) < len(sought):
            yield from self.all(wanted)  # too short for the index: all phrases are read
            return
        if not self.path.exists():
            return
        query = " OR ".join('"' + text.replace('"', '""') + '"' for text in indexed)
        with self._open() as connection:
            found = {
                call_id
                for (call_id,) in connection.execute(
                    "SELECT DISTINCT call_id FROM phrase_index JOIN phrase ON phrase.id = phrase_index.rowid"
                    " JOIN analysis ON analysis.id = phrase.analysis WHERE phrase_index MATCH ? AND profile = ?",
                    (query, self.profile),
                )
            }
        for kept in self.all(wanted) if len(found) > _CHUNK else self._some(found, wanted):
            if kept.call_id in found:
                yield kept

    def set_score(self, call_id: str, override: ScoreOverride) -> None:
        """Stores a score set by hand, in place of an earlier one of this call."""
        values = (override.points, _storable(override.note), _storable(override.by), override.at)
        with self._writing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO score_override (profile, call_id, points, note, set_by, set_at)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (self.profile, _storable(call_id), *values),
            )

    def unset_score(self, call_id: str) -> None:
        """Deletes the score set by hand for this call."""
        with self._writing() as connection:
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute(
                "DELETE FROM score_override WHERE profile = ? AND call_id = ?", (self.profile, _storable(call_id))
            )

    def count(self, wanted: Wanted = EVERYTHING) -> int:
        """Returns the number of wanted analyses."""
        if not self.path.exists():
            return 0
        where, values = self._conditions(wanted)
        with self._open() as connection:
            (number,) = connection.execute(f"SELECT count(*) FROM analysis WHERE {where}", values).fetchone()  # noqa: S608 - our own words
        return int(number)

    def prune(self, before: int) -> int:
        """Deletes calls that began before this unix second, frees their space, and returns their number."""
        if not self.path.exists():
            return 0
        pruned = 0
        with self._open() as connection:
            # Without it SQLite leaves the text of deleted rows in the file until other data overwrite it.
            connection.execute("PRAGMA secure_delete = ON")
            while True:
                with transaction(connection):
                    numbers = connection.execute(
                        "SELECT id FROM analysis WHERE profile = ? AND begun_at < ? LIMIT ?",
                        (self.profile, before, _CHUNK),
                    ).fetchall()
                    connection.executemany(
                        "DELETE FROM score_override WHERE (profile, call_id) IN"
                        " (SELECT profile, call_id FROM analysis WHERE id = ?)",
                        numbers,
                    )
                    _forget(connection, [number for (number,) in numbers])
                pruned += len(numbers)
                if len(numbers) < _CHUNK:
                    break
            if pruned:
                connection.execute("INSERT INTO phrase_index (phrase_index) VALUES ('optimize')")
                connection.execute("PRAGMA incremental_vacuum").fetchall()
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return pruned

    def _some(self, found: set[str], wanted: Wanted) -> Iterator[Kept]:
        named = set(wanted.call_ids)
        chosen = tuple(found & named if named else found)
        if not chosen:
            return iter(())
        return self.all(replace(wanted, call_ids=chosen))

    def _conditions(self, wanted: Wanted) -> tuple[str, tuple[object, ...]]:
        has_tag = "EXISTS (SELECT 1 FROM tag WHERE tag.analysis = analysis.id AND tag.folded IN (?, ?))"
        parts: list[tuple[str, Sequence[object]]] = [("profile = ?", (self.profile,))]
        if wanted.since is not None:
            parts.append(("begun_at >= ?", (wanted.since,)))
        if wanted.until is not None:
            parts.append(("begun_at < ?", (wanted.until,)))
        if wanted.peer is not None:
            parts.append(("peer = ?", (_storable(wanted.peer),)))
        if wanted.call_ids:
            marks = ", ".join("?" * len(wanted.call_ids))
            parts.append((f"call_id IN ({marks})", [_storable(call_id) for call_id in wanted.call_ids]))
        parts += [(has_tag, _tag_foldings(name)) for name in wanted.tags]
        parts += [(f"NOT {has_tag}", _tag_foldings(name)) for name in wanted.without_tags]
        return " AND ".join(text for text, _ in parts), tuple(value for _, values in parts for value in values)

    def _kept(self, row: Sequence[object]) -> Kept:
        call_id, begun_at, kept_at, peer, answer, *set_by_hand = row
        try:
            parsed = json.loads(str(answer))
        except ValueError as error:
            raise UsageError(
                tr("{path} is damaged: the analysis of call {id} cannot be read", path=self.path, id=call_id),
                hint=tr("`alovoice ai result {id}` downloads it again", id=call_id),
            ) from error
        points, note, set_by, set_at = set_by_hand
        return Kept(
            str(call_id),
            int(str(begun_at)),
            int(str(kept_at)),
            None if peer is None else str(peer),
            parsed,
            None if points is None else ScoreOverride(float(str(points)), str(note), str(set_by), int(str(set_at))),
        )

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        connection = open_store(self.path, MIGRATIONS)
        try:
            with explained(self.path):
                self._index_missing(connection)
                yield connection
        finally:
            connection.close()

    def _index_missing(self, connection: sqlite3.Connection) -> None:
        columns = "id, call_id, begun_at, kept_at, peer, answer, NULL, NULL, NULL, NULL"
        query = f"SELECT {columns} FROM analysis WHERE indexed = 0 LIMIT ?"  # noqa: S608 - constants
        (left,) = connection.execute("SELECT count(*) FROM analysis WHERE indexed = 0").fetchone()
        if left > _CHUNK and self._note is not None:
            self._note(
                ngettext(
                    "{n} stored analysis is indexed again for searches, once",
                    "{n} stored analyses are indexed again for searches, once",
                    left,
                )
            )
        while connection.execute("SELECT 1 FROM analysis WHERE indexed = 0").fetchone():
            with transaction(connection):
                for number, *rest in connection.execute(query, (_CHUNK,)).fetchall():
                    _forget_index(connection, number)
                    with suppress(UsageError):  # damaged: the reading reports it
                        _index(connection, number, self._kept(rest).talk)
                    connection.execute("UPDATE analysis SET indexed = 1 WHERE id = ?", (number,))

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._open() as connection, transaction(connection):
            yield connection


def _index(connection: sqlite3.Connection, number: int, talk: Talk) -> None:
    connection.executemany(
        "INSERT INTO tag (analysis, folded) VALUES (?, ?)",
        [(number, folded) for name in talk.tag_names for folded in set(_tag_foldings(name))],
    )
    for place, turn in enumerate(speech_turns(talk.fragments)):
        folded = _storable(_BETWEEN.join(foldings(turn.text)))
        row = connection.execute(
            "INSERT INTO phrase (analysis, place, folded) VALUES (?, ?, ?)", (number, place, folded)
        ).lastrowid
        connection.execute("INSERT INTO phrase_index (rowid, folded) VALUES (?, ?)", (row, folded))


def _tag_foldings(name: str) -> tuple[str, str]:
    """Returns the two foldings of a tag's name, which may be equal."""
    folded = [_storable(folding) for folding in foldings(name)]
    return folded[0], folded[-1]


def _forget(connection: sqlite3.Connection, numbers: Sequence[int]) -> None:
    for number in numbers:
        _forget_index(connection, number)
        connection.execute("DELETE FROM analysis WHERE id = ?", (number,))


def _forget_index(connection: sqlite3.Connection, number: int) -> None:
    connection.execute(
        "INSERT INTO phrase_index (phrase_index, rowid, folded)"
        " SELECT 'delete', id, folded FROM phrase WHERE analysis = ?",
        (number,),
    )
    connection.execute("DELETE FROM phrase WHERE analysis = ?", (number,))
    connection.execute("DELETE FROM tag WHERE analysis = ?", (number,))


def _storable(text: str) -> str:
    """Returns text that SQLite can store: it refuses lone surrogates, and reads a text only up to a NUL."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\0")
