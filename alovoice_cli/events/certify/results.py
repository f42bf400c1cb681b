"""Cases of call results (API, section 5). The form of a result is barely documented: every reading is sent."""

from alovoice_cli.events.certify.case import Case, Kinds
from alovoice_cli.events.certify.trial import ABSENT, Trial
from alovoice_cli.events.handler import FORM_TYPE
from alovoice_cli.events.samples import as_json

_RESULT: Kinds = ("result",)
_BRACKETED = ("id", "from_number", "to_number", "trunk_number", "begin_time")
"""The five that the document writes with `[]` before their names."""


def _brackets(trial: Trial) -> None:
    for of, (before, behind) in enumerate((("[]", ""), ("", "[]"))):
        body = trial.result_body(of=of)
        trial.told(
            "result",
            {f"{before}{name}{behind}" if name in _BRACKETED else name: item for name, item in body.items()},
        )


def _list(trial: Trial) -> None:
    trial.told("result", [trial.result_body(of=of) for of in range(3)])


def _form(trial: Trial) -> None:
    body = trial.result_body(attempts="[]")
    trial.form("result", body)
    trial.form("result", {f"{name}[]": item for name, item in trial.result_body(of=1, attempts="[]").items()})


def _as_text(trial: Trial) -> None:
    body = trial.result_body()
    trial.told("result", {name: str(item) if isinstance(item, int) else item for name, item in body.items()})


def _header(trial: Trial) -> None:
    for of, content_type in enumerate((FORM_TYPE, "text/plain", "")):
        trial.raw("result", as_json(trial.result_body(of=of)), content_type)


def _attempts(trial: Trial) -> None:
    one = {"number": "994412860", "status": "BUSY"}
    for of, attempts in enumerate(([one], {"1": one}, "1: BUSY", "")):
        trial.result(of=of, attempts=attempts)


def _never_answered(trial: Trial) -> None:
    for of, missing in enumerate((None, 0, ABSENT)):
        trial.result(of=of, answer_time=missing, duration=0, record=missing, dialstatus="NO ANSWER")


def _twice(trial: Trial) -> None:
    trial.result()
    trial.result()


def _not_ours(trial: Trial) -> None:
    trial.result(externalid=ABSENT)
    trial.result(of=1, externalid="CRM-ў-17")


RESULTS = (
    Case(
        "result-documented",
        _RESULT,
        "one JSON object, both blocks of fields",
        "answer 200 with the text true",
        lambda trial: trial.result(),
    ),
    Case(
        "result-brackets",
        _RESULT,
        "keys as the document writes them: []id, id[]",
        "read `[]id` and `id[]` as `id`",
        _brackets,
    ),
    Case("result-list", _RESULT, "a list of three results", "take each object of a list as a result", _list),
    Case("result-form", _RESULT, "form fields in place of JSON", "read form fields as it reads JSON", _form),
    Case("result-text-numbers", _RESULT, "whole numbers written as texts", 'read "35" as it reads 35', _as_text),
    Case(
        "result-no-json-header",
        _RESULT,
        "JSON whose header says form, text or nothing",
        "parse the body as JSON whatever Content-Type says",
        _header,
    ),
    Case(
        "result-attempts",
        _RESULT,
        "`attempts` as a list, an object, a text",
        "take `attempts` in each of its three documented types",
        _attempts,
    ),
    Case(
        "result-not-answered",
        _RESULT,
        "nobody answered: times null, 0 or absent",
        "do without answer_time and record where nobody answered",
        _never_answered,
    ),
    Case("result-twice", _RESULT, "the same result, twice", "answer true again, and count it once", _twice),
    Case(
        "result-not-ours",
        _RESULT,
        "no `externalid`, and one with letters",
        "answer true for a call that it did not ask for",
        _not_ours,
        need="recommended",
    ),
)
