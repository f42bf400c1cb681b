"""Workbooks written by hand in the form of common programs."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape, quoteattr

Sheets = Mapping[str, Sequence[Sequence[object]]]

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_ODS = "urn:oasis:names:tc:opendocument:xmlns"


def zipped(parts: Mapping[str, str]) -> bytes:
    """Returns a ZIP archive of these parts."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return made.getvalue()


def xlsx(sheets: Sheets, hidden: Sequence[str] = ()) -> bytes:
    """Returns an .xlsx: numbers as numbers, a bytes value as raw XML, other values as text; None is no cell."""
    return xlsx_of({name: _rows(rows) for name, rows in sheets.items()}, hidden)


def xlsx_of(sheets: Mapping[str, str], hidden: Sequence[str] = (), strings: str = "") -> bytes:
    """Returns an .xlsx whose sheets have these rows of XML, with these `<si>` as shared strings."""
    names, ids = list(sheets), range(1, len(sheets) + 1)
    states = ["hidden" if name in hidden else "visible" for name in names]
    listed = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{at}" state="{state}" r:id="r{at}"/>'
        for name, state, at in zip(names, states, ids, strict=True)
    )
    links = "".join(
        f'<Relationship Id="r{at}" Type="{_OFFICE}/worksheet" Target="worksheets/s{at}.xml"/>' for at in ids
    )
    links += f'<Relationship Id="r0" Type="{_OFFICE}/sharedStrings" Target="sharedStrings.xml"/>'
    pages = {
        f"xl/worksheets/s{at}.xml": f'<worksheet xmlns="{_MAIN}"><sheetData>{rows}</sheetData></worksheet>'
        for at, rows in zip(ids, sheets.values(), strict=True)
    }
    return zipped(
        {
            "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r1" '
            f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
            "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{listed}</sheets></workbook>',
            "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">{links}</Relationships>',
            "xl/sharedStrings.xml": f'<sst xmlns="{_MAIN}">{strings}</sst>',
            **pages,
        }
    )


def _rows(rows: Sequence[Sequence[object]]) -> str:
    return "".join(
        f'<row r="{at}">{"".join(_cell(value, at, column) for column, value in enumerate(row))}</row>'
        for at, row in enumerate(rows, start=1)
    )


def _cell(value: object, row: int, column: int) -> str:
    place = f"{chr(ord('A') + column)}{row}"
    if value is None:
        return ""
    if isinstance(value, bytes):
        return value.decode().format(place=place)
    if isinstance(value, (int, float)):
        return f'<c r="{place}"><v>{value!r}</v></c>'
    return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{escape(str(value))}</t></is></c>'


def ods(sheets: Sheets) -> bytes:
    """Returns an .ods with the blank rows and cells to the sheet's edge that LibreOffice writes."""
    edge = '<table:table-cell table:number-columns-repeated="900"/>'
    below = f'<table:table-row table:number-rows-repeated="1048000">{edge}</table:table-row>'
    tables = "".join(
        f"<table:table table:name={quoteattr(name)}>"
        + "".join(f"<table:table-row>{''.join(map(_ods_cell, row))}{edge}</table:table-row>" for row in rows)
        + f"{below}</table:table>"
        for name, rows in sheets.items()
    )
    return ods_of(tables)


def ods_of(tables: str) -> bytes:
    """Returns an .ods of these tables of XML."""
    spaces = " ".join(f'xmlns:{name}="{_ODS}:{name}:1.0"' for name in ("office", "table", "text"))
    return zipped(
        {
            "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
            "META-INF/manifest.xml": f'<manifest:manifest xmlns:manifest="{_ODS}:manifest:1.0"/>',
            "content.xml": f"<office:document-content {spaces}><office:body><office:spreadsheet>{tables}"
            "</office:spreadsheet></office:body></office:document-content>",
        }
    )


def _ods_cell(value: object) -> str:
    if value is None:
        return "<table:table-cell/>"
    if isinstance(value, (int, float)):
        return f'<table:table-cell office:value-type="float" office:value="{value!r}"/>'
    text = escape(str(value))
    return f'<table:table-cell office:value-type="string"><text:p>{text}</text:p></table:table-cell>'
