"""Cases of callstart (API, section 6): one event each, in every form that the document's words allow."""

from alovoice_cli.events.certify.case import Case, Kinds
from alovoice_cli.events.certify.trial import Trial
from alovoice_cli.events.handler import FORM_TYPE
from alovoice_cli.events.samples import as_json

_START: Kinds = ("callstart",)
_ODD_NUMBERS = ("anonymous", "", "+", "+998 (90) 123-45-67", "sip:2000@10.0.0.1", "00998901234567", "102")


def _directions(trial: Trial) -> None:
    for each in ("out", "int"):
        trial.start(of=len(each), type=each)


def _as_text(trial: Trial) -> None:
    body = trial.start_body()
    trial.start(inner_phone=str(body["inner_phone"]), start_time=str(body["start_time"]))


def _as_vendor_curl(trial: Trial) -> None:
    for of, content_type in enumerate((FORM_TYPE, "text/plain", "")):
        trial.raw("callstart", as_json(trial.start_body(of=of)), content_type)


def _odd_numbers(trial: Trial) -> None:
    for of, number in enumerate(_ODD_NUMBERS):
        trial.start(at=of, number=number)


def _repeated(trial: Trial) -> None:
    first, second = trial.start(), trial.start()
    if first is not None and first != second:
        trial.fault(f"named one call {first} and then {second}")


def _without_optional(trial: Trial) -> None:
    trial.raw("callstart", as_json({"number": trial.number(), "type": "inc"}))


STARTS = (
    Case(
        "start-documented",
        _START,
        "the document's own body",
        "answer with the call's id alone, in plain text, or with nothing",
        lambda trial: trial.start(),
    ),
    Case(
        "start-directions",
        _START,
        "calls out, and calls between extensions",
        "take `type` out and int as it takes inc",
        _directions,
    ),
    Case(
        "start-line-number",
        _START,
        "`line` as a number, not a text",
        "take `line` as a number and as a text: the document allows both",
        lambda trial: trial.start(line=712037006),
    ),
    Case(
        "start-text-numbers",
        _START,
        "whole numbers written as texts",
        'read "2424" as it reads 2424',
        _as_text,
    ),
    Case(
        "start-no-json-header",
        _START,
        "JSON whose header says form, text or nothing",
        "parse the body as JSON whatever Content-Type says: the vendor's own curl sends it so",
        _as_vendor_curl,
    ),
    Case(
        "start-long",
        _START,
        "the longest values: 15 digits, a long line",
        "store numbers and lines of any length that a phone has",
        lambda trial: trial.start(number="+" + "9" * 15, inner_phone=999_999_999_999, line="7120370060" * 6),
    ),
    Case(
        "start-repeated",
        _START,
        "one callstart, delivered twice",
        "answer a repetition with the first one's id, for a repeat cannot be told from a new call otherwise",
        _repeated,
        need="recommended",
    ),
    Case(
        "start-odd-numbers",
        _START,
        "anonymous, empty, spaced and SIP numbers",
        "take a number that is none for what it is, and still register the call",
        _odd_numbers,
        need="recommended",
    ),
    Case(
        "start-utf8",
        _START,
        "letters: Тошкент офиси, Oʻzbekiston, an emoji",
        "read the body as UTF-8, and store letters outside of ASCII",
        lambda trial: trial.start(line="Тошкент офиси · Oʻzbekiston 😀"),
        need="recommended",
    ),
    Case(
        "start-unknown-field",
        _START,
        "fields that no document names",
        "ignore fields that it does not know",
        lambda trial: trial.start(queue="6000", tags=["vip"], extra={"a": None}),
        need="recommended",
    ),
    Case(
        "start-bare",
        _START,
        "a callstart of number and type alone",
        "do without the fields that it does not get",
        _without_optional,
        need="recommended",
    ),
    Case(
        "start-form",
        _START,
        "form fields in place of JSON",
        "read form fields as it reads JSON",
        lambda trial: trial.form("callstart", trial.start_body()),
        need="recommended",
    ),
)
