"""Generated lists whose counts add up, against a plain reading of the same rows."""

import csv
import io
import random

from strength import IS_SOAK, rounds

from alovoice_cli.campaigns.recipients import Exclusion, read_recipients
from alovoice_cli.phones import read_cell

_TRAPS = (
    *("998765432", "994412860", "9О1234567", "901234567, 911234567", "901234567 доб 12", "901234567/8", "2037006"),
    *(
        "712037006",
        "+79161234567",
        "79161234567",
        "9,98901E+11",
        "998901234567.0",
        "101234567",
        "",
        " ",
        "8 90 1234567",
    ),
)
_ENCODINGS = ("utf-8", "utf-8-sig", "cp1251", "utf-16")


def _cell(chance: random.Random) -> str:
    number = f"{chance.choice(('90', '91', '93', '99', '88', '71'))}{chance.randrange(3000):07}"
    spelled = (number, f"998{number}", f"+998{number}", f"+998 ({number[:2]}) {number[2:5]}-{number[5:7]}-{number[7:]}")
    return chance.choice(_TRAPS) if chance.random() < 0.2 else chance.choice(spelled)


def _check(chance: random.Random) -> None:
    rows = [f"99890{chance.randrange(10**7):07}" for _ in range(3)] + [
        _cell(chance) for _ in range(chance.randrange(900))
    ]
    out = io.StringIO(newline="")
    delimiter, header = chance.choice(",;\t|"), chance.random() < 0.5
    end = chance.choice(("\n", "\r\n", "\r"))
    writer = csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    names = ("Али", "Вали\nГули", 'ООО "Ромашка"', "a,b;c|d")
    writer.writerows([["имя", "телефон"]] * header + [[chance.choice(names), cell] for cell in rows])
    barred = {int(f"998901{chance.randrange(3000):06}") for _ in range(200)}
    data = out.getvalue().encode(chance.choice(_ENCODINGS))
    found = read_recipients(io.BytesIO(data), exclusions=[Exclusion("do not call", barred)])
    verdicts = [read_cell(cell) for cell in rows]
    numbers = [verdict.number for verdict in verdicts if verdict.number]
    kept = [number for number in numbers if number not in barred]
    expected = {
        "rows": len(rows),
        "good": len(set(kept)),
        "invalid": sum(not verdict.number and verdict.code != "empty" for verdict in verdicts),
        "empty": sum(verdict.code == "empty" for verdict in verdicts),
        "duplicate": len(kept) - len(set(kept)),
        "excluded": len(numbers) - len(kept),
    }
    assert found.counts() == expected, (found.counts(), expected)
    assert set(found.tally.numbers()) == set(numbers)


def test_every_row_of_each_list_is_accounted_for_and_every_number_is_the_one_that_its_cell_holds() -> None:
    chance = random.Random() if IS_SOAK else random.Random(5)
    for _ in range(rounds(250)):
        _check(chance)
