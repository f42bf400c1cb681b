"""Speech analytics (document, "GET методы речевой аналитики записанных разговоров")."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypedDict, cast

from alovoice_cli.api.downloads import ENDINGS, LARGEST, ChangedError, PartFile
from alovoice_cli.api.endpoints import CALLGETAIRERESULT, CALLSENDAI, STEREO
from alovoice_cli.api.reply import Reply
from alovoice_cli.api.request import Request, segment, typed_path
from alovoice_cli.api.transport import Progress
from alovoice_cli.errors import AlovoiceError, ExitCode, RefusedError, ServerError, UsageError
from alovoice_cli.language import tr

if TYPE_CHECKING:
    from alovoice_cli.api.client import Client

_NO_SUCH_RANGE = 416
_MEETS_ALL = (ExitCode.USAGE, ExitCode.AUTH, ExitCode.NETWORK)


class WireFragment(TypedDict, total=False):
    """One utterance; `begin` and `end` in milliseconds from the start of the recording."""

    begin: int
    end: int
    direction: Literal["operator", "client"]
    text: str
    fragment_id: str


class WireTag(TypedDict, total=False):
    """A rule's verdict; `begin`, `end`, `match_text` and `fragment_id` exist only where a phrase matched."""

    name: str
    value: str
    visible: object
    tag_type: str
    begin: int
    end: int
    match_text: str
    fragment_id: str


class Analysis(TypedDict, total=False):
    """The content of `answer`. Without `stalk` the analysis is not ready yet (an assumption, not documented)."""

    begin_time: int
    aicallid: str
    stalk: list[WireFragment]
    tags: list[WireTag]
    stereoaudio: str


class AnalysisAnswer(TypedDict, total=False):
    """The answer of callsendai and callgetaireresult."""

    answer: Analysis


@dataclass(frozen=True, slots=True)
class Sending:
    """The outcome of one requested analysis: an answer, a problem, or neither (not sent)."""

    call_id: str
    answer: AnalysisAnswer | None
    problem: AlovoiceError | None

    def as_json(self) -> dict[str, object]:
        """Returns the outcome, and the server's whole answer."""
        problem = self.problem.as_json() if self.problem else None
        return {"call_id": self.call_id, "outcome": self.outcome, "answer": self.answer, "error": problem}

    @property
    def ends_all(self) -> bool:
        """Returns whether the next requests would fail alike: no token, no network, a bad setting."""
        return self.answer is None and (self.problem is None or self.problem.exit_code in _MEETS_ALL)

    @property
    def outcome(self) -> str:
        """Returns `done`, `refused`, `unsent` or `unknown`."""
        if self.answer is not None:
            return "done"
        if self.problem is None or self.problem.sent == "no":
            return "unsent"
        return "unknown" if self.problem.exit_code is ExitCode.UNKNOWN_OUTCOME else "refused"


class AiApi:
    """`client.ai`."""

    def __init__(self, client: "Client") -> None:
        self._client = client

    def send(self, call_id: str) -> AnalysisAnswer:
        """Starts an analysis (callsendai: a GET with an effect, which may cost)."""
        return self._send(call_id, planned=1)

    def send_each(self, call_ids: Sequence[str]) -> list[Sending]:
        """Starts several analyses, one request each, in order; a repeated id is sent once.

        A refused or unknown request does not stop the others. An error that would stop each of them alike (no token, no
        network) does. Raises UsageError before the first request for an id that a path cannot contain.
        """
        call_ids = list(dict.fromkeys(call_ids))
        for call_id in call_ids:
            segment(call_id)
        sendings: list[Sending] = []
        for call_id in call_ids:
            if sendings and sendings[-1].ends_all:
                sendings.append(Sending(call_id, None, None))
                continue
            try:
                sendings.append(Sending(call_id, self._send(call_id, planned=len(call_ids)), None))
            except AlovoiceError as problem:
                if not sendings and problem.exit_code is ExitCode.USAGE:
                    raise  # nothing was sent, and nothing will be: one error is enough
                sendings.append(Sending(call_id, None, problem))
        return sendings

    def _send(self, call_id: str, *, planned: int) -> AnalysisAnswer:
        path = f"/callsendai/{{token}}/{segment(call_id)}"
        summary = {"call_id": call_id}
        request = Request(CALLSENDAI, path, command="ai send", our_id=call_id, summary=summary, planned=planned)
        return self._client.send(request, _read)

    def result(self, call_id: str) -> AnalysisAnswer:
        """Returns the analysis in its present state (callgetaireresult); without `stalk` it is not ready."""
        path = f"/callgetaireresult/{{token}}/{segment(call_id)}"
        return self._client.send(Request(CALLGETAIRERESULT, path, command="ai result"), _read)

    def audio(
        self,
        where: str,
        target: Path,
        *,
        force: bool = False,
        largest: int = LARGEST,
        progress: Progress | None = None,
    ) -> int:
        """Saves the recording of `stereoaudio`, a path or a URL on the PBX itself; returns its size in bytes.

        Raises UsageError before any connection for another server (the token would go there) and for an existing file
        (`force` replaces it); ServerError for a recording over `largest` bytes or an incomplete one: then no file
        remains.
        """
        return self.recording(where, target, force=force, largest=largest, progress=progress)[1]

    def recording(
        self,
        where: str,
        target: Path,
        *,
        named: bool = True,
        force: bool = False,
        resume: bool = False,
        largest: int = LARGEST,
        progress: Progress | None = None,
    ) -> tuple[Path, int]:
        """Saves as `audio` does, and returns the file too. Unless `named`, the name gets a fitting ending.

        With `resume` an interrupted download stays as `NAME.part` and continues next time. Where the PBX cannot
        continue (no ranges, or another recording), everything is fetched again.
        """
        path = self._path(where)
        there = None if named or force else self.saved(target, named=named)
        if there is not None:
            raise UsageError(tr("{path} already exists", path=there), hint=tr("choose another name, or add --force"))
        for resumes in (resume, False):
            with PartFile(target, force=force, largest=largest, progress=progress, resume=resumes) as part:
                if not self._fetch(path, part):
                    part.discard()
                    continue
                part.keep(ending=not named)
                break
        return part.target, part.written

    def _fetch(self, path: str, part: PartFile) -> bool:
        """Fills the part. Returns False where the download cannot continue."""
        headers = (("Range", f"bytes={part.start}-"),) if part.start else ()
        try:
            self._client.send(Request(STEREO, path, headers=headers, command="ai audio"), _nothing, sink=part)
        except (ChangedError, RefusedError) as error:
            if part.start and (isinstance(error, ChangedError) or error.status == _NO_SUCH_RANGE):
                return False
            raise
        if not part.written:
            raise ServerError(tr("the recording is empty"), hint=tr("try again later: it may not be ready yet"))
        return True

    def saved(self, target: Path, *, named: bool) -> Path | None:
        """Returns the file that an earlier `recording` with these arguments saved, if it exists."""
        names = [target] if named else [target.with_name(target.name + ending) for ending in ENDINGS]
        return next((path for path in names if path.is_file()), None)

    def _path(self, where: str) -> str:
        address = self._client.address
        if where.startswith("/") and not where.startswith("//"):
            path = where
        elif "://" in where and address.same_origin(where):
            path = "/" + where.partition("://")[2].partition("/")[2]
        else:
            raise UsageError(
                tr("the recording {where} is not on {host}", where=repr(where), host=address.host),
                hint=tr("only recordings of this PBX are downloaded"),
            )
        return typed_path(path.removeprefix(address.prefix)).replace("{token}", "%7Btoken%7D")


def _read(reply: Reply) -> AnalysisAnswer:
    return cast(AnalysisAnswer, reply.json_object())


def _nothing(reply: Reply) -> None:
    """Returns nothing: the sink has received the body."""
