"""The list of whom to call again reads as the same people, whatever else stands in their rows."""

import csv
import io

from hypothesis import assume, given
from hypothesis import strategies as st
from strength import examples

from alovoice_cli.campaigns.attempts import CampaignScope
from alovoice_cli.campaigns.kept_list import CampaignList, keep_recipients
from alovoice_cli.campaigns.recipients import read_recipients
from alovoice_cli.campaigns.report import CampaignReport, ListenerCoverage
from alovoice_cli.campaigns.unreached import check_reading, unreached_text
from alovoice_cli.errors import AlovoiceError
from alovoice_cli.events.coverage import Coverage
from alovoice_cli.output.data_formats import safe_cell
from alovoice_cli.spreadsheet import EXCEL, PLAIN, SpreadsheetFormat

DRESSES = (
    *("90{}", "99890{}", "+99890{}", "+998 90 {}", "8 90 {}", "(90) {}", "tel: 90{}", "90{} (Али)", "0090{}", "'90{}"),
    "+49 30 {}",
)
NOTES = st.sampled_from(["", "=1+1", "+1", "-", "@x", "a,b;c", 'say "so"', "икки\nқатор", "\ufeffx", "\t", "٣", "12.5"])
ROWS = st.lists(st.tuples(NOTES, st.sampled_from(DRESSES), NOTES), min_size=1, max_size=12)
SCOPE = CampaignScope("124", ((0, 60),), frozenset(["998712037006"]), 3, 2)
NOBODY_TRIED = ListenerCoverage(Coverage(0, 60), is_over=True)


@examples(80)
@given(ROWS, st.booleans(), st.sampled_from([PLAIN, EXCEL]), st.sampled_from(",;\t"))
def test_rows_to_call_again_read_as_the_same_people(
    rows: list[tuple[str, str, str]], has_headings: bool, form: SpreadsheetFormat, delimiter: str
) -> None:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    if has_headings:
        writer.writerow(["izoh", "telefon", "ism"])
    for number, (note, dress, name) in enumerate(rows):
        writer.writerow([note, dress.format(1_234_567 + number), name])
    try:
        whom = read_recipients(io.BytesIO(out.getvalue().encode()), column="2")
    except AlovoiceError:
        assume(False)
    kept = keep_recipients(whom)
    assert kept is not None
    report = CampaignReport(SCOPE, CampaignList(kept), {}, NOBODY_TRIED)
    written = unreached_text(report, (), safe_cell, form)
    assert written.numbers == whom.tally.numbers()
    assume(written.numbers)  # with nobody to call again, no file is written
    column = check_reading(written, "again.csv")
    again = read_recipients(io.BytesIO(written.text.encode()), column=column)
    assert again.tally.numbers() == whom.tally.numbers()
    own = [row for row in report.rows() if row.row.verdict == "good"]
    shown = list(
        csv.reader(io.StringIO(written.text.removeprefix(form.mark)), delimiter=form.delimiter or whom.layout.delimiter)
    )
    assert [len(row) for row in shown[len(shown) - len(own) :]] == [len(row.row.cells) for row in own]
