"""Cases of the route question (API, section 9): a caller waits, and a wrong answer ends the call at once."""

from functools import partial

from alovoice_cli.events.certify.case import Case, Kinds
from alovoice_cli.events.certify.trial import ABSENT, Trial
from alovoice_cli.events.handler import FORM_TYPE
from alovoice_cli.events.pacing import at_rate
from alovoice_cli.events.samples import as_json, sample

_ROUTE: Kinds = ("route",)
_ODD_NUMBERS = ("anonymous", "", "+998901234567", "998 90 123-45-67", "102", "9" * 15)


def _header(trial: Trial) -> None:
    for content_type in (FORM_TYPE, "text/plain", ""):
        trial.raw("route", as_json(sample("route", trial.moment())), content_type)


def _odd_numbers(trial: Trial) -> None:
    for number in _ODD_NUMBERS:
        trial.ask(from_number=number)


def _many(trial: Trial) -> None:
    jobs = [partial(trial.ask, from_number=trial.number(of)) for of in range(10)]
    list(at_rate(jobs, 100.0, sleep=trial.bench.sleep, monotonic=trial.bench.monotonic))


ROUTES = (
    Case("route-documented", _ROUTE, "the document's own question", "answer with one of the five steps", Trial.ask),
    Case(
        "route-no-queue",
        _ROUTE,
        "a question without `queue_number`",
        "answer with a step although there is no queue",
        lambda trial: trial.ask(queue_number=ABSENT),
    ),
    Case(
        "route-out",
        _ROUTE,
        "a call out",
        "answer with a step for the direction out too",
        lambda trial: trial.ask(direction="out"),
    ),
    Case(
        "route-text-numbers",
        _ROUTE,
        "`queue_number` a text, the line a number",
        'read "6000" as it reads 6000',
        lambda trial: trial.ask(queue_number="6000", line_number=712037006),
    ),
    Case(
        "route-no-json-header",
        _ROUTE,
        "JSON whose header says form, text or nothing",
        "parse the body as JSON whatever Content-Type says",
        _header,
    ),
    Case(
        "route-odd-numbers",
        _ROUTE,
        "anonymous, empty, spaced and short numbers",
        "answer with a step, whoever calls: a number that it cannot read is a caller all the same",
        _odd_numbers,
    ),
    Case(
        "route-many",
        _ROUTE,
        "ten questions at the same time",
        "answer each within two seconds, also when several callers wait",
        _many,
    ),
    Case(
        "route-unknown-field",
        _ROUTE,
        "fields that no document names",
        "ignore fields that it does not know",
        lambda trial: trial.ask(call_id="17", extra={"a": None}),
        need="recommended",
    ),
)
