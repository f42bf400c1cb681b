"""Cases of callend (API, section 6): whatever it says, the PBX wants 200 and `true`."""

from alovoice_cli.events.certify.case import Case, Kinds
from alovoice_cli.events.certify.trial import ABSENT, Trial
from alovoice_cli.events.handler import FORM_TYPE
from alovoice_cli.events.samples import as_json, sample

_END: Kinds = ("callend",)
_CALL: Kinds = ("callend", "callstart")
_STATUSES = ("200", "304", "603", "603-S", "403", "404", "486", "484", "503", "480", "402", "423", "OTHER")
_UNKNOWN = (0, 199, 487, 999, "603-X", "ANSWER", "")
_LETTERS = ("e5e456se456s56w456", "A-1/b_2.c", "01H9ZX4T7K3M5N6P8Q0RSTVWXY")


def _documented(trial: Trial) -> None:
    trial.end(trial.start())


def _statuses(trial: Trial) -> None:
    """Every other one as a number, where it is one."""
    for of, status in enumerate(_STATUSES):
        call = trial.start(of=of)
        trial.end(call, status_code=int(status) if status.isdigit() and of % 2 else status)


def _unknown_statuses(trial: Trial) -> None:
    for of, status in enumerate(_UNKNOWN):
        trial.end(trial.start(of=of), status_code=status, duration=0)


def _letters(trial: Trial) -> None:
    for call_id in _LETTERS:
        trial.end(call_id)


def _other_type(trial: Trial) -> None:
    """The id back as the other of integer and text."""
    call = trial.start()
    trial.end(str(call) if isinstance(call, int) else call)


def _as_text(trial: Trial) -> None:
    moment = int(trial.moment(30).timestamp())
    trial.end(trial.start(), duration="30", finish_time=str(moment))


def _as_vendor_curl(trial: Trial) -> None:
    for of, content_type in enumerate((FORM_TYPE, "text/plain", "")):
        body = {**sample("callend", trial.moment(30)), "call_id": trial.start(of=of) or f"certify-{of}"}
        trial.raw("callend", as_json(body), content_type)


def _form(trial: Trial) -> None:
    trial.form("callend", {**sample("callend", trial.moment(30)), "call_id": trial.start() or "certify"})


def _no_id(trial: Trial) -> None:
    trial.end(None)


def _empty_id(trial: Trial) -> None:
    for call_id in (None, "", 0):
        trial.end(None, call_id=call_id)


def _no_record(trial: Trial) -> None:
    for of, record in enumerate(("", None, ABSENT)):
        trial.end(trial.start(of=of), status_code=304, duration=0, record=record)


def _long(trial: Trial) -> None:
    record = "https://cld.alovoice.uz/play/" + "a" * 1960
    trial.end("x" * 32, record=record, duration=86_399)


ENDS = (
    Case("end-documented", _CALL, "the end of a call that it named", "answer 200 with the text true", _documented),
    Case(
        "end-statuses",
        _CALL,
        "all 13 status codes, numbers and texts mixed",
        "take every status of the document's list: 603-S and OTHER are no numbers",
        _statuses,
    ),
    Case(
        "end-unknown-statuses",
        _CALL,
        "status codes that are in no list",
        "keep a status that it does not know as it came, and answer true",
        _unknown_statuses,
    ),
    Case(
        "end-id-letters",
        _END,
        "call ids with letters, that it never gave",
        "take a call_id for a text, and answer true for one that it does not know",
        _letters,
    ),
    Case(
        "end-id-as-text",
        _CALL,
        "the id that it gave, back as a text",
        'find the call by "17" as by 17: `call_id` is integer or string',
        _other_type,
    ),
    Case(
        "end-no-id",
        _END,
        "a callend without `call_id`",
        "answer true: a call that was given no id ends without one",
        _no_id,
    ),
    Case(
        "end-text-numbers",
        _CALL,
        "duration and time written as texts",
        'read "30" as it reads 30',
        _as_text,
    ),
    Case(
        "end-no-json-header",
        _CALL,
        "JSON whose header says form, text or nothing",
        "parse the body as JSON whatever Content-Type says: the vendor's own curl sends it so",
        _as_vendor_curl,
    ),
    Case(
        "end-long",
        _END,
        "an id of 32 characters, a record URL of 2,000",
        "store an id of 32 characters and a record of any length",
        _long,
    ),
    Case(
        "end-no-record",
        _CALL,
        "a missed call: `record` empty, null, absent",
        "answer true where there is no record",
        _no_record,
        need="recommended",
    ),
    Case(
        "end-empty-id",
        _END,
        "`call_id` null, empty or 0",
        "treat an empty call_id as a missing one",
        _empty_id,
        need="recommended",
    ),
    Case(
        "end-form",
        _CALL,
        "form fields in place of JSON",
        "read form fields as it reads JSON",
        _form,
        need="recommended",
    ),
)
