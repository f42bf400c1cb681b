"""Files of any bytes, through the front door: a command ends with what it found in them, or with an error."""

from pathlib import Path

import pytest
from front_door import FrontDoor
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from strength import IS_SOAK, examples
from workbooks import xlsx

MP3 = (Path(__file__).parents[1] / "alovoice_cli" / "sandbox" / "scenarios" / "announcement.mp3").read_bytes()
LIST = "Телефон;Имя\n+998 (90) 123-45-67;Али\n8 91 234 56 78;=1+1\n998935550000;\n\n901234567 доб 12;x\n".encode()
RULES = b'fallback = { queue = "6000" }\n[lists]\nvip = "list.csv"\n[[rule]]\nname = "a"\nthen = { peer = "2000" }\n'
EVENTS = b'{"type": "callstart", "received_at": "2026-11-27T10:00:00Z", "body": {"number": "901234567"}}\n'
CREATE = (
    *("autorule", "check", "--from", "tomorrow", "--to", "+3d", "--fromtime", "10:00", "--totime", "19:59"),
    *("--trunks", "712037006", "--recipients", "some.csv", "--night-ok"),
)
BOOK = xlsx({"S": [["Телефон", "Имя"], ["901234567", "Али"], ["911234567", "x"]]})
READERS: dict[str, tuple[bytes, str, tuple[str, ...]]] = {
    "a list": (LIST, "list.csv", ("numbers", "check", "list.csv")),
    "a workbook": (BOOK, "list.xlsx", ("numbers", "check", "list.xlsx")),
    "a do-not-call file": (LIST, "out.csv", ("numbers", "check", "some.csv", "--exclude", "out.csv")),
    "a recording": (MP3[:20_000], "a.mp3", (*CREATE, "--record", "a.mp3")),
    "rules": (RULES, "rules.toml", ("route", "check", "rules.toml")),
    "events": (EVENTS * 3, "events.jsonl", ("events", "import", "events.jsonl", "--dry-run")),
    "a configuration": (
        b'[profiles.x]\ntimeout = 9\nquiet_hours = "21:00-08:00"\n',
        "config/config.toml",
        ("config", "list"),
    ),
    "a pin": (b'profile = "default"\n', ".alovoice.toml", ("config", "list")),
}


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    """Bytes that were a good file once, or never."""
    if draw(st.integers(0, 4)) == 0:
        return draw(st.binary(max_size=400))
    content = bytearray(whole)
    for _ in range(draw(st.integers(1, 4))):
        at, size = draw(st.integers(0, len(content))), draw(st.sampled_from((1, 2, 16, 300)))
        new = draw(
            st.sampled_from((b"", b"\x00", b"\xff\xfe", b'"', b"\n", b";", b"9" * 400, b"[" * 200)) | st.binary()
        )
        content[at : at + size] = new if draw(st.booleans()) else new[:size]
    return bytes(content[: draw(st.integers(0, len(content)))] if draw(st.booleans()) else content)


@pytest.mark.parametrize("kind", READERS)
@settings(examples(125 if IS_SOAK else 10), suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_file_brings_a_command_down(
    tmp_path_factory: pytest.TempPathFactory, kind: str, data: st.DataObject
) -> None:
    whole, name, words = READERS[kind]
    home = tmp_path_factory.mktemp("any")
    alovoice = FrontDoor(home, {"HOME": str(home)})
    alovoice.environ |= {"ALOVOICE_CONFIG_DIR": str(home / "config"), "ALOVOICE_STATE_DIR": str(home / "state")}
    (home / "config").mkdir(mode=0o700)
    (home / "some.csv").write_bytes(b"901234567\n911234567\n")
    content = data.draw(damaged(whole))
    (home / name).write_bytes(content)
    (home / name).chmod(0o600)
    result = alovoice(*words)
    assert "error in alovoice itself" not in result.err, (content, result.err)
    assert result.code in (0, 2, 8), (content, result)
    assert (home / name).read_bytes() == content


@settings(examples(125 if IS_SOAK else 10), suppress_health_check=list(HealthCheck))
@given(content=damaged(LIST))
def test_what_cleaning_writes_is_clean(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    home = tmp_path_factory.mktemp("clean")
    alovoice = FrontDoor(home, {"HOME": str(home)})
    (home / "list.csv").write_bytes(content)
    first = alovoice("numbers", "check", "list.csv", "--clean", "clean.csv", "--json")
    if first.code == 0 and (home / "clean.csv").exists():
        again = alovoice("numbers", "check", "clean.csv", "--clean", "again.csv", "--json")
        assert again.code == 0, (content, again.err)
        assume(all(line.count(b";") < 2 for line in content.splitlines()))  # rows of two widths may read as one column
        assert (home / "clean.csv").read_bytes() == (home / "again.csv").read_bytes(), content


def test_the_whole_files_are_taken(alovoice: FrontDoor) -> None:
    (alovoice.home / "config").mkdir(mode=0o700)
    (alovoice.home / "some.csv").write_bytes(b"901234567\n911234567\n")
    (alovoice.home / "list.csv").write_bytes(LIST)
    for whole, name, words in READERS.values():
        (alovoice.home / name).write_bytes(whole)
        (alovoice.home / name).chmod(0o600)
        result = alovoice(*words)
        assert result.code in (0, 8), (name, result)
