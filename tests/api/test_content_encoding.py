"""An answer whose content encoding is not whole is an unreadable answer: nobody knows what it was going to say."""

import contextlib
import gzip
import zlib
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strength import examples

from alovoice_cli.api.reply import decoded, encodings_of
from alovoice_cli.errors import AlovoiceError, OutcomeUnknownError, ServerError

METHODS = ("outcall", "conference", "ivr", "addAutorule", "callsendai")
READS = ("getAutorule", "getMyTrunks", "getpeers", "callgetaireresult")


def _raw_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


PACKERS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "x-gzip": ("X-GZIP", gzip.compress),
    "deflate": ("deflate", zlib.compress),
    "raw deflate": ("deflate", _raw_deflate),
    "two members": ("gzip", lambda body: gzip.compress(body[:2], mtime=0) + gzip.compress(body[2:], mtime=0)),
    "zeros behind": ("gzip", lambda body: gzip.compress(body, mtime=0) + bytes(512)),
    "stacked": ("deflate, identity, gzip", lambda body: gzip.compress(zlib.compress(body))),
}
CUTTABLE = [name for name in PACKERS if name != "zeros behind"]


def unpack(body: bytes, name: str, pieces: int = 7) -> bytes:
    chunks = [body[start : start + pieces] for start in range(0, len(body), pieces)]
    return b"".join(decoded(chunks, encodings_of(PACKERS[name][0])))


@examples(60)
@given(body=st.binary(max_size=300), pieces=st.integers(1, 400), name=st.sampled_from(list(PACKERS)))
def test_a_whole_body_comes_out_as_it_went_in_however_it_is_sliced(body: bytes, pieces: int, name: str) -> None:
    assert unpack(PACKERS[name][1](body), name, pieces) == body


@pytest.mark.parametrize("name", CUTTABLE)
def test_a_body_that_is_cut_anywhere_is_no_body(name: str) -> None:
    packed = PACKERS[name][1](b'{"result": true, "id": 17}')
    whole_member = len(gzip.compress(b'{"', mtime=0))  # the one place where two members can be cut and look whole
    for cut in range(len(packed)):
        if (name, cut) != ("two members", whole_member):
            with pytest.raises(httpx.DecodingError):
                unpack(packed[:cut], name)


@examples(60)
@given(
    behind=st.binary(min_size=1, max_size=40).filter(lambda tail: tail.strip(b"\0") != b""),
    pieces=st.integers(1, 400),
    name=st.sampled_from(list(PACKERS)),
)
def test_a_body_with_something_behind_its_end_is_no_body(behind: bytes, pieces: int, name: str) -> None:
    with pytest.raises(httpx.DecodingError):
        unpack(PACKERS[name][1](b"true") + behind, name, pieces)


@examples(100)
@given(body=st.binary(max_size=60), name=st.sampled_from(list(PACKERS)))
def test_any_bytes_are_a_body_or_a_decoding_error(body: bytes, name: str) -> None:
    with contextlib.suppress(httpx.DecodingError):
        unpack(body, name)


def test_a_small_body_that_holds_gigabytes_is_decoded_piece_by_piece() -> None:
    bomb = gzip.compress(bytes(20_000_000))
    assert len(bomb) < 20_000
    assert max(len(piece) for piece in decoded([bomb], ("gzip",))) <= 64 * 1024


# --- at the endpoints ------------------------------------------------------------------------------------------------


def says(status: str, body: bytes, *headers: str) -> Callable[[Any], None]:
    def act(c: Any) -> None:
        c.read()
        c.answer(status, body, *headers)

    return act


def packed(name: str, body: bytes) -> tuple[bytes, str]:
    header, pack = PACKERS[name]
    return pack(body), f"Content-Encoding: {header}"


YES = {"outcall": b"true", "addAutorule": b'{"id": 17}', "callsendai": b'{"aicallid": "7"}'}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ["gzip", "raw deflate", "two members", "stacked"])
@pytest.mark.parametrize("cut", [0, 12, -8, -1])
def test_a_dial_whose_answer_was_packed_and_cut_is_unknown(
    cut: int, name: str, method: str, serve: Any, client: Any, unsafe: Any, book: Any
) -> None:
    body, header = packed(name, YES.get(method, b'{"result": true, "text": "assalomu alaykum"}'))
    cut = cut if cut < len(body) else len(body) // 2
    server = serve(says("200 OK", body[:cut], header))
    with pytest.raises(OutcomeUnknownError) as caught:
        unsafe[method](client(server))
    assert (caught.value.exit_code, caught.value.status) == (6, 200)
    assert book.outcomes["R-0001"].state == "unknown"
    assert len(server.requests) == 1


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", PACKERS)
def test_a_dial_whose_packed_answer_is_whole_is_done(
    name: str, method: str, serve: Any, client: Any, unsafe: Any, book: Any
) -> None:
    body, header = packed(name, YES.get(method, b"OK"))
    unsafe[method](client(serve(says("200 OK", body, header))))
    assert book.outcomes["R-0001"].state == "done"


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("body", "encoding"),
    [(gzip.compress(b"true", mtime=0) + b"<html>", "gzip"), (b"true", "br"), (b"true", "zstd"), (b"true", "gzip, br")],
)
def test_a_dial_whose_answer_is_packed_in_another_way_is_unknown(
    body: bytes, encoding: str, method: str, serve: Any, client: Any, unsafe: Any
) -> None:
    with pytest.raises(OutcomeUnknownError):
        unsafe[method](client(serve(says("200 OK", body, f"Content-Encoding: {encoding}"))))


@pytest.mark.parametrize("method", READS)
@pytest.mark.parametrize("cut", [0, 12, -8])
def test_a_read_whose_answer_was_packed_and_cut_ends_with_7(
    cut: int, method: str, serve: Any, client: Any, reading: Any
) -> None:
    body, header = packed("gzip", b'[{"id": 1, "number": "998712037006"}]')
    with pytest.raises(ServerError) as caught:
        reading[method](client(serve(says("200 OK", body[:cut], header))))
    assert caught.value.exit_code == 7
    assert "incomplete or damaged" in caught.value.message


@pytest.mark.parametrize(("status", "code"), [("401 X", 3), ("404 X", 4), ("400 X", 1), ("429 X", 7), ("302 X", 7)])
@pytest.mark.parametrize("body", [b"", gzip.compress(b"no such thing", mtime=0)[:12], b"no gzip"])
def test_a_clear_no_stays_clear_when_its_body_is_damaged(
    body: bytes, status: str, code: int, serve: Any, client: Any, unsafe: Any
) -> None:
    with pytest.raises(AlovoiceError) as caught:
        unsafe["outcall"](client(serve(says(status, body, "Content-Encoding: gzip"))))
    assert (caught.value.exit_code, caught.value.sent) == (code, "yes")


def test_an_answer_of_no_content_needs_no_encoding(serve: Any, client: Any, unsafe: Any) -> None:
    assert unsafe["ivr"](client(serve(says("204 No Content", b"", "Content-Encoding: gzip")))) == ""
