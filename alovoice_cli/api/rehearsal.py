"""The request that `--dry-run` shows instead of sending, and the same request as a shell command.

The command shows no token, neither on the screen nor in the process list: curl reads its whole configuration from a
here-document, in which the shell inserts the token. Every other text is escaped twice: for curl's quotes, then for the
here-document. A token outside `[A-Za-z0-9._~-]` would need percent-encoding in `$ALOVOICE_TOKEN` by hand; the vendor's
tokens are UUIDs.
"""

import json

from alovoice_cli.api.address import Address
from alovoice_cli.api.endpoints import TOKEN
from alovoice_cli.api.request import JSON_TYPE, Encoded, FilePart, Flat, Request, token_headers, wire_name
from alovoice_cli.errors import Rehearsal

_VARIABLE = "${ALOVOICE_TOKEN}"
_BARE_VARIABLE = "$ALOVOICE_TOKEN"
_MARK = "\ue000"  # the token's place until everything else is escaped
_LONGEST_LITERAL = 64 * 1024

_CURL = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"})
_HEREDOC = str.maketrans({"\\": "\\\\", "$": "\\$", "`": "\\`"})
_FORM = str.maketrans({"\\": "\\\\", '"': '\\"'})


def curl_command(address: Address, request: Request, body: Encoded) -> str:
    """Returns the command, ready for a POSIX shell in which `ALOVOICE_TOKEN` is set."""
    notes: list[str] = []
    lines = [_line("url", address.url + request.path.replace(TOKEN, _MARK)), "globoff", "path-as-is"]
    if address.loopback and address.scheme == "http":
        lines.append(_line("noproxy", "*"))
    if request.method == "HEAD":
        lines.append("head")
    elif request.method != "GET" or body is not None:
        lines.append(_line("request", request.method))
    lines += [_line("header", f"{name}: {value}") for name, value in token_headers(request, _MARK)]
    lines += [_line("header", f"{name}: {value}" if value else f"{name};") for name, value in request.headers]
    lines += _body_lines(request, body, notes)
    return "\n".join([*notes, "curl -q -sS -K - <<EOF", *lines, "EOF"])


def _body_lines(request: Request, body: Encoded, notes: list[str]) -> list[str]:
    if body is None:
        return []
    if not isinstance(body, Flat):
        return [_part(name, value, notes) for name, value in body]
    given = {name.lower() for name, _ in request.headers}
    kind = [] if "content-type" in given else [_line("header", f"Content-Type: {body.content_type}")]
    text = _literal(body.content)
    if text is None:
        notes.append("# save the body as ./body first: it is too large, or no text")
        return [*kind, _line("data-binary", "@body")]
    return [*kind, _line("data-raw", text)]


def _part(name: str, value: str | FilePart, notes: list[str]) -> str:
    if isinstance(value, str):
        return _line("form-string", f"{name}={value}")
    filename = wire_name(value.filename)
    if value.path:
        source = "@" + _quoted(value.path)
    else:
        content = _read_small(value)
        text = None if content is None else _literal(content)
        source = _quoted(text) if text is not None else "@" + _quoted(filename)
        if text is None:
            notes.append(f"# save the list as {wire_name(filename)} first: it is too large, or no text")
    return _line("form", f"{name}={source};type={value.content_type};filename={_quoted(filename)}")


def _read_small(part: FilePart) -> bytes | None:
    if part.size > _LONGEST_LITERAL:
        return None
    part.file.seek(0)
    content = part.file.read()
    part.file.seek(0)
    return content


def _literal(content: bytes) -> str | None:
    """Returns the bytes as text that a shell can hold, or None."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text or _MARK in text or len(content) > _LONGEST_LITERAL else text


def _quoted(text: str) -> str:
    return '"' + text.translate(_FORM) + '"'


def _line(option: str, value: str) -> str:
    escaped = value.translate(_CURL).translate(_HEREDOC)
    before, *rest = escaped.split(_MARK)
    for piece in rest:
        joins = piece[:1].isalnum() or piece.startswith("_")  # the shell would read it into the name
        before += (_VARIABLE if joins else _BARE_VARIABLE) + piece
    return f'{option} = "{before}"'


SHOWN_TOKEN = "$ALOVOICE_TOKEN"  # noqa: S105 - the variable's name


class Rehearsed(Rehearsal):
    """Raised instead of sending. Contains no token.

    `headers` are the meaningful ones: content type, token, and headers given by hand. `body` is text (for JSON: its
    value), or for multipart a list of `{"name", "value"}` and `{"name", "filename", "type", "size"}`.
    """

    def __init__(self, address: Address, request: Request, encoded: Encoded) -> None:
        super().__init__("rehearsed: nothing was sent")
        self.request = request
        self.method = request.method
        self.url = address.url + request.path.replace(TOKEN, SHOWN_TOKEN)
        self.headers = dict(token_headers(request, SHOWN_TOKEN))
        if encoded is not None:
            self.headers["Content-Type"] = encoded.content_type if isinstance(encoded, Flat) else "multipart/form-data"
        self.headers.update(request.headers)
        self.body = _body(encoded)
        self.curl = curl_command(address, request, encoded)

    def as_json(self) -> dict[str, object]:
        """Returns the object that `--dry-run --json` prints."""
        return {
            "method": self.method,
            "url": self.url,
            "headers": self.headers,
            "body": self.body,
            "curl": self.curl,
        }


def _body(encoded: Encoded) -> object:
    if encoded is None:
        return None
    if isinstance(encoded, Flat):
        text = encoded.content.decode("utf-8", "backslashreplace")
        if encoded.content_type != JSON_TYPE:
            return text
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return text
    return [
        {"name": name, "value": value}
        if isinstance(value, str)
        else {"name": name, "filename": value.filename, "type": value.content_type, "size": value.size}
        for name, value in encoded
    ]
