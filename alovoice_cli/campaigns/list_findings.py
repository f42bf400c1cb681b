"""What is to be said of a list of recipients: each trap named for what it is, with its lines."""

from collections.abc import Iterator, Sequence

from alovoice_cli.campaigns.findings import Finding, Severity, count, name_lines, spaced
from alovoice_cli.campaigns.recipients import Recipients
from alovoice_cli.campaigns.sheet import delimiter_name
from alovoice_cli.phones import ADVICE, FOREIGN, LANDLINE, TROUBLES

_ROUNDED = ("excel_rounded", "excel_decimal")
_NUMBERS_NAMED = 3

_REMARKS = {
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
    """The findings of a list, the gravest kinds first. `cleaned`: the list is uploaded cleaned, not as it is."""
    yield from _no_one(whom)
    yield from _troubles(whom, cleaned=cleaned)
    yield from _duplicates(whom, cleaned=cleaned)
    yield from _excluded(whom, cleaned=cleaned)
    yield from _kinds(whom)
    yield from _remarks(whom, cleaned=cleaned)
    yield from _reading(whom)


def describe(whom: Recipients) -> str:
    """How the list was read, in one line: the column that was found, the counts."""
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
    if not whom.duplicates:
        return
    named = [f"{number} on {name_lines(lines)}" for number, lines in list(whom.duplicates.items())[:_NUMBERS_NAMED]]
    lines = sorted(line for at in whom.duplicates.values() for line in at[1:])
    severity = Severity.NOTE if cleaned else Severity.WARNING
    hint = "it is called once" if cleaned else "the PBX may call it twice: --clean uploads each number once"
    more = (
        f", and {spaced(len(whom.duplicates) - _NUMBERS_NAMED)} more" if len(whom.duplicates) > _NUMBERS_NAMED else ""
    )
    text = f"{count(len(whom.duplicates), 'number')} in more than one row: {'; '.join(named)}{more}"
    yield _found(whom, severity, "duplicate", text, hint, lines)


def _excluded(whom: Recipients, *, cleaned: bool) -> Iterator[Finding]:
    for reason, numbers in whom.excluded_by.items():
        lines = sorted(line for at in numbers.values() for line in at)
        if not lines:
            continue
        text = f"{count(len(numbers), 'number')} not to be called ({reason}), {name_lines(lines)}"
        if cleaned:
            yield _found(whom, Severity.NOTE, "excluded", text, "left out of the list that is uploaded", lines)
        else:
            hint = "the list goes out byte for byte: --clean leaves them out"
            yield _found(whom, Severity.ERROR, "excluded", text, hint, lines)


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
        hint = "what a campaign uploads is the CSV made from it"
        yield Finding(Severity.NOTE, "converted", whom.sheet.conversion, hint, file=whom.name)
    if whom.sheet.note:
        yield Finding(Severity.NOTE, "encoding", whom.sheet.note, "--encoding NAME, if that is wrong", file=whom.name)
    if whom.layout.others:
        columns = ", ".join(str(column + 1) for column in whom.layout.others)
        message = f"column {columns} holds phones too; column {whom.layout.column + 1} is taken"
        hint = "--column checks another; which one the PBX calls is not documented"
        yield Finding(Severity.NOTE, "other_column", message, hint, file=whom.name, column=whom.layout.others[0] + 1)
