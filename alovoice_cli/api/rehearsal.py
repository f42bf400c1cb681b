"""What `--dry-run` shows instead of sending: the request, and its equal as a curl command."""

import json

from alovoice_cli.api import curl
from alovoice_cli.api.address import Address
from alovoice_cli.api.endpoints import TOKEN
from alovoice_cli.api.request import JSON_TYPE, Request
from alovoice_cli.api.wire import Encoded, Flat, token_headers
from alovoice_cli.errors import Rehearsal

SHOWN_TOKEN = "$ALOVOICE_TOKEN"  # noqa: S105 - the variable's name


class Rehearsed(Rehearsal):
    """Raised instead of sending. The token is nowhere in it.

    `headers` are those that carry a meaning: content type, token, and what was given by hand. `body` is text (of JSON:
    its value), or for multipart a list of `{"name", "value"}` and `{"name", "filename", "type", "size"}`.
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
        self.curl = curl.command(address, request, encoded)

    def as_json(self) -> dict[str, object]:
        """The object that `--dry-run --json` prints."""
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
