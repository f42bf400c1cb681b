"""The list of a campaign: what of it goes out, who is left out, and its faults."""

import pytest
from campaign_check import campaign_words, findings, write_clients
from campaign_server import part_of
from front_door import FrontDoor
from raw_server import RawServer


@pytest.fixture
def home(check_home: FrontDoor) -> FrontDoor:
    return check_home


@pytest.fixture
def pbx(check_pbx: RawServer) -> RawServer:
    return check_pbx


def _uploaded(pbx: RawServer) -> bytes:
    return part_of(pbx.effects[-1], "recipients")


def test_the_list_goes_out_byte_for_byte_unless_it_is_to_be_cleaned(home: FrontDoor, pbx: RawServer) -> None:
    write_clients(home, "+998 90 123-45-67", "901234567", "911234567", "2037006", "")
    raw = (home.home / "clients.csv").read_bytes()
    assert home(*campaign_words("create")).code == 0
    assert _uploaded(pbx) == raw
    assert (
        home(*campaign_words("create", "--clean", "good.csv", "--rejected", "bad.csv", "--allow-duplicate")).code == 0
    )
    assert _uploaded(pbx) == raw
    clean = "тел;имя\n998901234567;Али\n998911234567;Али\n".encode()
    assert (home.home / "good.csv").read_bytes() == clean
    bad = (home.home / "bad.csv").read_text("utf-8").splitlines()
    assert [line.split(";")[:2] for line in bad[1:]] == [["3", "duplicate"], ["5", "too_short"], ["6", "empty"]]
    cleaned = home(*campaign_words("create", "--clean"))
    assert cleaned.code == 0, cleaned.err
    assert _uploaded(pbx) == clean


def test_a_file_that_is_there_is_not_written_over(home: FrontDoor, pbx: RawServer) -> None:
    (home.home / "good.csv").write_text("mine")
    assert home(*campaign_words("check", "--clean", "good.csv")).code == 2
    assert (home.home / "good.csv").read_text() == "mine"
    assert home(*campaign_words("check", "good.csv")).code == 2, "a name without --clean"


def test_whoever_is_not_to_be_called_is_left_out_of_a_cleaned_list_and_refuses_another(
    home: FrontDoor, pbx: RawServer
) -> None:
    (home.home / "dnc.csv").write_text("phone;until\n901234567;2027-01-01\n912345678;2026-01-01\n")
    assert findings(home, "--exclude", "dnc.csv", code=8) == {"excluded": "error"}
    assert home(*campaign_words("create", "--exclude", "dnc.csv")).code == 8
    assert home(*campaign_words("create", "--exclude", "dnc.csv", "--clean")).code == 0
    assert _uploaded(pbx) == "тел;имя\n998912345678;Али\n".encode()


def test_whoever_was_called_lately_can_be_left_out(home: FrontDoor, pbx: RawServer) -> None:
    assert home(*campaign_words("create")).code == 0
    write_clients(home, "901234567", "998933334455")
    assert home(*campaign_words("create", "--exclude-called", "7d", "--clean", name="Second")).code == 0
    assert _uploaded(pbx) == "тел;имя\n998933334455;Али\n".encode()
    home.later(days=8)
    words = campaign_words("create", "--exclude-called", "7d", "--clean", name="Third", **{"from": "+1d", "to": "+1d"})
    assert home(*words).code == 0
    assert _uploaded(pbx) == "тел;имя\n998901234567;Али\n998933334455;Али\n".encode()


def test_a_number_with_a_letter_in_it_was_called_all_the_same(home: FrontDoor, pbx: RawServer) -> None:
    write_clients(home, "9О1234567", "+998 (91) 123-45-67")
    assert home(*campaign_words("create")).code == 0
    write_clients(home, "901234567", "911234567", "998933334455")
    assert home(*campaign_words("create", "--exclude-called", "7d", "--clean", name="Second")).code == 0
    assert _uploaded(pbx) == "тел;имя\n998933334455;Али\n".encode()


def test_a_recipient_that_is_a_line_of_the_campaign_is_an_error(home: FrontDoor, pbx: RawServer) -> None:
    write_clients(home, "998901234567", "+998 71 203-70-06", "998911234567")
    assert findings(home, code=8)["own_line"] == "error"
    assert home(*campaign_words("create")).code == 8


def test_cells_with_text_around_their_number_are_uploaded_cleaned(home: FrontDoor, pbx: RawServer) -> None:
    write_clients(home, "901234567", "p:+998911234567")
    created = home(*campaign_words("create"))
    assert created.code == 0, created.err
    assert _uploaded(pbx) == "тел;имя\n998901234567;Али\n998911234567;Али\n".encode()
    assert "uploads the cleaned list" in created.err


def test_a_cell_that_goes_out_though_it_is_no_number_is_judged_by_the_limits(home: FrontDoor, pbx: RawServer) -> None:
    write_clients(home, "901234567", "49301234567")
    assert home("config", "set", "allowed_prefixes", "998").code == 0
    assert home(*campaign_words("create")).code == 8
    (home.home / "dnc.csv").write_text("phone\n+49 30 1234567\n")
    refused = home(*campaign_words("create", "--override-limit", "allowed_prefixes", "--exclude", "dnc.csv"))
    assert refused.code == 8
    assert "not to be called" in refused.err


def test_a_list_in_utf_16_can_be_split(home: FrontDoor, pbx: RawServer) -> None:
    (home.home / "clients.csv").write_text("тел;имя\n998901234567;Али\n998912345678;Ўктам\n", "utf-16")
    assert home(*campaign_words("create", "--split", "1/day")).code == 0
    assert len(pbx.effects) == 2
    assert "called" in home(*campaign_words("check", "--exclude-called", "7d")).out


@pytest.mark.parametrize(
    "rows", ["9.98901E+11", '"931112233', "Ali <90 111", '"Ali" <901112233>'], ids=["rounded", "open", "cut", "bare"]
)
def test_the_same_fault_of_a_list_has_the_same_code_everywhere(home: FrontDoor, rows: str) -> None:
    (home.home / "faulty.csv").write_text(f"number\n{rows}\n", "utf-8")
    commands = (
        ("numbers", "check", "faulty.csv"),
        campaign_words("check", recipients="faulty.csv"),
        campaign_words("create", recipients="faulty.csv"),
        ("call", "out", "--inner-phone", "2424", "--batch", "faulty.csv", "--night-ok", "--yes"),
    )
    assert [home(*words).code for words in commands] == [8, 8, 8, 8]
