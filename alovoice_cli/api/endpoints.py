"""The vendor's methods as data: each method's path, its place of the token, and its effect.

Retries, the send guard, `alovoice api` and the tests use it; it imports nothing heavy.
"""

from enum import Enum, Flag, auto
from typing import NamedTuple

TOKEN = "{token}"  # noqa: S105 - the placeholder, not a token


class Effect(Enum):
    """What happens when the request is carried out twice."""

    READS = "reads"
    DIALS = "dials"
    CREATES = "creates"
    COSTS = "costs"


class TokenPlace(Flag):
    """The token's place; getpeers needs it in two places (document, "Получить список внутренних номеров")."""

    NOWHERE = 0
    BEARER = auto()
    PATH = auto()
    HEADER = auto()


class Endpoint(NamedTuple):
    """One method of the API. `path` is a template with `{token}`, and `{id}` or `{call_id}` for an id."""

    name: str
    method: str
    path: str
    token_in: TokenPlace
    effect: Effect

    @property
    def reads(self) -> bool:
        """Returns whether sending the request again is harmless."""
        return self.effect is Effect.READS


ADD_AUTORULE = Endpoint("addAutorule", "POST", "/mapi/addAutorule", TokenPlace.BEARER, Effect.CREATES)
GET_AUTORULE = Endpoint("getAutorule", "GET", "/mapi/getAutorule/{id}", TokenPlace.BEARER, Effect.READS)
GET_MY_TRUNKS = Endpoint("getMyTrunks", "GET", "/mapi/getMyTrunks", TokenPlace.BEARER, Effect.READS)
REQUESTCALL = Endpoint("requestcall", "POST", "/requestcall/{token}", TokenPlace.PATH, Effect.DIALS)
OUTCALL = Endpoint("outcall", "POST", "/outcall/{token}", TokenPlace.PATH, Effect.DIALS)
GETPEERS = Endpoint("getpeers", "GET", "/getpeers/{token}", TokenPlace.PATH | TokenPlace.HEADER, Effect.READS)
# A GET that starts an analysis. The document does not say whether it costs: it is treated as if it does.
CALLSENDAI = Endpoint("callsendai", "GET", "/callsendai/{token}/{call_id}", TokenPlace.PATH, Effect.COSTS)
# The vendor's spelling.
CALLGETAIRERESULT = Endpoint(
    "callgetaireresult", "GET", "/callgetaireresult/{token}/{call_id}", TokenPlace.PATH, Effect.READS
)
# The path in `stereoaudio`. Its place of the token is not documented: it gets the usual header.
STEREO = Endpoint("stereo", "GET", "/stereo/{call_id}", TokenPlace.BEARER, Effect.READS)

ENDPOINTS = (
    ADD_AUTORULE,
    GET_AUTORULE,
    GET_MY_TRUNKS,
    REQUESTCALL,
    OUTCALL,
    GETPEERS,
    CALLSENDAI,
    CALLGETAIRERESULT,
    STEREO,
)


class Match(NamedTuple):
    """A typed path: its endpoint, and the path with `{token}` added where it was missing."""

    endpoint: Endpoint
    path: str


def match(method: str, path: str) -> Match:
    """Finds the endpoint of `METHOD PATH`; a query is kept and plays no part.

    Every request counts as dialling, except a GET that is known to read. `{token}` may be missing in a known path
    (`/getpeers` means `/getpeers/{token}`). An unknown path gets the token under `/mapi/`, as the document says for all
    of its methods, and in place of every `{token}`; nowhere else.
    """
    method = method.upper()
    bare, mark, query = path.partition("?")
    given = bare.split("/")
    for endpoint in ENDPOINTS:
        full = _fill(given, endpoint.path.split("/"))
        if endpoint.method == method and full is not None:
            return Match(endpoint, full + mark + query)
    place = TokenPlace.BEARER if bare.startswith("/mapi/") else TokenPlace.NOWHERE
    if TOKEN in path:
        place |= TokenPlace.PATH
    return Match(Endpoint("", method, bare, place, Effect.DIALS), path)


def _fill(given: list[str], template: list[str]) -> str | None:
    if TOKEN in template and len(given) == len(template) - 1:
        place = template.index(TOKEN)
        given = [*given[:place], TOKEN, *given[place:]]
    if len(given) != len(template):
        return None
    fits = all(
        segment == want or (want.startswith("{") and segment != "")
        for segment, want in zip(given, template, strict=True)
    )
    return "/".join(given) if fits else None
