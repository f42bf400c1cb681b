"""What is looked at before a campaign is created, besides its files and its days: lines, clock, limits."""

import io
from typing import Any

import pytest

from alovoice_cli.campaigns.campaign_record import CreatedCampaign
from alovoice_cli.campaigns.preflight import (
    LIMITS,
    CampaignLimits,
    PbxAnswer,
    busy_findings,
    limit_findings,
    maxline_findings,
    pbx_findings,
    twin_findings,
)
from alovoice_cli.campaigns.recipients import read_recipients
from alovoice_cli.errors import (
    AlovoiceError,
    NotFoundError,
    RateLimitedError,
    RedirectedError,
    RefusedError,
    ServerError,
    TokenRefusedError,
    UnreachableError,
    UsageError,
)
from alovoice_cli.findings import Finding, Severity

LINES = ["998712037006", "998712037007"]
# Three people, a repeated one, and a cell that would be dialled though it is no number.
PEOPLE = read_recipients(
    io.BytesIO(b"phone\n998901234567\n998911234567\n901234567\n49301234567\n+77012345678\n"), "clients.csv"
)


def limited(*more: str, cleaned: bool = True, made: int = 0, planned: int = 1, **limits: Any) -> list[Finding]:
    known = CampaignLimits(overridden=frozenset(more), **limits)
    return list(limit_findings(known, PEOPLE, made, planned, cleaned=cleaned))


@pytest.mark.parametrize("maxline", [None, 1, 2])
def test_as_many_calls_as_there_are_lines_are_fine(maxline: int | None) -> None:
    assert list(maxline_findings(LINES, maxline)) == []


def test_more_calls_than_lines_are_a_warning() -> None:
    (found,) = maxline_findings(LINES, 3)
    assert (found.severity, found.code) == (Severity.WARNING, "maxline")
    assert found.message == "maxline 3 is more than the 2 lines of the campaign"
    assert found.hint == "if a line of yours cannot carry several calls, give a smaller --maxline"


def test_lines_are_known_with_and_without_their_plus() -> None:
    answer = PbxAnswer(["+998712037006", "998712037007"], 0, None)
    assert list(pbx_findings(["998712037006", "+998712037007"], answer, strict=True)) == []


def test_lines_that_the_pbx_has_not_are_named_with_those_that_it_has() -> None:
    (found,) = pbx_findings(["1", *LINES, "2"], PbxAnswer(LINES, None, None), strict=False)
    assert (found.severity, found.code) == (Severity.ERROR, "unknown_line")
    assert found.message == "this PBX has no line 1, 2; it has 998712037006, 998712037007"
    assert found.hint == "see `alovoice trunks`"
    (found,) = pbx_findings(["1"], PbxAnswer([], None, None), strict=False)
    assert found.message == "this PBX has no line 1; it has no lines"


def test_without_an_answer_about_lines_nothing_is_said_of_them() -> None:
    assert list(pbx_findings(["1"], PbxAnswer(None, None, None), strict=True)) == []


STOPPING = [
    UnreachableError("no"),
    TokenRefusedError("no", status=401),
    RateLimitedError("no"),
    RedirectedError("no", status=300),
    RedirectedError("no", status=399),
    ServerError("no", status=500),
    ServerError("no", status=503),
]
PASSING = [
    NotFoundError("no", status=404, hint="see the address"),
    RefusedError("no", status=400),
    ServerError("no", status=200),
    ServerError("no", status=299),
    ServerError("no", status=499),
    ServerError("no"),
]


@pytest.mark.parametrize("problem", STOPPING, ids=repr)
def test_what_would_stop_the_creation_too_stops_it_before(problem: AlovoiceError) -> None:
    with pytest.raises(type(problem)):
        list(pbx_findings(LINES, PbxAnswer(None, None, problem), strict=True))


@pytest.mark.parametrize(
    ("problem", "strict"), [*((one, True) for one in PASSING), *((one, False) for one in (*STOPPING, *PASSING))]
)
def test_a_pbx_that_does_not_list_its_lines_is_a_warning(problem: AlovoiceError, strict: bool) -> None:
    (found,) = pbx_findings(LINES, PbxAnswer(None, 0, problem), strict=strict)
    assert (found.severity, found.code, found.hint) == (Severity.WARNING, "lines_unchecked", problem.hint)
    assert found.message == "the lines were not checked: no"


@pytest.mark.parametrize(
    ("skew", "words"),
    [
        (None, None),
        (120, None),
        (-120, None),
        (121, "this computer's clock is 121 s ahead of the server's"),
        (-121, "this computer's clock is 121 s behind the server's"),
    ],
)
def test_a_clock_that_differs_by_more_than_two_minutes_is_a_warning(skew: int | None, words: str | None) -> None:
    found = list(pbx_findings(LINES, PbxAnswer(LINES, skew, None), strict=True))
    assert [one.message for one in found] == [words] * (words is not None)
    for one in found:
        assert (one.severity, one.code) == (Severity.WARNING, "clock")
        assert one.hint == "set the clock: it decides which day is today, and which window is past"


def test_each_campaign_on_the_same_lines_is_told_once_with_all_of_them() -> None:
    first, second = busy_findings([("1", "124"), ("2", "125"), ("3", "124")])
    assert first.message == "campaign 124 calls from the same lines in the same hours: 1, 3"
    assert second.message == "campaign 125 calls from the same lines in the same hours: 2"
    assert (first.severity, first.code) == (Severity.WARNING, "busy_line")
    assert first.hint == "choose other lines or hours, or share them"


def test_an_equal_campaign_is_an_error_and_without_one_there_is_nothing_to_say() -> None:
    assert list(twin_findings(None)) == []
    now = "2026-11-25T05:00:00+00:00"
    twin = CreatedCampaign(
        "R-7F3K", "p", "d", {"name": "Autumn"}, None, None, 2, now, 7, "done", 0, now, "124", None, None
    )
    (found,) = twin_findings(twin)
    assert (found.severity, found.code) == (Severity.ERROR, "twin")
    assert found.message == "the same campaign was created within the last 24 hours: 124"
    assert found.hint == "see `alovoice autorule get 124`; to create it again, add --allow-duplicate"


def test_a_misspelt_limit_is_refused_with_the_names_that_there_are() -> None:
    with pytest.raises(UsageError, match="there is no limit 'max_recipient'") as refused:
        CampaignLimits(overridden=frozenset({"max_recipient"}))
    assert refused.value.hint == f"limits: {', '.join(LIMITS)}"
    assert CampaignLimits(overridden=frozenset(LIMITS)).overridden == set(LIMITS)


def test_no_limit_is_exceeded_where_there_is_none() -> None:
    assert limited() == []
    assert limited(max_recipients=4, allowed_prefixes=("998", "77", "49"), max_campaigns_per_day=1, cleaned=False) == []


def test_people_are_counted_once_and_with_what_goes_out_though_it_is_no_number() -> None:
    assert limited(max_recipients=3) == []
    (found,) = limited(max_recipients=3, cleaned=False)
    assert (found.severity, found.code, found.limit) == (Severity.ERROR, "max_recipients", "max_recipients")
    assert found.message == "4 numbers, and the profile allows 3"
    assert found.hint == "if this is intended, add --override-limit max_recipients"


def test_a_limit_of_nobody_is_a_limit() -> None:
    assert [found.message for found in limited(max_recipients=0)] == ["3 numbers, and the profile allows 0"]


def test_numbers_outside_the_prefixes_are_told_with_their_rows() -> None:
    (found,) = limited(allowed_prefixes=("99890", "77"))
    assert (found.code, found.file, list(found.lines)) == ("allowed_prefixes", "clients.csv", [3])
    assert found.message == "1 number outside the prefixes 99890, 77 that the profile allows: row 3"
    (found,) = limited(allowed_prefixes=("998", "77"), cleaned=False)
    assert (found.severity, list(found.lines)) == (Severity.ERROR, [5])


@pytest.mark.parametrize(("made", "planned", "exceeded"), [(0, 2, False), (1, 1, False), (2, 1, True), (0, 3, True)])
def test_so_many_campaigns_a_day_count_those_to_be_created(made: int, planned: int, exceeded: bool) -> None:
    found = limited(max_campaigns_per_day=2, made=made, planned=planned)
    assert [one.code for one in found] == ["max_campaigns_per_day"] * exceeded
    words = f"campaigns in the last 24 hours: {made}, now: {planned}; the profile allows 2"
    assert [one.message for one in found] == [words] * exceeded


def test_a_limit_that_is_overridden_is_a_warning_and_the_others_stay_errors() -> None:
    limits: dict[str, Any] = {"max_recipients": 1, "allowed_prefixes": ("99890",), "max_campaigns_per_day": 0}
    for name in LIMITS:
        found = {one.code: one for one in limited(name, **limits)}
        assert {code for code, one in found.items() if one.severity is Severity.WARNING} == {name}
        assert (found[name].hint, found[name].limit) == ("--override-limit ignores this limit", "")
        assert set(found) == set(LIMITS)
    passed = limited("allowed_prefixes", **limits)[1]
    assert (passed.file, list(passed.lines)) == ("clients.csv", [3, 6])
    assert passed.message.startswith("2 numbers outside the prefixes 99890")


def test_a_campaign_without_a_list_meets_only_the_limit_of_campaigns() -> None:
    limits = CampaignLimits(max_recipients=0, allowed_prefixes=("1",), max_campaigns_per_day=0)
    assert [one.code for one in limit_findings(limits, None, 0, 1, cleaned=True)] == ["max_campaigns_per_day"]
