"""The manual says what the tree says, in man(7) that the readers of manuals accept."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strength import examples

from alovoice_cli.errors import ExitCode
from alovoice_cli.reference.manpage import write_manual
from alovoice_cli.reference.topics import EXIT_STATUS
from alovoice_cli.reference.tree import Argument, Command, Option

CREATE = r""".TH "ALOVOICE\-AUTORULE\-CREATE" 1 "DAY" "alovoice 1.2.3" "Command manual"
.SH NAME
alovoice\-autorule\-create \- create a campaign
.SH SYNOPSIS
\fBalovoice autorule create\fR \fB\-\-record\fR \fIFILE\fR [\fIoptions\fR]
.SH DESCRIPTION
Create a campaign. It rings.
.PP
\&.A second paragraph, with a dot before it and \(aqquotes\(aq.
.PP
.nf
  $ kept   as it is
.fi
.SH OPTIONS
.TP
\fB\-\-record\fR \fIFILE\fR
The .mp3 (\fBffmpeg\fR makes one): it\(aqs [needed] & \(aqўқ\(aq. It must be given.
.TP
\fB\-\-recipient\fR \fINUMBER\fR
One number. It may be given more than once.
.TP
\fB\-\-into\fR \fIDIR\fR
Where.
.TP
\fB\-\-paused\fR, \fB\-\-no\-paused\fR
Wait.
.TP
\fB\-\-encoding\fR \fIjson|form|vendor\-curl\fR
How. Default: json.
.TP
\fB\-t\fR, \fB\-\-tries\fR \fIN\fR
How often. Default: 2. Environment: TRIES.
.SH GLOBAL OPTIONS
\fB\-\-profile\fR, \fB\-\-json\fR, \fB\-\-color\fR, \fB\-\-timeout\fR, \fB\-\-help\fR: see \fBalovoice\fR(1).
.SH EXAMPLES
.EX
$ alovoice autorule create \-\-record it\e\(aqs.mp3
$ .alovoice
.EE
.SH NOTES
More: see it.
.SH EXIT STATUS
0 if done, otherwise as in \fBalovoice\fR(1).
Only 6 forbids running the same command again before you have checked what happened.
.SH SEE ALSO
\fBalovoice\fR(1),
\fBalovoice\-autorule\fR(1)
"""


def test_a_commands_page_reads_so(toy: Command) -> None:
    page = write_manual(toy, "1.2.3")["alovoice-autorule-create.1"]
    assert re.sub(r'"\d{4}-\d\d-\d\d"', '"DAY"', page, count=1) == CREATE


def test_every_command_has_its_page_and_the_hidden_have_none(toy: Command) -> None:
    assert sorted(write_manual(toy, "1")) == sorted(f"{'-'.join(command.path)}.1" for command in toy.walk())
    assert not any("hidden" in page or "\\-\\-secret" in page for page in write_manual(toy, "1").values())


def test_the_programs_page_tells_what_holds_everywhere(toy: Command) -> None:
    page = write_manual(toy, "1")["alovoice.1"]
    titles = [line.removeprefix(".SH ") for line in page.splitlines() if line.startswith(".SH ")]
    assert titles[-6:] == ["COMMANDS", "GLOBAL OPTIONS", "EXIT STATUS", "ENVIRONMENT", "FILES", "SEE ALSO"]
    for word in (r"\fB\-p\fR, \fB\-\-profile\fR \fINAME\fR", "ALOVOICE_TOKEN", "config.toml", "alovoice\\-trunks"):
        assert word in page


def test_the_manual_tells_every_exit_code() -> None:
    assert [code for code, _ in EXIT_STATUS] == [code.value for code in ExitCode]


def test_the_manual_is_the_same_each_time(toy: Command) -> None:
    assert write_manual(toy, "1") == write_manual(toy, "1")


@pytest.mark.parametrize(
    "command",
    [["mandoc", "-Tlint", "-W", "warning"], ["groff", "-man", "-Kutf8", "-ww", "-Tutf8", "-z"]],
    ids=["mandoc", "groff"],
)
def test_the_readers_of_manuals_have_nothing_to_say_against_it(
    toy: Command, tmp_path: Path, command: list[str]
) -> None:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    for name, page in write_manual(toy, "1.2.3").items():
        (tmp_path / name).write_text(page, encoding="utf-8")
    names = sorted(path.name for path in tmp_path.iterdir())
    done = subprocess.run([*command, *names], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.skipif(shutil.which("mandoc") is None, reason="mandoc is not installed")
def test_every_sign_comes_out_as_it_went_in() -> None:
    text = r"""a \n \fB. 'x' "y" ``z`` --w ^v ~u \e -1 .t 'ўқғҳ' \(aq %s |"""
    tree = Command(("alovoice",), f"{text}\n\n.{text}\n\n'{text}", examples=(text, f".{text}", f"'{text}"))
    done = subprocess.run(
        ["mandoc", "-Tutf8", "-Owidth=200"],
        input=write_manual(tree, "1")["alovoice.1"].encode(),
        capture_output=True,
        timeout=60,
        check=True,
    )
    shown = re.sub(r".\x08", "", done.stdout.decode())
    assert shown.count(f"$ .{text}\n") == shown.count(f"$ '{text}\n") == 1
    prose = text.replace("`z`", "z")
    assert prose in shown
    assert f".{prose}" in shown
    assert f"'{prose}" in shown


MACROS = {".TH", ".SH", ".PP", ".TP", ".IP", ".EX", ".EE", ".nf", ".fi"}
ESCAPES = re.compile(r"\\(?:[e\-&|]|f[BIR]|\((?:aq|ga|ha|ti|dq))")


@given(
    st.text(max_size=60) | st.text(alphabet=".'\\\n -\"`a\t", max_size=60),
    st.text(alphabet=".'\\ -\"`a\u2028\x85\r\x0b", max_size=20),
)
@examples(200)
def test_no_text_becomes_a_macro(text: str, line: str) -> None:
    tree = Command(
        ("alovoice",),
        text,
        epilog=text,
        examples=(line,),
        arguments=(Argument("X", "text", text, (line,)),),
        options=(Option(("--x",), "text", line, text),),
    )
    for written in write_manual(tree, "1")["alovoice.1"].split("\n"):
        if written.startswith((".", "'")):
            assert written.split()[0] in MACROS
        assert "\\" not in ESCAPES.sub("", written)
