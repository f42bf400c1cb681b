"""Failures of one request: the case that an error is made of, and what the error says."""

from typing import Any

from alovoice_cli.api.address import parse_address
from alovoice_cli.api.endpoints import GET_MY_TRUNKS, Endpoint
from alovoice_cli.api.failures import FailureCase
from alovoice_cli.api.request import Request
from alovoice_cli.errors import AlovoiceError
from alovoice_cli.masking import Masker

TOKEN = "22dfbb22-d073-4422-b322-22949d14a022"
PROXY = "http://p.uz:3128"
NOT_DONE = "nothing was done on the PBX: running it again is safe"


def a_case(endpoint: Endpoint = GET_MY_TRUNKS, *, url: str = "https://pbx.uz:8443", **changes: Any) -> FailureCase:
    """Returns the case of a request to this endpoint; the changes name its path, our id, or fields of the case."""
    request = Request(endpoint, changes.pop("path", endpoint.path), our_id=changes.pop("our_id", ""))
    return FailureCase(parse_address(url, insecure=True), request, Masker([TOKEN]), 2.5)._replace(**changes)


def told(error: BaseException | None) -> tuple[int, str, str]:
    """Returns an error's exit code, message and hint."""
    assert isinstance(error, AlovoiceError)
    return error.exit_code, error.message, error.hint


def facts(error: BaseException | None) -> tuple[str, int | None, str]:
    """Returns whether the request was sent, the status and the detail of an error."""
    assert isinstance(error, AlovoiceError)
    return error.sent, error.status, error.detail
