"""A PBX that takes campaigns: what it answers and what it was sent; the files and words of a good campaign."""

import json
from email.parser import BytesParser
from pathlib import Path

from raw_server import Connection, Seen

MP3 = (Path(__file__).parents[1] / "alovoice_cli" / "sandbox" / "scenarios" / "announcement.mp3").read_bytes()
CSV = b"998901234567\n998912345678\n"
CAMPAIGN = {"id": 124, "name": "oʻ", "trunks": ["253"], "timezone": 18000, "status": "new", "unknown": {"a": [1.5]}}


def serve_campaigns(connection: Connection) -> None:
    """Answers what asks for lines with two, and all else with the campaign."""
    while (seen := connection.read()) is not None:
        lines = seen.target.endswith("getMyTrunks")
        connection.answer("200 OK", json.dumps(["712037006", "712037007"] if lines else CAMPAIGN).encode())


def creation_words(**changes: object) -> list[str]:
    """Returns a good command line with some options changed; None leaves one out, a list repeats it."""
    options: dict[str, object] = {
        "record": "promo.mp3",
        "recipients": "clients.csv",
        "name": "Autumn",
        "from": "tomorrow",
        "to": "+3d",
        "fromtime": "10:00",
        "totime": "19:59",
        "trunks": "712037006",
        **changes,
    }
    # What a script says that runs on any day, and more than once.
    words = ["autorule", "create", "--night-ok", "--allow-duplicate", "--yes"]
    for name, value in options.items():
        for one in value if isinstance(value, list) else [] if value is None else [value]:
            words += [f"--{name}", str(one)]
    return words


def parts_of(seen: Seen) -> dict[str, tuple[str, str, bytes]]:
    """Returns file name, content type and content of each part, by name, in the order in which they came."""
    head = f"Content-Type: {seen.header('content-type')}\r\n\r\n".encode()
    parts = {}
    for part in BytesParser().parsebytes(head + seen.body).get_payload():
        assert not isinstance(part, str)
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        kind = part.get_content_type() if part["content-type"] else ""
        parts[str(part.get_param("name", header="content-disposition"))] = (part.get_filename() or "", kind, content)
    return parts


def part_of(seen: Seen, name: str) -> bytes:
    """Returns the content of one part."""
    return parts_of(seen)[name][2]
