"""Which id is whose: the PBX's in the link to a recording, the CRM's, and ours."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strength import examples

from alovoice_cli.batch.plan import read_segment
from alovoice_cli.events.answers import new_id
from alovoice_cli.events.call_ids import read_crm_id, read_record_link
from alovoice_cli.events.reading import read

_BASE = "https://cld.alovoice.uz"


@pytest.mark.parametrize(
    ("link", "own"),
    [
        ("http://sandbox.localhost/stereo/17", "17"),
        (f"{_BASE}/stereo/CALL_ID", "CALL_ID"),
        (f"{_BASE}/stereo/1716209468.1234", "1716209468.1234"),
        ("/stereo/1716209468.1234.mp3", "1716209468.1234"),
        (f"{_BASE}/rec/533", "533"),
        (f"{_BASE}/rec/533.MP3?x=1#t", "533"),
        (f"{_BASE}/rec/2024/05/20/out-998901234567-101-20240520-171108-1716209468.1234.wav", "1716209468.1234"),
        (f"{_BASE}/record?call_id=533", "533"),
        (f"{_BASE}/record?uniqueid=1716209468.12&t=mp3", "1716209468.12"),
        # Nothing that is sure:
        (f"{_BASE}/record?call_id=533&callid=534", None),
        (f"{_BASE}/play/123458fba81bfa19c254df73b07123123", None),  # the hash of a file
        (f"{_BASE}/rec/998901234567.mp3", None),  # a phone number
        (f"{_BASE}/stereo/998901234567", None),
        (f"{_BASE}/stereo/1.5E10", None),
        (f"{_BASE}/rec/%D9%A3%D9%A3", None),  # digits, and no ASCII
        (f"{_BASE}/rec/20240520-101.mp3", None),
        (f"{_BASE}/rec/call.mp3", None),
        (f"{_BASE}/play/01HYB0WGK09QVJY9C7R3YA72Z1.mp3", None),
        (f"{_BASE}/stereo/..", None),
        (f"{_BASE}/stereo/%2e%2e%2fcallsendai", None),
        (f"{_BASE}/stereo/a b", None),
        (f"{_BASE}/stereo/", None),
        (f"{_BASE}/.....", None),
        (_BASE, None),
        ("ftp://cld.alovoice.uz/rec/533", None),
        ("533", None),
        ("", None),
        (None, None),
        ("yo'q", None),
    ],
)
def test_the_link_to_a_recording_tells_the_pbx_id_or_nothing(link: str | None, own: str | None) -> None:
    assert read_record_link(link) == own


@given(
    st.one_of(
        st.text(max_size=80),
        st.text(max_size=40).map(lambda text: f"{_BASE}/stereo/{text}"),
        st.text(alphabet="0123456789./?=&%-_x", max_size=60).map(lambda text: f"{_BASE}/{text}"),
    )
)
@examples(200)
def test_no_link_breaks_the_reader_and_what_is_read_is_one_segment_of_a_path(link: str) -> None:
    own = read_record_link(link)
    if own is not None:
        assert quote(own, safe=":") == own
        assert own not in (".", "..")
        assert 0 < len(own) <= 64
        assert read_segment(own).value == own, "a batch takes it"


@given(st.one_of(st.integers(0, 10**11).map(str), st.from_regex(r"1[0-9]{9}\.[0-9]{1,7}", fullmatch=True)))
@examples(50)
def test_an_id_in_a_link_comes_back_as_it_is(own: str) -> None:
    for form in ("/stereo/{}", "/rec/{}", "/rec/2024/05/{}.mp3", "/r?call_id={}"):
        assert read_record_link(_BASE + form.format(own)) == own


def test_a_result_tells_its_own_id_where_its_link_tells_none() -> None:
    (fact,) = read("result", b'{"id": 81, "record": "https://cld.alovoice.uz/rec/533"}').facts
    assert fact.pbx_call_id == "533"
    (fact,) = read("result", b'{"id": 81, "record": ""}').facts
    assert fact.pbx_call_id == "81"
    (fact,) = read("callend", b'{"call_id": 81, "record": ""}').facts
    assert fact.pbx_call_id is None


@given(st.integers(0, 2**48 - 1))
@examples(20)
def test_what_is_no_id_of_ours_is_the_crms(unix_ms: int) -> None:
    assert read_crm_id(new_id(unix_ms)) is None
    assert read_crm_id(str(unix_ms)) == str(unix_ms)
    assert read_crm_id(None) is None
