"""What the server sends, as the document shows it. Nothing is converted, and fields not named here survive."""

from dataclasses import dataclass
from typing import Literal, TypedDict


class Campaign(TypedDict, total=False):
    """The answer of addAutorule and getAutorule. Numbers may come as text: `maxline` does in both samples.

    `from` and `to` come back as `YYYY-MM-DD`, `totime` with `:59`, `trunks` as the server's own ids.
    """

    id: int | str
    name: str
    fromtime: str
    totime: str
    trunks: list[str]
    record: str
    recipients: int | str
    maxline: int | str
    goodtime: int | str
    tryes: int | str
    paused: int | str
    status: str
    timezone: int | str
    updatedAt: str
    createdAt: str


class Peer(TypedDict, total=False):
    """An extension, in the long or the short shape. `secret`, `windowsapp` and `mobileqr` are secrets."""

    id: int
    number: int | str
    username: int | str
    secret: str
    type: str
    paystatus: str
    status: str
    block: int
    dnd: bool
    isws: bool
    lastip: str | None
    isdef: object
    extnumber: str
    rule: int
    trunk_id: int
    amoid: object
    bxid: object
    windowsapp: str
    mobileqr: str
    payto: int


class WireFragment(TypedDict, total=False):
    """One utterance; `begin` and `end` in milliseconds from the start of the recording."""

    begin: int
    end: int
    direction: Literal["operator", "client"]
    text: str
    fragment_id: str


class WireTag(TypedDict, total=False):
    """A rule's verdict; the place (`begin`, `end`, `match_text`, `fragment_id`) only where a phrase matched."""

    name: str
    value: str
    visible: object
    tag_type: str
    begin: int
    end: int
    match_text: str
    fragment_id: str


class Analysis(TypedDict, total=False):
    """What is under `answer`. Without `stalk` the analysis is not ready yet (our reading: it is not documented)."""

    begin_time: int
    aicallid: str
    stalk: list[WireFragment]
    tags: list[WireTag]
    stereoaudio: str


class AnalysisAnswer(TypedDict, total=False):
    """The answer of callsendai and callgetaireresult."""

    answer: Analysis


@dataclass(frozen=True, slots=True)
class Party:
    """Who is rung, and in which language the sound files speak; without `lang` the server chooses `ru`."""

    phone: str
    lang: str = ""

    def as_json(self) -> dict[str, str]:
        """The form on the wire."""
        return {"phone": self.phone, "lang": self.lang} if self.lang else {"phone": self.phone}
