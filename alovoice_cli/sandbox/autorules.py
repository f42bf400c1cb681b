"""Reads the form of `addAutorule` as the vendor's document describes it (API, section 1)."""

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from hashlib import blake2b
from typing import BinaryIO

from alovoice_cli.campaigns.dialer_simulation import DialPlan
from alovoice_cli.sandbox.bodies import Refusal

TEXT_FIELDS = (
    "name",
    "from",
    "to",
    "fromtime",
    "totime",
    "trunks",
    "maxline",
    "goodtime",
    "tryes",
    "paused",
    "timezone",
)
REQUIRED = ("name", "from", "to", "fromtime", "totime", "trunks")
MOST_RECIPIENTS = 500_000

_DAY = re.compile(r"\d{4}\.\d{2}\.\d{2}", re.ASCII)
_MINUTE = re.compile(r"\d{2}:\d{2}", re.ASCII)
_ZONE = re.compile(r"utc ?([+-])(\d{1,2})(?::?(\d{2}))?", re.ASCII | re.IGNORECASE)
_PHONE = re.compile(r"\+?\d[\d ()-]{3,24}", re.ASCII)
_CELL_END = re.compile(r"[,;\t|]")
_LONGEST_LINE = 10_000
_PHONE_DIGITS = range(7, 16)


@dataclass(frozen=True, slots=True)
class CampaignOrder:
    """A requested campaign. `record` is the digest of the sound file, `numbers` are spelled as in the CSV."""

    name: str
    plan: DialPlan
    paused: bool
    record: str
    numbers: tuple[str, ...]


def read_order(
    fields: Mapping[str, str], record: BinaryIO, recipients: BinaryIO, lines: Mapping[str, str]
) -> CampaignOrder:
    """Returns the order of a complete form; `lines` are the PBX's own. Raises Refusal (400) naming the field."""
    for name in REQUIRED:
        if not fields.get(name, "").strip():
            raise Refusal(400, f"{name} is missing")
    if not is_mp3(record):
        raise Refusal(400, "record is not an MP3 file")
    return CampaignOrder(
        name=fields["name"],
        plan=_read_plan(fields, lines),
        paused=_read_count(fields, "paused", 0, range(2)) == 1,
        record=_digest(record),
        numbers=read_numbers(recipients),
    )


def _read_plan(fields: Mapping[str, str], lines: Mapping[str, str]) -> DialPlan:
    plan = DialPlan(
        first=_read_day(fields, "from"),
        last=_read_day(fields, "to"),
        opens=_read_minute(fields, "fromtime"),
        closes=_read_minute(fields, "totime"),
        utc_offset=_read_offset(fields.get("timezone") or "utc +5"),
        lines=_read_count(fields, "maxline", 1, range(1, 1001)),
        tries=_read_count(fields, "tryes", 2, range(1, 101)),
        goodtime=timedelta(seconds=_read_count(fields, "goodtime", 3, range(3601))),
        trunks=_read_trunks(fields["trunks"], lines),
    )
    if plan.last < plan.first:
        raise Refusal(400, "to lies before from")
    if (plan.last - plan.first).days > 366:
        raise Refusal(400, "to lies more than a year after from")
    if plan.closes <= plan.opens:
        raise Refusal(400, "totime must lie after fromtime: a window over midnight is not served")
    return plan


def _read_day(fields: Mapping[str, str], name: str) -> date:
    text = fields[name].strip()
    if _DAY.fullmatch(text):
        try:
            return datetime.strptime(text, "%Y.%m.%d").date()
        except ValueError:
            pass
    raise Refusal(400, f"{name} must be a day as YYYY.MM.DD")


def _read_minute(fields: Mapping[str, str], name: str) -> time:
    text = fields[name].strip()
    if _MINUTE.fullmatch(text) and int(text[:2]) < 24 and int(text[3:]) < 60:
        return time(int(text[:2]), int(text[3:]))
    raise Refusal(400, f"{name} must be a time as HH:MM")


def _read_offset(text: str) -> timedelta:
    match = _ZONE.fullmatch(text.strip())
    if match:
        offset = timedelta(hours=int(match[2]), minutes=int(match[3] or 0))
        signed = -offset if match[1] == "-" else offset
        if timedelta(hours=-12) <= signed <= timedelta(hours=14) and int(match[3] or 0) < 60:
            return signed
    raise Refusal(400, "timezone must be written as utc +5")


def _read_count(fields: Mapping[str, str], name: str, default: int, allowed: range) -> int:
    text = fields.get(name, "").strip()
    if not text:
        return default
    if text.isascii() and text.isdigit() and len(text) < 10 and int(text) in allowed:
        return int(text)
    raise Refusal(400, f"{name} must be a number from {allowed[0]} to {allowed[-1]}")


def _read_trunks(text: str, lines: Mapping[str, str]) -> tuple[str, ...]:
    numbers = tuple(number.strip() for number in text.split(","))
    for number in numbers:
        if number not in lines:
            raise Refusal(400, f"trunks: {number[:40]!r} is not a line of this PBX")
    return numbers


def _digest(file: BinaryIO) -> str:
    """Returns 32 hexadecimal digits, the length of the hash in the vendor's sample of `record`."""
    file.seek(0)
    digest = blake2b(digest_size=16)
    while block := file.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()


def read_numbers(file: BinaryIO) -> tuple[str, ...]:
    """Returns the phone numbers of a CSV: of the first column with a phone. The document names no columns (A).

    Letters of any eight-bit encoding may stand around them: only digits are read. Raises Refusal (400).
    """
    file.seek(0)
    encoding = "utf-16" if file.read(2) in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    file.seek(0)
    text = io.TextIOWrapper(file, encoding=encoding, errors="replace")
    try:
        numbers = _column_of_phones(text)
    except UnicodeError:  # a UTF-16 mark before other text
        numbers = ()
    finally:
        text.detach()
    if not numbers:
        raise Refusal(400, "recipients holds no phone number")
    return numbers


def _column_of_phones(text: io.TextIOWrapper) -> tuple[str, ...]:
    numbers: list[str] = []
    column: int | None = None
    while line := text.readline(_LONGEST_LINE):
        cells = [cell.strip().strip('"').strip() for cell in _CELL_END.split(line)]
        if column is None:
            column = next((place for place, cell in enumerate(cells) if _is_phone(cell)), None)
        if column is not None and column < len(cells) and _is_phone(cells[column]):
            numbers.append(cells[column])
        if len(numbers) > MOST_RECIPIENTS:
            raise Refusal(413, f"recipients holds more than {MOST_RECIPIENTS} numbers: the sandbox simulates no more")
    return tuple(numbers)


def _is_phone(cell: str) -> bool:
    return bool(_PHONE.fullmatch(cell)) and sum(map(str.isdigit, cell)) in _PHONE_DIGITS


_ID3_HEADER = 10
_SEARCHED = 64 * 1024
_FRAMES_IN_A_ROW = 3

_BITRATES_V1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_BITRATES_V2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_LAYER_3 = 1


def is_mp3(file: BinaryIO) -> bool:
    """Returns whether MPEG layer III frames follow each other, after an optional ID3 tag. Reads at most 64 KiB."""
    file.seek(0)
    head = file.read(_ID3_HEADER)
    start = 0
    if head[:3] == b"ID3" and len(head) == _ID3_HEADER:
        size = 0
        for byte in head[6:10]:  # a "syncsafe" number: seven bits a byte
            size = size << 7 | byte & 0x7F
        start = _ID3_HEADER + size
    file.seek(start)
    data = file.read(_SEARCHED)
    position = data.find(b"\xff")
    while position >= 0:
        if _frames_follow(data, position):
            return True
        position = data.find(b"\xff", position + 1)
    return False


def _frames_follow(data: bytes, position: int) -> bool:
    found = 0
    while found < _FRAMES_IN_A_ROW:
        length = _frame_length(data[position : position + 4])
        if length == 0:
            return False
        found += 1
        position += length
        if position >= len(data):  # a very short announcement: all of it was frames
            return position == len(data)
    return True


def _frame_length(header: bytes) -> int:
    """Returns the bytes of the layer III frame with this header; 0 for no frame."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return 0
    version, layer = header[1] >> 3 & 3, header[1] >> 1 & 3
    bitrate_index, rate_index = header[2] >> 4, header[2] >> 2 & 3
    if layer != _LAYER_3 or version not in _RATES or rate_index == 3 or bitrate_index in (0, 15):
        return 0
    bitrate = (_BITRATES_V1 if version == 3 else _BITRATES_V2)[bitrate_index] * 1000
    samples_by_eight = 144 if version == 3 else 72
    return samples_by_eight * bitrate // _RATES[version][rate_index] + (header[2] >> 1 & 1)
