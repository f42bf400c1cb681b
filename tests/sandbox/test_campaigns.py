"""Campaigns of the simulated PBX: what is accepted, and how one lives by the clock."""

import contextlib
import io
import struct
import wave
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strength import examples

from alovoice_cli.sandbox.autorules import is_mp3, read_numbers
from alovoice_cli.sandbox.bodies import Refusal
from alovoice_cli.sandbox.scenario import data

from .conftest import Mounted

MP3 = data("announcement.mp3").read_bytes()


def days(day: str) -> dict[str, Any]:
    """The fields of a campaign of this one day."""
    return {"from": day, "to": day}


def state(pbx: Mounted, number: int = 124) -> Any:
    campaign = pbx.get(f"/mapi/getAutorule/{number}")
    return campaign["status"], campaign["recipients"]


def test_a_campaign_is_new_then_running_then_done_by_the_clock(pbx: Mounted) -> None:
    created = pbx.create()
    assert created.status_code == 200, created.text
    assert (created.json()["id"], created.json()["status"], created.json()["recipients"]) == (124, "new", 0)
    assert state(pbx) == ("new", 0)
    pbx.wait(seconds=6)
    assert state(pbx) == ("new", 6), "the list is loaded, the window is not open"
    pbx.wait(hours=8, minutes=59)
    assert state(pbx) == ("new", 6)
    pbx.wait(minutes=1)
    assert state(pbx) == ("running", 6)
    pbx.wait(minutes=59)
    assert state(pbx) == ("done", 6)


def test_a_campaign_that_no_one_can_finish_is_done_when_its_last_window_closes(pbx: Mounted) -> None:
    many = "\n".join(f"+99890{number:07}" for number in range(2000)).encode()
    pbx.create(recipients=many, maxline="1", to="2026.03.03")
    pbx.wait(hours=10)
    assert state(pbx) == ("running", 2000)
    pbx.wait(hours=6)
    assert state(pbx) == ("running", 2000), "the night between two windows"
    pbx.wait(hours=19, minutes=59, seconds=59)
    assert state(pbx) == ("running", 2000)
    pbx.wait(seconds=2)
    assert state(pbx) == ("done", 2000)


def test_a_paused_campaign_stays_new(pbx: Mounted) -> None:
    assert pbx.create(paused="1").json()["paused"] == "1"
    pbx.wait(days=30)
    assert state(pbx) == ("new", 6)


def test_a_campaign_of_the_past_is_taken_as_the_vendors_sample_is_and_is_done(pbx: Mounted) -> None:
    assert pbx.create(**days("2025.04.25")).json()["status"] == "new"
    pbx.wait(seconds=6)
    assert state(pbx) == ("done", 6)


def test_today_is_still_today_when_the_pbx_has_stood_for_months(pbx: Mounted) -> None:
    pbx.create()
    pbx.wait(days=90 * 60)
    pbx.now = pbx.now.replace(hour=4)
    day = pbx.now.strftime("%Y.%m.%d")
    created = pbx.create(**days(day)).json()
    assert created["createdAt"] == pbx.now.strftime("%Y-%m-%dT04:00:00.000Z")
    pbx.wait(hours=9, minutes=1)
    assert state(pbx, created["id"])[0] == "running"


def test_updated_at_tells_the_latest_change(pbx: Mounted) -> None:
    pbx.create()
    pbx.wait(hours=9, seconds=30)
    campaign = pbx.get("/mapi/getAutorule/124")
    assert (campaign["createdAt"], campaign["updatedAt"]) == ("2026-03-02T04:00:00.000Z", "2026-03-02T13:00:00.000Z")


def test_a_clock_that_is_set_back_makes_nothing_undone(pbx: Mounted) -> None:
    pbx.create()
    pbx.now = pbx.now.replace(year=2020)
    assert state(pbx) == ("new", 0)


def test_another_speed_does_not_disturb_what_was_made_before(pbx: Mounted) -> None:
    pbx.create()
    pbx.wait(hours=9, minutes=1)
    pbx.speed = 1
    pbx.reopen()
    assert state(pbx)[0] == "running"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", None),
        ("from", "2026-03-02"),
        ("from", "2026.02.30"),
        ("from", "٢٠٢٦.٠٣.٠٢"),
        ("to", "2026.03.01"),
        ("to", "2036.03.01"),
        ("fromtime", "24:00"),
        ("fromtime", "9:00"),
        ("totime", "18:00"),
        ("totime", "18:60"),
        ("trunks", "712037006;712037007"),
        ("trunks", "712037006,"),
        ("trunks", None),
        ("maxline", "0"),
        ("maxline", "-1"),
        ("maxline", "9" * 5000),
        ("goodtime", "3.5"),
        ("tryes", "zwei"),
        ("paused", "2"),
        ("paused", "true"),
        ("timezone", "Asia/Tashkent"),
        ("timezone", "utc +15"),
        ("timezone", "utc +5:99"),
    ],
)
def test_a_bad_field_is_refused_by_its_name(pbx: Mounted, field: str, value: str) -> None:
    changed: dict[str, Any] = {field: value}
    answer = pbx.create(**changed)
    assert answer.status_code == 400
    assert field in answer.json()["error"]
    assert pbx.ask("GET", "/mapi/getAutorule/124").status_code == 404, "nothing may have been created"


def wav() -> bytes:
    sound = io.BytesIO()
    with wave.open(sound, "wb") as file:
        file.setparams((1, 1, 8000, 0, "NONE", ""))
        file.writeframes(b"\x80" * 8000)
    return sound.getvalue()


@pytest.mark.parametrize(
    "sound",
    [b"", b"ID3", b"\xff\xfb" * 999, wav(), b"<html>" * 99, MP3[:100], MP3[1:300], b"ID3\x04\0\0\0\0\x7f\x7f" + MP3],
    ids=["empty", "a tag's start", "sync words", "WAV", "HTML", "half a frame", "a torn frame", "a tag over the end"],
)
def test_a_record_is_known_by_its_frames(pbx: Mounted, sound: Any) -> None:
    answer = pbx.create(record=sound)
    assert (answer.status_code, answer.json()) == (400, {"error": "record is not an MP3 file"})


@pytest.mark.parametrize("before", [b"", b"ID3\x04\0\0\0\0\0\x0a" + b"\0" * 10, b"\0" * 500 + b"\xff\xff\xff"])
def test_mp3_frames_are_found_after_a_tag_or_some_padding(before: Any) -> None:
    assert is_mp3(io.BytesIO(before + MP3))


@examples(200)
@given(st.binary(max_size=2000))
def test_random_bytes_are_an_mp3_or_not_but_never_a_crash(noise: bytes) -> None:
    assert is_mp3(io.BytesIO(noise)) in (True, False)


@pytest.mark.parametrize(
    "text",
    [
        "998901112233\n+998932223344\r\n",
        "исм;телефон\nМижоз;+998 90 111-22-33\nБошқа;998932223344\n",
        'name,phone\r"A","998901112233"\r"B","998932223344"\r',
        "a\tb\n1\t998901112233\n2\t998932223344\n\n",
        "id|phone\n1|901112233\n2|932223344\n3|нет\n",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1251"])
def test_phones_are_found_in_any_column_and_encoding(text: str, encoding: str) -> None:
    assert len(read_numbers(io.BytesIO(text.encode(encoding, "replace")))) == 2


@examples(200)
@given(st.one_of(st.binary(max_size=600), st.text(max_size=300).map(lambda text: text.encode("utf-16"))))
def test_a_hostile_list_is_read_or_refused(noise: bytes) -> None:
    with contextlib.suppress(Refusal):
        assert all(number.strip() for number in read_numbers(io.BytesIO(noise)))


@pytest.mark.parametrize(
    "recipients", [b"", b"name,city\n", b"PK\x03\x04" + struct.pack("<I", 20) * 200, b"\xff\xfe\x00"]
)
def test_a_list_without_a_phone_is_refused(pbx: Mounted, recipients: Any) -> None:
    answer = pbx.create(recipients=recipients)
    assert (answer.status_code, answer.json()) == (400, {"error": "recipients holds no phone number"})


def test_files_in_place_of_texts_and_texts_in_place_of_files_are_refused(pbx: Mounted) -> None:
    texts = {"name": "x", "record": "not a file"}
    files = {"recipients": ("r.csv", b"998901234567"), "trunks": ("t", b"x"), "to": ("t", b"x")}
    assert pbx.ask("POST", "/mapi/addAutorule", data=texts, files=files).status_code == 400
    del files["to"], files["trunks"]
    answer = pbx.ask("POST", "/mapi/addAutorule", data=texts, files=files)
    assert answer.json() == {"error": "record is missing, or is not a file"}


@pytest.mark.parametrize("number", ["0", "-1", "1e3", "９", "9" * 30, "123.0"])
def test_an_id_that_is_none_is_refused_or_not_found(pbx: Mounted, number: int) -> None:
    assert pbx.ask("GET", f"/mapi/getAutorule/{number}").status_code in (400, 404)
