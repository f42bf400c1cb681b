"""Which numbers there are: each border of the plan, and every way in which a number is dialled from Uzbekistan."""

import pytest

from alovoice_cli.phones.plan import (
    FOREIGN,
    LANDLINE,
    MOBILE,
    base_of,
    is_assigned,
    is_country_prefix,
    is_prefix_assigned,
    kind_by_library,
    kind_of,
    kind_of_number,
    number_abroad,
    number_dialled,
)


@pytest.mark.parametrize(
    ("network", "kind"),
    [
        *((network, MOBILE) for network in (20, 33, 50, 70, 77, 80, 87, 88, 90, 91, 92, 93, 94, 95, 97, 98, 99)),
        *((network, LANDLINE) for network in (55, 69, 71, 76, 78)),
        *((network, "") for network in (0, 10, 19, 21, 32, 34, 49, 51, 54, 56, 57, 68, 81, 86, 89)),
    ],
)
def test_what_the_first_two_digits_decide(network: int, kind: str) -> None:
    for head in (network * 1000, network * 1000 + 999):
        assert (kind_of(head), kind_by_library(head), is_assigned(head)) == (kind, kind, bool(kind))


@pytest.mark.parametrize(
    ("head", "kind"),
    [(66000, LANDLINE), (66215, MOBILE), (61219, ""), (61220, MOBILE), (61221, MOBILE), (61222, LANDLINE),
     (67200, LANDLINE), (67100, ""), (72240, ""), (72220, LANDLINE), (96000, "")],
)  # fmt: skip
def test_where_five_digits_decide(head: int, kind: str) -> None:
    assert (kind_of(head), kind_by_library(head), is_assigned(head)) == (kind, kind, bool(kind))


def test_a_prefix_is_assigned_where_any_number_behind_it_is() -> None:
    for length in (3, 4):
        for prefix in range(6 * 10 ** (length - 1), 8 * 10 ** (length - 1), 10 ** (length - 2) + 3):
            rest = 10 ** (5 - length)
            some = any(is_assigned(prefix * rest + head) for head in range(rest))
            assert is_prefix_assigned(str(prefix)) is some, prefix


@pytest.mark.parametrize(
    ("digits", "assigned"),
    [
        ("", True), ("9", True), ("90", True), ("1", False), ("00", False), ("90123", True), ("901234567", True),
        ("9012345678", False), ("672", True), ("671", False), ("67212", True), ("67712", False), ("671234567", False),
    ],
)  # fmt: skip
def test_a_prefix_is_as_long_as_a_number_at_most(digits: str, assigned: bool) -> None:
    assert is_prefix_assigned(digits) is assigned


@pytest.mark.parametrize(
    ("digits", "known"),
    [
        ("", True), ("0", False), ("07", False), ("7", True), ("77", True), ("1", True), ("99", True), ("998", True),
        ("998901", True), ("999", False), ("9990", False), ("21", True), ("210", False), ("2101", False), ("212", True),
        ("4420", True), ("3", True), ("35", True), ("359", True), ("28", False), ("29", True),
    ],
)  # fmt: skip
def test_a_country_is_known_by_its_one_to_three_digits_or_the_first_of_them(digits: str, known: bool) -> None:
    assert is_country_prefix(digits) is known


@pytest.mark.parametrize("head", ["90123", "99890123", "+99890123", "890123"])
def test_a_plain_spelling_gives_its_number_with_four_zeros(head: str) -> None:
    assert base_of(head) == 998901230000


@pytest.mark.parametrize(
    "head", ["", "9012", "901234", "+90123", "+890123", "090123", "00000", "67100", "90-12", "٩٠١٢٣"]
)
def test_another_spelling_or_an_unassigned_number_gives_none(head: str) -> None:
    assert base_of(head) is None


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (998901234567, MOBILE), (998712037006, LANDLINE), (998999999999, MOBILE), (998000000000, ""),
        (997999999999, FOREIGN), (999000000000, FOREIGN), (77012345678, FOREIGN), (998672000000, LANDLINE),
        (998662159999, MOBILE), (998662150000, MOBILE), (998612209999, MOBILE), (998612220000, LANDLINE),
    ],
)  # fmt: skip
def test_the_kind_of_a_whole_number(number: int, kind: str) -> None:
    assert kind_of_number(number) == kind


@pytest.mark.parametrize(
    "digits",
    ["901234567", "8901234567", "0901234567", "998901234567", "00998901234567", "810998901234567"],
)
def test_a_number_is_known_however_it_is_dialled(digits: str) -> None:
    assert number_dialled(digits) == 998901234567


@pytest.mark.parametrize(
    "digits",
    [
        "", "8", "00", "810", "0", "90123456", "9012345670", "7901234567", "89012345678", "998", "99890123456",
        "9989012345670", "000000000", "8100", "77012345678", "671000000", "998671000000", "0099867100000",
        "00998671000000", "81077", "8671000000", "820998901234567",
    ],
)  # fmt: skip
def test_other_digits_are_no_number(digits: str) -> None:
    assert number_dialled(digits) == 0


@pytest.mark.parametrize("digits", ["77012345678", "201001234567", "431234567890123"])
def test_a_number_abroad_is_known_behind_its_plus_or_the_prefix_for_abroad(digits: str) -> None:
    number = int(digits)
    assert number_dialled(digits, has_plus=True) == number_dialled(f"00{digits}") == number
    assert number_dialled(f"810{digits}") == number_abroad(f"+{digits}") == number


@pytest.mark.parametrize(
    "digits",
    ["", "0", "7", "901234567", "077012345678", "998671000000", "99890123456", "49301234567890123", "4930123456789012"],
)
def test_what_no_country_has_is_no_number_behind_a_plus(digits: str) -> None:
    assert number_dialled(digits, has_plus=True) == 0


def test_behind_a_plus_the_country_comes_first() -> None:
    assert number_dialled("998901234567", has_plus=True) == 998901234567
    assert number_dialled("6834002", has_plus=True) == 6834002, "the shortest there are"
    assert number_abroad("+") == 0
    assert number_abroad("+7") == 0
