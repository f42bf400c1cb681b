"""The equal of a request as a shell command that shows no token, neither on the screen nor in the process list.

curl reads its whole configuration from a here-document, in which the shell itself puts the token. Every other text is
escaped twice: for curl's quotes, then for the here-document. A token outside `[A-Za-z0-9._~-]` would have to be
percent-encoded in `$ALOVOICE_TOKEN` by hand; the vendor's are UUIDs.
"""

from alovoice_cli.api.address import Address
from alovoice_cli.api.endpoints import TOKEN
from alovoice_cli.api.files import FilePart, wire_name
from alovoice_cli.api.request import Request
from alovoice_cli.api.wire import Encoded, Flat, token_headers

_VARIABLE = "${ALOVOICE_TOKEN}"
_BARE_VARIABLE = "$ALOVOICE_TOKEN"
_MARK = "\ue000"  # stands for the token until everything else is escaped
_LONGEST_LITERAL = 64 * 1024

_CURL = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"})
_HEREDOC = str.maketrans({"\\": "\\\\", "$": "\\$", "`": "\\`"})
_FORM = str.maketrans({"\\": "\\\\", '"': '\\"'})


def command(address: Address, request: Request, body: Encoded) -> str:
    """The command, ready to be pasted into a POSIX shell in which `ALOVOICE_TOKEN` is set."""
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
    """The bytes as text that a shell can hold, or None."""
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
        joins = piece[:1].isalnum() or piece.startswith("_")  # the shell would read it as part of the name
        before += (_VARIABLE if joins else _BARE_VARIABLE) + piece
    return f'{option} = "{before}"'
