"""A list of recipients as operators have it: from Excel, from a CRM, typed by hand."""

import io
import itertools
import random
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from strength import examples

from alovoice_cli.campaigns.files import numbers_to_csv
from alovoice_cli.campaigns.list_findings import list_findings
from alovoice_cli.campaigns.recipients import Exclusion, Recipients, read_recipients
from alovoice_cli.errors import AlovoiceError, CheckFailedError, UsageError

PHONES = [f"99890{1000000 + 7919 * place}" for place in range(50)]
NAMES = ["Али Валиев", "Olim", 'ООО "Ромашка"', "Зухра, Самарканд; 5|7", "O'tkir", ""]


def read(text: str | bytes) -> Recipients:
    return read_recipients(io.BytesIO(text if isinstance(text, bytes) else text.encode()), "list.csv")


def phones(found: Recipients) -> int:
    """How many rows hold a number, those that repeat one included."""
    return found.good + found.duplicate


def told(found: Recipients) -> list[str]:
    return [finding.message for finding in list_findings(found)]


def refusal(text: str | bytes) -> AlovoiceError:
    with pytest.raises((CheckFailedError, UsageError)) as caught:
        read(text)
    assert caught.value.message.startswith("list.csv")
    return caught.value


def cells(*row: str, delimiter: str) -> str:
    return delimiter.join(
        '"' + cell.replace('"', '""') + '"' if any(sign in cell for sign in ',;\t|"') else cell for cell in row
    )


ENCODINGS = ["utf-8", "utf-8-sig", "cp1251", "utf-16-le", "utf-16-be"]
MARKS = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_same_list_reads_the_same_however_it_was_saved(encoding: str) -> None:
    for delimiter, header, line_end in itertools.product(",;\t|", [True, False], ["\n", "\r\n", "\r"]):
        _read_as_saved(encoding, delimiter, header, line_end)


def _read_as_saved(encoding: str, delimiter: str, header: bool, line_end: str) -> None:
    rows = [cells(name, phone, "да", delimiter=delimiter) for name, phone in zip(itertools.cycle(NAMES), PHONES)]
    lines = [cells("Имя", "Телефон", "Согласие", delimiter=delimiter)] * header + rows
    data = MARKS.get(encoding, b"") + (line_end.join(lines) + line_end).encode(encoding)
    found = read(data)
    assert (found.good, found.layout.shown, found.layout.column) == (50, tuple(PHONES[:3]), 1)
    assert (found.layout.delimiter, found.layout.header) == (delimiter, "Телефон" if header else None)
    assert sorted(found.tally.numbers()) == [int(phone) for phone in PHONES]
    assert found.sheet.encoding == ("utf-16" if encoding in MARKS else encoding)
    assert bool(found.sheet.note) == (encoding not in ("utf-8", "utf-8-sig"))


def test_the_file_is_left_open_at_its_start_with_its_bytes_untouched() -> None:
    file = io.BytesIO(b"\xef\xbb\xbf998901234567\r\n")
    read_recipients(file)
    assert file.read() == b"\xef\xbb\xbf998901234567\r\n"


def test_a_refused_file_stays_open_too() -> None:
    file = io.BytesIO(b"name\nAli\n")
    with pytest.raises(CheckFailedError):
        read_recipients(file)
    assert file.read() == b"name\nAli\n"


def test_a_single_column_of_nine_digits_is_not_split_at_a_nine() -> None:
    found = read("901234567\n919876543\n")
    assert (found.good, found.layout.shown, found.layout.header) == (2, ("901234567", "919876543"), None)


@pytest.mark.parametrize(
    ("text", "count", "column"),
    [
        ("phone\n998901234567\n", 1, 0),
        ("998901234567", 1, 0),
        ("\n\n;;\n998901234567;Ali\n;;\n998901234568;Vali\n", 2, 0),
        ("id,day,phone\n1,2025-04-25,+998 90 123-45-67\n2,2025-04-26,(90) 123 45 68\n", 2, 2),
        ("1000001,998901234567\n1000002,998901234568\n", 2, 1),
        ("Ali,\nVali,998901234567\n", 1, 1),
        ('"a, b";"998901234567"\n', 1, 1),
        ('"two\nlines";998901234567\n', 1, 1),
        ("Ali,998901234567,998911234567\nVali,,998911234567\n", 1, 1),
    ],
)
def test_the_phone_stands_in_the_first_column_that_holds_phones(text: str, count: int, column: int) -> None:
    found = read(text)
    assert (phones(found), found.layout.column) == (count, column)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (b"\n\r\n  \n", "blank rows"),
        (b"\xef\xbb\xbf", "blank rows"),
        (b"name,age\nAli,30\n", "no phone number: row 1 is 'name,age'"),
        (b"2025-04-25\n2025-04-26\n", "no phone number"),
        (b"1\n2\n3\n", "no phone number"),
        (b"PK\x03\x04" + bytes(500), "looks like a workbook"),
        (b"\xd0\xcf\x11\xe0" + bytes(500), "looks like a workbook"),
        (b"%PDF-1.7\n998901234567", "PDF"),
        (b"998901234567\n\0\0\0", "NUL"),
        ("998901234567\n".encode("utf-16-le"), "NUL"),
        (b"\xff\xfe9\x009", "encodings tried: utf-16"),
        (b"\xef\xbb\xbf\xff\n998901234567", "encodings tried: utf-8-sig"),
        (b"\x98\n998901234567\n", "encodings tried: utf-8, cp1251"),
        (b'phone\n"998901234567\n998901234568\n', "row 3"),
        (b'phone;name\n998901234567;"ALFA" MChJ\n', "row 2"),
        (b"998901234567\nabc\n998901234568\n", "column 1 holds phone numbers, but row 2 has none there"),
        (b"9" * 70_000, "row 1 is longer"),
        (b"998901234567\n" + b"9" * 10_000_000, "row 2 is longer"),
    ],
)
def test_what_holds_no_recipients_is_refused_with_what_was_seen(data: bytes, message: str) -> None:
    assert message in refusal(data).message


def test_an_excel_workbook_gets_the_way_to_save_it() -> None:
    assert "CSV" in refusal(b"PK\x03\x04").hint


def test_few_rows_without_a_phone_are_told_and_many_are_refused() -> None:
    good = [f"{phone}\n" for phone in PHONES]
    found = read("".join([*good, "нет\n", "нет\n"]))
    assert (found.good, found.invalid) == (50, 2)
    assert told(found) == ["the row holds no phone number, 2 times: rows 51 and 52; the first is нет"]
    assert "row 51" in refusal("".join([*good, *["нет\n"] * 3])).message


def test_an_uzbek_cyrillic_list_is_utf_8() -> None:
    assert told(read("Қўқон;998901234567\n".encode())) == []


def test_phones_that_come_late_are_found() -> None:
    rows = "".join(f"client {place},\n" for place in range(5000)) + "last,998901234567\n"
    assert (read(rows).good, read(rows).layout.column) == (1, 1)


def test_a_large_list_is_held_in_a_few_bytes_a_row(tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    block = "".join(f"{phone};Мижоз\r\n" for phone in PHONES).encode() * 20
    with path.open("wb") as file:
        for _ in range(30):
            file.write(block)
    assert path.stat().st_size > 700_000
    tracemalloc.start()
    with path.open("rb") as stream:
        assert phones(read_recipients(stream)) == 30_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 60 * 30_000, "all of them duplicates, each kept with its line"


def test_numbers_given_one_by_one_make_a_list_that_reads_back() -> None:
    data = numbers_to_csv(["+998901234567", " 901234568 "])
    assert data == b"+998901234567\n901234568\n"
    assert read(data).good == 2


@pytest.mark.parametrize("number", ["+998 90 123-45-67", "abc", "", "=1+1", "998901234567\n998901234568"])
def test_a_bad_number_given_by_itself_is_refused_by_its_option(number: str) -> None:
    with pytest.raises(UsageError, match="--recipient"):
        numbers_to_csv(["998901234567", number])


@given(
    st.binary(max_size=300)
    | st.text(alphabet="0123456789+,;\t|\"'\r\n E.()-aж", max_size=200).map(lambda text: text.encode())
    | st.text(alphabet='99890+,;"\r\n', max_size=200).map(lambda text: text.encode("utf-16"))
)
@examples(300)
@example(b";0,,,,,,\r\x01\r\x01")  # rows above that do not reach to the column of the phones
def test_any_bytes_are_a_list_or_refused_never_a_crash(data: bytes) -> None:
    file = io.BytesIO(data)
    try:
        found = read_recipients(file)
    except (UsageError, CheckFailedError):
        pass
    else:
        assert sum(list(found.counts().values())[1:]) == found.rows >= 1
        assert len(found.layout.shown) <= 3
        assert found.layout.delimiter in (",", ";", "\t", "|")
    assert file.tell() == 0


@given(
    st.lists(
        st.tuples(st.from_regex(r"998[0-9]{9}", fullmatch=True), st.text(alphabet="абв xyz,;\t|\"'", max_size=8)),
        min_size=1,
    ),
    st.sampled_from(",;\t|"),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.randoms(use_true_random=False),
)
@examples(125)
def test_every_phone_written_is_counted(
    rows: list[tuple[str, str]], delimiter: str, encoding: str, chance: random.Random
) -> None:
    assume(len(rows) < 3 or len({phone for phone, _ in rows}) > 1)  # one number throughout is no list of people
    end = chance.choice(["\n", "\r\n", "\r"])
    text = end.join(cells(name, phone, delimiter=delimiter) for phone, name in rows)
    found = read(text.encode(encoding))
    assert phones(found) + found.invalid == found.rows == len(rows)
    assert found.layout.shown == tuple(phone for phone, _ in rows[:3])


_SPELLED = (
    "{0}",
    "998{0}",
    "+998{0}",
    "+998 ({1}) {2}-{3}",
    '"{0}"',
    "{0},{0}",
    "",
    "9О{2}{3}",
    "+99890{2}+{3}",
    "{2}",
)


@given(
    st.lists(st.tuples(st.sampled_from(_SPELLED), st.integers(0, 30)), max_size=12),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(["{0}", "998{0}", "+998{0}"]),
    st.booleans(),
)
@examples(60)
def test_a_column_alone_reads_as_it_does_beside_another(
    odd: list[tuple[str, int]], end: str, usual: str, header: bool
) -> None:
    """Blocks of such a column are never seen by the csv reader: the same rows with a cell in front all are."""
    chance = random.Random(len(odd))
    rows = [_spelled(usual, place) for place in range(2500)]
    for spelling, place in odd:
        rows.insert(chance.randrange(len(rows)), _spelled(spelling, place))
    rows = ["phone"] * header + rows
    alone = read(end.join(rows))
    beside = read(end.join(f"x,{row}" if row else "x," for row in rows))
    assert alone.counts() == beside.counts()
    assert sum(list(alone.counts().values())[1:]) == alone.rows == len(rows) - header
    assert alone.duplicates == beside.duplicates
    assert alone.tally.troubles == beside.tally.troubles
    # A row with its number twice is one cell with text around it, or two cells of which the first is remarked on.
    twice = {line for line, row in enumerate(rows, 1) if "," in row}
    remarks = [{code: set(at) - twice for code, at in found.tally.remarks.items()} for found in (alone, beside)]
    assert remarks[0] == remarks[1]
    assert alone.tally.numbers() == beside.tally.numbers()


def _spelled(spelling: str, place: int) -> str:
    code, middle, last = ("90", "99", "33", "99")[place % 4], f"{(place * 7919) % 1000:03}", f"{place:04}"
    middle = "876" if place % 8 == 1 else middle
    return spelling.format(code + middle + last, code, middle, last)


@pytest.mark.parametrize(
    ("headings", "whole", "ended", "column"),
    [
        (("Телефон", "Имя"), "90123450{};Али", "90123456{}", 0),
        (("Имя", "Телефон", "Город"), "Али;90123450{};Ташкент", "Вали;90123456{}", 1),
        (("Имя", "Телефон", "Второй"), "Али;90123450{0};91123450{0}", "Вали;90123456{}", 1),
        (("Ism", "Telefon", "Izoh"), "Ali;90123450{};{}", "Vali, aka;90123456{}", 1),
    ],
)
@pytest.mark.parametrize("wholes", [1, 5, 9])
@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_rows_may_leave_out_the_cells_behind_the_phones(
    headings: tuple[str, ...], whole: str, ended: str, column: int, wholes: int, delimiter: str
) -> None:
    rows = [(whole if number < wholes else ended).format(number, number) for number in range(10)]
    found = read("\n".join([";".join(headings), *rows]).replace(";", delimiter))
    assert (found.layout.headings, found.layout.column, found.good) == (headings, column, 10)


def test_a_quote_left_open_behind_many_rows_is_told_with_its_line() -> None:
    rows = "".join(f"90{place:07}\n" for place in range(5000))
    assert "row 5001" in refusal(rows + '"901234567').message


@pytest.mark.parametrize("cell", ["+9989012345+7", "+99890123456+", "9989012345+67", "9+98901234567"])
def test_a_plus_among_the_digits_is_no_number_and_no_crash(cell: str) -> None:
    found = read(f"{cell}\n+998901234567\n+998901234568\n")
    assert (found.good, found.invalid) == (2, 1)


def test_a_thousand_rows_of_another_width_in_a_row_are_read_too() -> None:
    wide = [f"91{place:07};x;y" for place in range(1500)]
    short = [f"93{place:07}" for place in range(1500)]
    found = read("\n".join([f"90{place:07};x" for place in range(1000)] + wide + short))
    assert (found.rows, found.good) == (4000, 4000)


def test_nine_digits_with_a_code_in_front_are_told_by_the_line_in_every_block() -> None:
    rows = [f"90{place:07}" for place in range(6000)]
    for line in (1, 1639, 1640, 6000):
        rows[line - 1] = f"998{line:06}"
    assert list(read("\n".join(rows)).tally.remarks["begins_with_998"]) == [1, 1639, 1640, 6000]


# --- every row accounted for -----------------------------------------------------------------------------------------


def test_a_duplicate_keeps_all_its_rows() -> None:
    found = read("тел;имя\n901234567;Али\n998911234567;Вали\n+998 90 123-45-67;Гули\n9О1234567;Дина\n")
    assert (found.good, found.duplicate) == (2, 2)
    assert found.duplicates == {998901234567: [2, 4, 5]}


def test_the_lines_are_the_files_own_where_cells_span_several() -> None:
    found = read('phone;note\n901234567;"a\nb"\n2037006;"c\r\nd"\n\n901234567;x\n')
    assert found.duplicates == {998901234567: [3, 7]}
    assert list(found.tally.troubles["too_short"]) == [5]
    assert list(found.tally.empty) == [6]


def test_a_second_number_behind_the_last_column_is_not_lost_in_silence() -> None:
    found = read("phone\n901234567\n911234567, 931234567\n941234567,8\n951234567\n")
    assert found.good == 2
    assert {code: list(lines) for code, lines in found.tally.troubles.items()} == {"two_numbers": [3], "variants": [4]}


def test_a_column_can_be_named_or_counted() -> None:
    text = "имя;дом;Мобильный\nАли;712037006;901234567\nВали;712037007;911234567\n"
    for column in ("Мобильный", "мобильный", "3"):
        found = read_recipients(io.BytesIO(text.encode()), column=column)
        assert sorted(found.tally.numbers()) == [998901234567, 998911234567]
    with pytest.raises(CheckFailedError, match="no column '4'") as caught:
        read_recipients(io.BytesIO(text.encode()), column="4")
    assert "имя · дом · Мобильный" in caught.value.hint


def test_a_heading_that_says_phone_wins_over_numbers_that_only_look_so() -> None:
    text = "Контакт;Телефон\n901234567;911234567\n931234567;941234567\n"
    assert read(text).layout.column == 1
    assert "columns with phones: 1, 2; column 2 is used" in told(read(text))


@pytest.mark.parametrize("encoding", ["cp1251", "koi8-r", "utf-16", "utf-8"])
def test_an_encoding_that_is_named_is_believed(encoding: str) -> None:
    found = read_recipients(io.BytesIO("Имя;Тел\nАли;901234567\n".encode(encoding)), encoding=encoding)
    assert (found.good, found.layout.header) == (1, "Тел")


def test_an_encoding_that_is_none_is_refused() -> None:
    for name in ("klingon", "hex", "rot13"):
        with pytest.raises(UsageError, match="--encoding"):
            read_recipients(io.BytesIO(b"901234567\n"), encoding=name)


@pytest.mark.parametrize("cell", ["9,98901E+11", "9.98901E+11", "9989012345678.0"])
def test_numbers_that_a_spreadsheet_has_damaged_are_errors_by_line(cell: str) -> None:
    found = read(f"phone;name\n998911234567;Ali\n{cell};Vali\n")
    (error,) = [finding for finding in list_findings(found) if finding.severity == "error"]
    assert (error.code.partition("_")[0], error.place) == ("excel", "list.csv:3:1")
    assert cell in error.message


CELLS = st.sampled_from(
    [
        *("998901234567", "901234567", "+998 90 123-45-67", "998765432", "994412860", "9О1234567", "712037006"),
        *("901234567, 911234567", "901234567 доб 12", "901234567/8", "2037006", "", " ", "+79161234567", "79161234567"),
        *("9,98901E+11", "998901234567.0", "101234567", "нет"),
    ]
) | st.from_regex(r"998(90|91|93)[0-9]{7}", fullmatch=True)


@given(st.lists(CELLS, max_size=60), st.sampled_from(",;\t|"), st.booleans(), st.lists(st.integers(0, 59), max_size=9))
@examples(125)
def test_the_counts_add_up_to_the_rows(some: list[str], delimiter: str, header: bool, out: list[int]) -> None:
    assume(some.count("нет") <= 2)  # of more, the column would be taken for misread
    rows = [PHONES[0], *some, *PHONES[1:40]]  # a first row without a number would be a heading
    lines = [cells("имя", "тел", delimiter=delimiter)] * header
    lines += [cells("Али", cell, delimiter=delimiter) for cell in rows]
    barred = Exclusion("do not call", [int(PHONES[place % 50]) for place in out])
    found = read_recipients(io.BytesIO("\n".join(lines).encode()), exclusions=[barred])
    counts = found.counts()
    assert counts["rows"] == len(rows)
    assert sum(counts.values()) == 2 * counts["rows"], counts
    assert counts["good"] == len(set(found.tally.numbers()) - set(barred.numbers))
    assert counts["empty"] == sum(not cell.strip() for cell in rows)
    assert counts["excluded"] == sum(int(cell) in barred.numbers for cell in PHONES[:40])
