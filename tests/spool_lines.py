"""Lines of a spool that no listener wrote: what a damaged disk, or an editor, may leave."""

import json

_DELIVERY: dict[str, object] = {
    "id": "x",
    "type": "callend",
    "received_at": 1,
    "peer": "",
    "content_type": "",
    "headers": [],
    "body": "",
}
_ANSWER: dict[str, object] = {
    "delivery_id": "x",
    "answer": {},
    "rule": None,
    "call_id": None,
    "asked": None,
    "is_answered": False,
}


def _delivery(**changes: object) -> bytes:
    return json.dumps(_DELIVERY | changes).encode()


def _answer(**changes: object) -> bytes:
    return json.dumps({"answer": _ANSWER | changes}).encode()


DAMAGED_LINES = {
    "a flipped bit": _delivery().replace(b'"type"', b'"typd"'),
    "a torn line": _delivery()[:30],
    "noise": b"\xff\x00\x80 \x1b[31m",
    "a number": b"7",
    "a deep nest": b"[" * 30_000,
    "a moment that no store takes": _delivery(received_at=10**30),
    "a moment without an end": _delivery().replace(b'"received_at": 1', b'"received_at": 1e999'),
    "a moment before all": _delivery(received_at=-1),
    "half of a letter": _delivery(peer="\ud800"),
    "a text with a NUL": _delivery(content_type="a\0b"),
    "a body that is no base64": _delivery(body="*"),
    "another type": _delivery(type="callhold"),
    "a header alone": _delivery(headers=["host"]),
    "an answer of a number": _answer(delivery_id=7),
    "an answer that is a text": _answer(answer="true"),
    "an answer with more": _answer(more=1),
    "uptime of a text": b'{"uptime": ["x", "1", 2, null]}',
    "uptime beyond all": b'{"uptime": ["x", 1, 1e400, null]}',
}
