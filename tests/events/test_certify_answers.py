"""What each answer is worth: the rules of the document, and a sentence for each way to break them."""

import pytest

from alovoice_cli.events.certify.trial import AnswerVerdict, judge
from alovoice_cli.posts import Posted


def given_answer(body: bytes, status: int | None = 200, seconds: float = 0.01, error: str = "") -> Posted:
    """What a handler answered."""
    return Posted(status, body, error, seconds)


def _said(verdict: AnswerVerdict) -> list[str]:
    return [("note: " if problem.soft else "") + problem.happened for problem in verdict.problems]


@pytest.mark.parametrize(
    ("body", "call_id"),
    [
        (b"1", 1),
        (b"123456789012\n", 123456789012),
        (b"007", "007"),
        (b"a" * 32, "a" * 32),
        ("қўнғироқ-17".encode(), "қўнғироқ-17"),
        (b"", None),
        (b'{"callto": "99 123 45 67"}', None),
        (b'{"callto": "+998991234567"}', None),
    ],
)
def test_what_the_document_allows_a_callstart_to_be_answered(body: bytes, call_id: object) -> None:
    assert judge("callstart", given_answer(body)) == AnswerVerdict((), call_id)  # type: ignore[arg-type]  # a text, an integer or None


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"1234567890123", "answered a number of 13 digits"),
        (b"a" * 33, "answered 33 characters"),
        (b"true", "answered `true`, which the PBX reads as the id of the call"),
        (b"None", "answered `None`, which the PBX reads as the id of the call"),
        (b"<!doctype html>", "answered a web page"),
        (b'{"id": 5}', "answered a JSON object without `callto`"),
        (b'{"callto": 991234567}', "redirects to `991234567`, which is not a phone number in a string"),
        (b'{"callto": "reception"}', 'redirects to `"reception"`, which is not a phone number in a string'),
        (b"{callto", "answered `{callto`, which is not valid JSON"),
        (b"{callto: '99 123 45 67'}", "note: answered a redirect without quotes around `callto`"),
        (b'"17"', "note: put the id in quotes"),
        (b"[17]", "answered `[17]`, which is not a valid id"),
        (b"17\n18", "answered `17 18`, which is not a valid id"),
        (b"\xff\xfe", "answered bytes that are not UTF-8 text"),
        (b"a\x1b[2J", "answered `a^[[2J`, which is not a valid id"),
    ],
)
def test_what_is_wrong_with_an_answer_to_a_callstart(body: bytes, said: str) -> None:
    verdict = judge("callstart", given_answer(body))
    assert _said(verdict) == [said]
    assert all(problem.remedy for problem in verdict.problems)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (given_answer(b"true"), []),
        (given_answer(b" true\r\n"), []),
        (given_answer(b"true", 201), ["note: answered 201 with `true`"]),
        (given_answer(b""), ["answered an empty body instead of `true`"]),
        (given_answer(b"True"), ["answered `True` instead of `true`"]),
        (given_answer(b"true", 302), ["answered 302, a redirect"]),
        (given_answer(b"true", 404), ["answered 404"]),
        (given_answer(b"", None, 10.0, "no answer in time"), ["gave no answer (no answer in time)"]),
    ],
)
def test_what_an_answer_to_an_end_is_worth(given: Posted, said: list[str]) -> None:
    assert _said(judge("callend", given)) == said


@pytest.mark.parametrize(
    "body",
    [
        b'{"action_type": "peer", "action_data": "2000"}',
        b'{"action_type": "queue", "action_data": "6000"}',
        b'{"action_type": "ivr", "action_data": "111", "note": 1}',
        b'{"action_type": "trunk", "action_data": "+998987654321"}',
        b'{"action_type": "hangup", "action_data": "123"}',
        b'{"action_type": "hangup"}',
    ],
)
def test_the_five_steps(body: bytes) -> None:
    assert judge("route", given_answer(body)) == AnswerVerdict()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"action_type": "queue", "action_data": 6000}', "gave queue the argument `6000`, which is not a string"),
        (b'{"action_type": "queue"}', "gave queue the argument `null`, which is not a string"),
        (b'{"action_type": "queue", "action_data": "sales"}', "gave queue the argument `sales`"),
        (b'{"action_type": "park", "action_data": "1"}', 'answered the step `"park"`'),
        (b'{"action_data": "1"}', "answered the step `null`"),
        (b'{"action_type": ["queue"], "action_data": "1"}', 'answered the step `["queue"]`'),
        (b'{action_type: "queue", action_data: "6000"}', 'answered `{action_type: "queue", action_data: "60…`'),
        (b'["queue", "6000"]', "answered JSON that is not an object"),
        (b"", "answered an empty body instead of JSON"),
        (b"[" * 100_000, "answered `[[["),
    ],
)
def test_what_cuts_a_caller_off(body: bytes, said: str) -> None:
    (problem,) = judge("route", given_answer(body)).problems
    assert problem.happened.startswith(said)
    assert problem.happened.endswith(": the caller would be disconnected")
    assert problem.remedy


def test_a_failing_route_handler_cuts_the_caller_off_too() -> None:
    (problem,) = judge("route", given_answer(b"", 500)).problems
    assert problem.happened == "answered 500: the caller would be disconnected"


def test_a_hangup_with_null_is_noted_and_passes() -> None:
    (problem,) = judge("route", given_answer(b'{"action_type": "hangup", "action_data": null}')).problems
    assert problem.soft


@pytest.mark.parametrize(
    ("seconds", "said"), [(1.0, []), (1.2, ["note: took 1.2 s"]), (1.99, ["note: took 2.0 s"]), (2.0, ["took 2.0 s"])]
)
def test_an_answer_over_a_second_is_noted_and_from_two_on_a_fault(seconds: float, said: list[str]) -> None:
    assert _said(judge("callstart", given_answer(b"1", 200, seconds))) == said
    assert _said(judge("result", given_answer(b"true", 200, seconds))) == said
    assert _said(judge("route", given_answer(b'{"action_type": "hangup"}', 200, seconds))) == said
