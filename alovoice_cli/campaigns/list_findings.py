"""The findings on a list of recipients: each problem with its name and its rows."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from alovoice_cli.campaigns.column_choice import column_label, column_word
from alovoice_cli.campaigns.recipients import Recipients
from alovoice_cli.campaigns.sheet import delimiter_name
from alovoice_cli.findings import Finding, Severity, name_rows
from alovoice_cli.language import joined, mark, ngettext, spaced, tr
from alovoice_cli.phones import ADVICE, FOREIGN, LANDLINE, TROUBLES, spelled

_ROUNDED = ("excel_rounded", "excel_decimal")
_NUMBERS_NAMED = 3

_REMARKS = {
    "text_around": (Severity.NOTE, mark("{rows}: the number was read from text, such as {sample}"), ""),
    "letter_for_digit": (
        Severity.WARNING,
        mark("{rows}: the letter O stands for a zero ({sample}) and is read as the digit"),
        mark("the PBX gets the number as it is written: correct it, or upload the cleaned list (--clean)"),
    ),
    "begins_with_998": (
        Severity.NOTE,
        mark("{rows}: a number of nine digits begins with 998: {sample} is +998 {national}, not a country code"),
        mark("where it matters, write 998 and nine digits"),
    ),
    "begins_with_994": (
        Severity.NOTE,
        mark("{rows}: a number of nine digits begins with 994: {sample} is +998 {national}, not Azerbaijan"),
        mark("where it matters, write 998 and nine digits"),
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
        text = tr(
            "{number} is a line of this campaign, and the list would call it: {rows}",
            number=spelled(number),
            rows=name_rows(lines),
        )
        hint = tr("remove it from the list, or give other lines with --trunks")
        yield _found(whom, Severity.ERROR, "own_line", text, hint, lines)


def reading_notes(whom: Recipients) -> Iterator[str]:
    """Returns how the list and the do-not-call lists were read, a sentence each."""
    yield describe(whom)
    yield from whom.exclusion_notes


def describe(whom: Recipients) -> str:
    """Returns how the list was read, in one line: its column and its counts."""
    layout = whom.layout
    return tr(
        "{name}: phones in column {column}, delimiter: {delimiter}, encoding: {encoding}; rows: {rows}"
        " (good {good}, invalid {invalid}, empty {empty}, duplicate {duplicate}, excluded {excluded})",
        name=whom.name,
        column=f"{layout.column + 1} ({layout.header})" if layout.header else layout.column + 1,
        delimiter=delimiter_name(layout.delimiter),
        encoding=whom.sheet.encoding,
        **{kind: spaced(number) for kind, number in whom.counts().items()},
    )


def _found(
    whom: Recipients, severity: Severity, code: str, message: str, hint: str = "", lines: Sequence[int] = ()
) -> Finding:
    return Finding(severity, code, message, hint, file=whom.name, lines=lines, column=whom.layout.column + 1)


def _no_one(whom: Recipients) -> Iterator[Finding]:
    if not whom.good:
        text = mark(
            "no number is left to call: invalid {invalid}, empty {empty}, duplicate {duplicate}, excluded {excluded}"
        )
        message = tr(text, **{kind: spaced(number) for kind, number in whom.counts().items()})
        yield _found(whom, Severity.ERROR, "nobody_to_call", message, tr("give another list"))


def _elsewhere(whom: Recipients) -> Iterator[Finding]:
    layout = whom.layout
    for column, lines in sorted(whom.tally.elsewhere.items()):
        text = ngettext(
            "{n} row has no number in column {chosen}, but one in column {other}: {rows}",
            "{n} rows have no number in column {chosen}, but one in column {other}: {rows}",
            len(lines),
            chosen=", ".join(column_label(layout.headings, at) for at in layout.columns),
            other=column_label(layout.headings, column),
            rows=name_rows(lines),
        )
        columns = ",".join(column_word(layout.headings, at) for at in (*layout.columns, column))
        hint = tr("--column '{columns}' takes the first good number of each row", columns=columns)
        yield Finding(Severity.WARNING, "other_column_number", text, hint, whom.name, lines, column + 1)


def _troubles(whom: Recipients, *, cleaned: bool) -> Iterator[Finding]:
    for code, trouble in TROUBLES.items():
        lines = whom.tally.troubles.get(code)
        if lines is None:
            continue
        sample = whom.tally.sample(code)
        text = tr("row {row}: {sample}: {trouble}", row=lines[0], sample=sample, trouble=tr(trouble))
        if len(lines) > 1:
            text = ngettext(
                "{trouble}, {n} time: {rows}; the first is {sample}",
                "{trouble}, {n} times: {rows}; the first is {sample}",
                len(lines),
                trouble=tr(trouble),
                rows=name_rows(lines),
                sample=sample,
            )
        severity, advice = Severity.ERROR if code in _ROUNDED else Severity.WARNING, tr(ADVICE[code])
        if not (cleaned or severity is Severity.ERROR):
            advice = joined("; ", [advice, tr("the PBX gets it unchanged, unless --clean leaves it out")])
        yield _found(whom, severity, code, text, advice, lines)


def _duplicates(whom: Recipients, *, cleaned: bool) -> Iterator[Finding]:
    repeated = whom.repeated()
    if not repeated:
        return
    shown = whom.tally.matching(_first_of(repeated, whom.tally.row_numbers))
    named = [tr("{number} ({rows})", number=number, rows=name_rows(lines)) for number, lines in shown.items()]
    if len(repeated) > len(shown):
        named.append(ngettext("and {n} more", "and {n} more", len(repeated) - len(shown)))
    severity = Severity.NOTE if cleaned else Severity.WARNING
    hint = tr("the PBX may call it twice: --clean uploads each number once")
    if cleaned:
        hint = tr("each of them is called once")
    text = ngettext(
        "{n} number in more than one row: {named}",
        "{n} numbers in more than one row: {named}",
        len(repeated),
        named=joined(", ", named),
    )
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
        text = ngettext(
            "{n} number not to be called ({reason}), {rows}",
            "{n} numbers not to be called ({reason}), {rows}",
            len(found),
            reason=reason,
            rows=name_rows(lines),
        )
        if cleaned:
            yield _found(whom, Severity.NOTE, "excluded", text, tr("left out of the uploaded list"), lines)
        else:
            hint = tr("the list is sent unchanged, byte for byte: --clean leaves them out")
            yield _found(whom, Severity.ERROR, "excluded", text, hint, lines)


def _joined(one: Mapping[int, Sequence[int]], other: Mapping[int, Sequence[int]]) -> dict[int, list[int]]:
    return {number: [*one.get(number, ()), *other.get(number, ())] for number in {**one, **other}}


def _kinds(whom: Recipients) -> Iterator[Finding]:
    if lines := whom.tally.lines_of_kind(FOREIGN):
        text = ngettext("{n} foreign number, {rows}", "{n} foreign numbers, {rows}", len(lines), rows=name_rows(lines))
        hint = tr("calls abroad cost more; `alovoice config set allowed_prefixes 998` refuses them")
        yield _found(whom, Severity.WARNING, "foreign", text, hint, lines)
    if lines := whom.tally.lines_of_kind(LANDLINE):
        text = ngettext("{n} landline, {rows}", "{n} landlines, {rows}", len(lines), rows=name_rows(lines))
        yield _found(whom, Severity.NOTE, "landline", text, tr("anybody there may answer"), lines)


def _remarks(whom: Recipients, *, cleaned: bool) -> Iterator[Finding]:
    for code, (severity, text, hint) in _REMARKS.items():
        lines = whom.tally.remarks.get(code)
        if lines is None:
            continue
        sample = whom.tally.sample(code)
        digits = "".join(letter for letter in sample if letter.isdigit())
        national = f"{digits[:2]} {digits[2:5]} {digits[5:7]} {digits[7:]}"
        message = tr(text, rows=name_rows(lines), sample=sample, national=national)
        grave = Severity.NOTE if cleaned else severity
        yield _found(whom, grave, code, message, "" if cleaned or not hint else tr(hint), lines)


def _reading(whom: Recipients) -> Iterator[Finding]:
    if whom.sheet.conversion:
        hint = tr("a campaign uploads the cleaned CSV that is made from it")
        yield Finding(Severity.NOTE, "converted", whom.sheet.conversion, hint, file=whom.name)
    elif whom.needs_cleaning:
        message = tr("{reason}: a campaign uploads the cleaned list", reason=whom.needs_cleaning)
        yield Finding(Severity.NOTE, "uploads_cleaned", message, file=whom.name)
    if whom.sheet.note:
        hint = tr("if that is wrong, give --encoding NAME")
        yield Finding(Severity.NOTE, "encoding", whom.sheet.note, hint, file=whom.name)
    if whom.layout.others:
        message = tr(
            "columns with phones: {columns}; column {column} is used",
            columns=", ".join(str(column + 1) for column in sorted([*whom.layout.others, whom.layout.column])),
            column=whom.layout.column + 1,
        )
        hint = tr("to use another, give --column; which one the PBX calls is not documented")
        yield Finding(Severity.NOTE, "other_column", message, hint, file=whom.name, column=whom.layout.others[0] + 1)
