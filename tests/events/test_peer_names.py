"""Names of extensions: the operator's file in the forms that programs write, and what the PBX tells."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from front_door import TOKEN, FrontDoor
from hypothesis import given
from hypothesis import strategies as st

from alovoice_cli.campaigns.peer_list import read_peer_names
from alovoice_cli.errors import AlovoiceError, CheckFailedError
from alovoice_cli.events.peer_names import PeerNames

FILES: list[tuple[str, bytes]] = [
    ("plain.csv", b"101,Anvar\n102,Dilnoza\n"),
    ("headed.csv", b"extension,name\n101,Anvar\n102,Dilnoza\n"),
    ("turned.csv", b"Name;Ext\nAnvar;101\nDilnoza;102\n"),
    ("tabs.txt", b"number\tusername\tsecret\n101\tAnvar\tx9\n102\tDilnoza\ty8\n"),
    ("remarks.csv", b"# two people\n101,Anvar\n\n# left in May: 103,Timur\n102,Dilnoza\n"),
    ("sep.csv", b"sep=;\r\n101;Anvar\r\n102;Dilnoza\r\n"),
    ("mobile.csv", "Телефон;Внутренний номер;ФИО\n901112233;101;Anvar\n901112244;102;Dilnoza\n".encode()),
    ("no_name.csv", b"ext,name\n101,Anvar\n105,\n102, Dilnoza \n"),
    ("names.toml", b'101 = "Anvar"\n102 = "Dilnoza"\n'),
    ("table.toml", b'[extensions]\n101 = "Anvar"\n102 = "Dilnoza"\n'),
    ("names.json", b'{"101": "Anvar", "102": "Dilnoza"}'),
    ("list.json", b'[{"number": 101, "name": "Anvar"}, {"number": "102", "name": "Dilnoza"}]'),
]


@pytest.mark.parametrize(("name", "content"), FILES, ids=[name for name, _ in FILES])
def test_names_are_read_from_every_usual_form(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert dict(read_peer_names(path).names) == {"101": "Anvar", "102": "Dilnoza"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1251", "utf-16"])
def test_names_are_read_in_every_usual_encoding(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "names.csv"
    path.write_text("Вн. номер;Сотрудник\n101;Дилноза Каримова\n", encoding)
    assert read_peer_names(path).label("101") == "101 Дилноза Каримова"


@pytest.mark.parametrize(
    ("name", "content", "place"),
    [
        ("a.csv", "101,Anvar\n1o2,Dilnoza\n", "row 2: '1o2' is not a valid extension"),
        ("b.csv", "1o1,Anvar\n102,Dilnoza\n", "row 1: '1o1' is not a valid extension"),
        ("c.csv", "ext,name\n101,Anvar\n,Dilnoza\n", "row 3: the extension is missing"),
        ("d.csv", "101,Anvar\n102,Dilnoza\n101,Timur\n", "row 3: extension 101 already has the name Anvar"),
        ("e.csv", f"101,{'x' * 101}\n", "row 1: the name of extension 101 is longer"),
        ("f.csv", "ext,name\n", "holds no extension"),
        ("g.toml", "101 = \n", "is not valid TOML"),
        ("h.toml", "101 = 5\n", "the name of extension 101 must be a text"),
        ("i.json", '[{"number": 101, "name": "A"}, 7]', "entry 2"),
        ("j.json", "[" * 100_000, "is not valid JSON"),
    ],
)
def test_what_is_no_entry_is_named_with_its_line(tmp_path: Path, name: str, content: str, place: str) -> None:
    path = tmp_path / name
    path.write_text(content, "utf-8")
    with pytest.raises(CheckFailedError) as told:
        read_peer_names(path)
    assert place in told.value.message


@given(st.binary(max_size=60), st.sampled_from(["a.csv", "a.toml", "a.json"]))
def test_any_bytes_are_names_or_one_error(tmp_path_factory: Any, content: bytes, name: str) -> None:
    path = tmp_path_factory.getbasetemp() / name
    path.write_bytes(content)
    try:
        found = read_peer_names(path)
    except AlovoiceError:
        return
    assert found
    assert all(text.isprintable() for text in found.names.values())


_NAME = st.text(st.characters(categories=["L"]), min_size=1, max_size=20)


@given(st.dictionaries(st.integers(1, 99_999).map(str), _NAME, min_size=1, max_size=8), st.sampled_from(",;\t|"))
def test_what_was_written_is_read(tmp_path_factory: Any, names: dict[str, str], delimiter: str) -> None:
    path = tmp_path_factory.getbasetemp() / "written.csv"
    path.write_text("".join(f"{peer}{delimiter}{name}\n" for peer, name in names.items()), "utf-8")
    assert read_peer_names(path) == PeerNames(names)


def test_config_set_says_how_many_names_a_file_has_and_refuses_a_broken_one(alovoice: FrontDoor) -> None:
    path = alovoice.home / "ext.csv"
    path.write_text("101,Anvar\n102,Dilnoza\n", "utf-8")
    assert (
        alovoice("config", "set", "peer_names", str(path)).err == f"note: default.peer_names is now {path}: 2 names\n"
    )
    assert json.loads(alovoice("config", "set", "peer_names", str(path), "--json").out)["names"] == 2
    broken = alovoice.home / "broken.csv"
    broken.write_text("101,Anvar\nx\n", "utf-8")
    done = alovoice("config", "set", "peer_names", str(broken))
    assert (done.code, "row 2" in done.err) == (8, True)
    assert alovoice("config", "set", "peer_names", str(alovoice.home / "none.csv")).code == 2
    assert alovoice("config", "set", "peer_names", "ext.csv").code == 2
    assert alovoice("config", "get", "peer_names").out.strip() == str(path)


def _answer(username: object) -> httpx.MockTransport:
    peer = {"number": 101, "username": username, "secret": "s3cretword"}
    return httpx.MockTransport(lambda request: httpx.Response(200, json=[peer, {"number": 102, "username": 102}]))


def test_peers_keeps_the_names_that_the_pbx_tells_and_no_secret(alovoice: FrontDoor) -> None:
    alovoice.environ["ALOVOICE_TOKEN"] = TOKEN
    alovoice.transport = _answer("Anvar Karimov")
    assert alovoice("peers").code == 0
    kept = alovoice.home / "state" / "extensions.json"
    assert json.loads(kept.read_text("utf-8"))["names"] == {"101": "Anvar Karimov"}
    assert kept.stat().st_mode & 0o777 == 0o600
    assert "s3cretword" not in kept.read_text("utf-8")
    alovoice.transport = _answer(101)
    assert alovoice("peers", "--number", "102").code == 0
    assert json.loads(kept.read_text("utf-8"))["names"] == {}
