"""One cell of the attack on the wire: one way to dial meets one fault; who was dialled, and what is said of it."""

import socket
import ssl
from collections import Counter
from pathlib import Path

from dialling_ways import Way, furnish, journal_rows, receipts
from front_door import TOKEN, FrontDoor
from raw_server import Connection, RawServer, Seen
from wire_faults import AUTH, DONE, UNKNOWN, UNREACHED, Fault

_LOOK = b"GET /mapi/getMyTrunks"
_PEEK_ALL = socket.MSG_PEEK | socket.MSG_WAITALL
_STATES = {DONE: {"done"}, UNKNOWN: {"unknown"}, UNREACHED: {"unsent"}}
_OTHER_STATES = {"refused", "unsent"}


class FaultyPbx(RawServer):
    """Does the fault to the first request that dials, and to all of them where that is a fault of the way to it."""

    def __init__(self, fault: Fault, way: Way, context: ssl.SSLContext | None = None) -> None:
        self._fault, self._way = fault, way
        self.begun = 0
        """How many connections were more than a look at the lines."""
        super().__init__([self._take], context)

    def _take(self, connection: Connection) -> None:
        if self._way.method == "addAutorule" and self._is_look(connection):
            connection.answer("200 OK", b'["712037006"]')
            return
        self.begun += 1
        if self.begun == 1 or self._fault.never_leaves:
            self._fault.happen(connection, self._way.good)
        elif connection.read() is not None:
            connection.answer("200 OK", self._way.good)

    def _is_look(self, connection: Connection) -> bool:
        """Reads the request if it is a look at the lines; leaves others for the fault to read."""
        if self._fault.route == "http":
            return connection.sock.recv(len(_LOOK), _PEEK_ALL) == _LOOK and connection.read() is not None
        if self._fault.route != "trusted":
            return False
        seen = connection.read()  # inside TLS nothing can be peeked at
        connection.read = lambda: seen  # type: ignore[method-assign] # it was read, and is given to the fault
        return seen is not None and seen.target.endswith("getMyTrunks")

    @property
    def dialled(self) -> list[Seen]:
        """Returns the whole requests that dial, create or cost."""
        return [seen for seen in self.effects if seen.method != "CONNECT"]


def check_cell(home: FrontDoor, way: Way, fault: Fault, certificate: Path) -> None:
    """Runs the way into the fault. At most one request a call, and the exit code, the ledger and the journal agree."""
    rows = 1 if fault.pauses or not way.is_batch else 2
    home.environ["ALOVOICE_TOKEN"] = TOKEN
    furnish(home, rows)
    way.prepare(home)
    before = len(receipts(home))
    pbx = FaultyPbx(fault, way, _context(certificate) if fault.route in ("trusted", "untrusted") else None)
    home.environ |= _environment(fault, pbx, certificate)
    patience = ("--timeout", "0.5" if fault.slow else "20")
    result = home(*way.words, *patience)
    pbx.stop()  # what still was on its way has arrived by now
    expected = fault.codes(way.method)
    told = {UNKNOWN if code == DONE and "--wait=1s" in way.words else code for code in expected}
    assert result.code in told, f"{result.code}, not {told}: {result.err}"
    _check_wire(pbx, fault, rows)
    kept = receipts(home)[: -before or None]
    _check_ledger(kept, way, fault, rows, expected)
    if way.is_batch:
        _check_journal(home, fault, rows, expected)


def _context(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def _environment(fault: Fault, pbx: RawServer, certificate: Path) -> dict[str, str]:
    if fault.route == "proxy":
        return {"ALOVOICE_BASE_URL": "https://localhost:1", "HTTPS_PROXY": pbx.url}
    if fault.route == "http":
        return {"ALOVOICE_BASE_URL": pbx.url}
    trusts = {"SSL_CERT_FILE": str(certificate)} if fault.route == "trusted" else {}
    return {"ALOVOICE_BASE_URL": f"https://localhost:{pbx.port}", **trusts}


def _check_wire(pbx: FaultyPbx, fault: Fault, rows: int) -> None:
    sent = Counter((seen.target, seen.body) for seen in pbx.dialled)
    assert not sent or max(sent.values()) == 1, sent
    assert len(pbx.dialled) <= rows
    assert fault.never_leaves or pbx.begun <= rows, "the request was sent again, or a redirect was followed"


def _check_ledger(kept: list[dict[str, object]], way: Way, fault: Fault, rows: int, codes: set[int]) -> None:
    """The first request's receipt has the fault's code; the others are done."""
    begun = [(entry["outcome"], entry["exit_code"]) for entry in reversed(kept)]
    if way.method == "addAutorule" and not begun:
        assert fault.route != "http"  # the look at the lines did not arrive either
        return
    assert begun[0][1] in codes, begun
    assert all(state in _STATES.get(int(str(code)), _OTHER_STATES) for state, code in begun), begun
    if not fault.never_leaves:
        assert begun[1:] == [("done", DONE)] * (len(begun) - 1)
    assert len(begun) == (1 if AUTH in codes else rows)


def _check_journal(home: FrontDoor, fault: Fault, rows: int, codes: set[int]) -> None:
    outcomes = [row["outcome"] for row in journal_rows(home)]
    assert len(outcomes) == rows
    allowed = set().union(*(_STATES.get(code, _OTHER_STATES) for code in codes))
    assert outcomes[0] in allowed, outcomes
    if not fault.never_leaves:
        others = {"pending", "refused"} if AUTH in codes else {"done"}  # refused: before this run
        assert {*outcomes[1:]} <= others, outcomes
