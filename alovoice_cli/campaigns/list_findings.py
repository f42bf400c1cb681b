"""The findings on a list of recipients: each problem with its name and its lines."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from alovoice_cli.campaigns.column_choice import column_name, column_word
from alovoice_cli.campaigns.recipients import Recipients
from alovoice_cli.campaigns.sheet import delimiter_name
from alovoice_cli.findings import Finding, Severity, count, name_lines
from alovoice_cli.language import spaced
from alovoice_cli.phones import ADVICE, FOREIGN, LANDLINE, TROUBLES, spelled

_ROUNDED = ("excel_rounded", "excel_decimal")
_NUMBERS_NAMED = 3

_REMARKS = {
    "text_around": (
        Severity.NOTE,
        "{count} read from a cell with text around it, such as {sample}",
        "",
    ),
    "letter_for_digit": (
        Severity.WARNING,
        "{count} with the letter O for a zero ({sample}), read as the digit",
        "the PBX gets it as it is written: correct it, or upload the list cleaned (--clean)",
    ),
    "begins_with_998": (
        Severity.NOTE,
        "{count} of nine digits that begin with 998: {sample} is +998 {national}, not a country's code",
        "write 998 and nine digits where it matters",
    ),
    "begins_with_994": (
        Severity.NOTE,
        "{count} of nine digits that begin with 994: {sample} is +998 {national}, not Azerbaijan",
        "write 998 and nine digits where it matters",
    ),
}


def list_findings(whom: Recipients, *, cleaned: bool = False) -> Iterator[Finding]:
    """Returns the findings of a list, the gravest first. `cleaned`: the cleaned list will be uploaded."""
    cleaned = cleaned or bool(whom.needs_cleaning)
    yield from _no_one(whom)
    yield from _elsewhere(whom)
    yield from _troubles(whom, cleaned=cleaned)
    yield from _duplicates(whom, cleaned=cleaned)
    yield from _excluded(whom, cleaned=cleaned)
    yield from _kinds(whom)
    yield from _remarks(whom, cleaned=cleaned)
    yield from _reading(whom)


def own_line_findings(whom: Recipients, own_lines: Collection[int]) -> Iterator[Finding]:
    """Returns recipients that are lines of the campaign: a line would call itself."""
    for number, lines in sorted(whom.tally.matching(own_lines).items()):
        text = f"{spelled(number)} is a line of this campaign, and {name_lines(lines)} would call it"
        yield _found(whom, Severity.ERROR, "own_line", text, "take it out of the list, or give another --trunks", lines)


def reading_notes(whom: Recipients) -> Iterator[str]:
    """Returns how the list and the do-not-call lists were read, a sentence each."""
    yield describe(whom)
    yield from whom.exclusion_notes


def describe(whom: Recipients) -> str:
    """Returns how the list was read, in one line: its column and its counts."""
    layout, counts = whom.layout, whom.counts()
    heading = f" ({layout.header})" if layout.header else ""
    kinds = ", ".join(f"{spaced(counts[kind])} {kind}" for kind in list(counts)[1:])
    return (
        f"{whom.name}: phones in column {layout.column + 1}{heading}, cells divided by "
        f"{delimiter_name(layout.delimiter)}, {whom.sheet.encoding}; {count(whom.rows, 'row')} = {kinds}"
    )


def _found(
    whom: Recipients, severity: Severity, code: str, message: str, hint: str = "", lines: Sequence[int] = ()
) -> Finding:
    return Finding(severity, code, message, hint, file=whom.name, lines=lines, column=whom.layout.column + 1)


def _no_one(whom: Recipients) -> Iterator[Finding]:
    if not whom.good:
        left = ", ".join(f"{spaced(number)} {kind}" for kind, number in list(whom.counts().items())[2:] if number)
        yield _found(whom, Severity.ERROR, "nobody_to_call", f"no number is left to call: {left}", "give another list")


def _elsewhere(whom: Recipients) -> Iterator[Finding]:
    layout = whom.layout
    chosen = " or ".join(column_name(layout.headings, column) for column in layout.columns)
    for column, lines in sorted(whom.tally.elsewhere.items()):
        other = column_name(layout.headings, column)
        text = f"{count(len(lines), 'row')} without a number in {chosen} and with one in {other}, {name_lines(lines)}"
        columns = ",".join(column_word(layout.headings, at) for at in (*layout.columns, column))
        hint = f"--column '{columns}' takes the first good number of each row"
        yield Finding(Severity.WARNING, "other_column_number", text, hint, whom.name, lines, column + 1)


def _troubles(whom: Recipients, *, cleaned: bool) -> Iterator[Finding]:
    for code, (one, many) in TROUBLES.items():
        lines = whom.tally.troubles.get(code)
        if lines is None:
            continue
        text = f"{count(len(lines), one, many)}, {name_lines(lines)}: {whom.tally.sample(code)}"
        if len(lines) == 1:
            text = f"line {lines[0]}: {whom.tally.sample(code)} - {_article(one)}"
        severity = Severity.ERROR if code in _ROUNDED else Severity.WARNING
        fate = (
            "" if cleaned or severity is Severity.ERROR else "; the PBX gets it as it is, unless --clean leaves it out"
        )
        yield _found(whom, severity, code, text, ADVICE[code] + fate, lines)


def _article(one: str) -> str:
    return f"the {one}" if one.split()[0] in ("cell", "number", "row", "foreign") else f"a {one}"


def _duplicates(whom: Recipients, *, cleaned: bool) -> Iterator[Finding]:
    repeated = whom.repeated()
    if not repeated:
        return
    shown = whom.tally.matching(_first_of(repeated, whom.tally.row_numbers))
    named = "; ".join(f"{number} on {name_lines(lines)}" for number, lines in shown.items())
    more = f", and {spaced(len(repeated) - len(shown))} more" if len(repeated) > len(shown) else ""
    severity = Severity.NOTE if cleaned else Severity.WARNING
    hint = "it is called once" if cleaned else "the PBX may call it twice: --clean uploads each number once"
    text = f"{count(len(repeated), 'number')} in more than one row: {named}{more}"
    yield _found(whom, severity, "duplicate", text, hint, whom.tally.lines_at(whom.repeats))


def _first_of(wanted: set[int], numbers: Iterable[int]) -> set[int]:
    """Returns the first few of these numbers in the order of the list."""
    found = set[int]()
    for number in filter(wanted.__contains__, numbers):
        found.add(number)
        if len(found) == _NUMBERS_NAMED:
            break
    return found


def _excluded(whom: Recipients, *, cleaned: bool) -> Iterator[Finding]:
    for reason, numbers in whom.excluded_by.items():
        # A cleaned list leaves out cells that are no number as a whole.
        found = {**numbers} if cleaned else _joined(numbers, whom.unread_excluded.get(reason, {}))
        lines = sorted({line for at in found.values() for line in at})
        if not lines:
            continue
        text = f"{count(len(found), 'number')} not to be called ({reason}), {name_lines(lines)}"
        if cleaned:
            yield _found(whom, Severity.NOTE, "excluded", text, "left out of the list that is uploaded", lines)
        else:
            hint = "the list goes out byte for byte: --clean leaves them out"
            yield _found(whom, Severity.ERROR, "excluded", text, hint, lines)


def _joined(one: Mapping[int, Sequence[int]], other: Mapping[int, Sequence[int]]) -> dict[int, list[int]]:
    return {number: [*one.get(number, ()), *other.get(number, ())] for number in {**one, **other}}


def _kinds(whom: Recipients) -> Iterator[Finding]:
    if lines := whom.tally.lines_of_kind(FOREIGN):
        text = f"{count(len(lines), 'foreign number')}, {name_lines(lines)}"
        hint = "calls abroad cost more; `alovoice config set allowed_prefixes 998` refuses them"
        yield _found(whom, Severity.WARNING, "foreign", text, hint, lines)
    if lines := whom.tally.lines_of_kind(LANDLINE):
        text = f"{count(len(lines), 'landline')}, {name_lines(lines)}"
        yield _found(whom, Severity.NOTE, "landline", text, "whoever is near picks it up", lines)


def _remarks(whom: Recipients, *, cleaned: bool) -> Iterator[Finding]:
    for code, (severity, text, hint) in _REMARKS.items():
        lines = whom.tally.remarks.get(code)
        if lines is None:
            continue
        sample = whom.tally.sample(code)
        digits = "".join(letter for letter in sample if letter.isdigit())
        national = f"{digits[:2]} {digits[2:5]} {digits[5:7]} {digits[7:]}"
        message = text.format(count=count(len(lines), "number"), sample=sample, national=national)
        message = f"{name_lines(lines)}: {message}"
        grave = Severity.NOTE if cleaned else severity
        yield _found(whom, grave, code, message, "" if cleaned else hint, lines)


def _reading(whom: Recipients) -> Iterator[Finding]:
    if whom.sheet.conversion:
        hint = "what a campaign uploads is the cleaned CSV made from it"
        yield Finding(Severity.NOTE, "converted", whom.sheet.conversion, hint, file=whom.name)
    elif whom.needs_cleaning:
        message = f"{whom.needs_cleaning}: a campaign uploads the cleaned list"
        yield Finding(Severity.NOTE, "uploads_cleaned", message, file=whom.name)
    if whom.sheet.note:
        yield Finding(Severity.NOTE, "encoding", whom.sheet.note, "--encoding NAME, if that is wrong", file=whom.name)
    if whom.layout.others:
        columns = ", ".join(str(column + 1) for column in whom.layout.others)
        message = f"column {columns} holds phones too; column {whom.layout.column + 1} is taken"
        hint = "--column checks another; which one the PBX calls is not documented"
        yield Finding(Severity.NOTE, "other_column", message, hint, file=whom.name, column=whom.layout.others[0] + 1)
