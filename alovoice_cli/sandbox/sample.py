"""Files to play with on the sandbox, and commands that use them: they work at any hour, and a second time too.

The phone numbers begin with a zero behind the operator's code: nobody has them.
"""

import shlex
from pathlib import Path

from alovoice_cli.sandbox.scenario import data

_RECIPIENTS = """\
telefon;ism;shahar;izoh
+998 90 000-00-01;Азиза Каримова;Тошкент;
998910000002;Oʻtkir Gʻaniyev;Samarqand;
93 000 00 03;Шаҳноза Қодирова;Бухоро;
+998940000004;Ўктам Ғуломов;Наманган;
998970000005;Екатерина Цой;Ташкент;
(99) 000-00-06;Jasur Toʻxtayev;Fargʻona;
+998330000007;Nilufar Sheraliyeva;Andijon;
998880000008;Ёрқин Ҳасанов;Хива;
90 000 00 09;Александр Щербаков;Чирчик;
+998 91 000 00 10;Gulchehra Yoʻldosheva;Qarshi;
90 000-00-01;Азиза Каримова;Тошкент;дубль
+998910000002;Otkir Ganiyev;Samarqand;takror
12345;Дилшод;Нукус;номер неполный
+998 90 000 00;Zulfiya;Termiz;raqam toʻliq emas
"""
_COMMANDS = (
    "numbers check {list}",
    "autorule create --name Namuna --recipients {list} --clean --record {recording} --from today --to +2d "
    "--fromtime 00:00 --totime 23:59 --trunks all --maxline 3 --night-ok --allow-duplicate --yes",
    "autorule list",
    "route check {rules} --strict",
    "route test {rules} --from 900000001 --line 712037006",
    "call conference --from 712037006 --to 900000001:uz --extid 903 --night-ok",
    "ai send 903 --yes",
    "ai result 903 --wait --peer 2000",
    "ai score --rules {scores} --check",
    "ai score --rules {scores} --fail-under 0",
    "ai report --rules {scores} --by week",
)


def sample_files(rules: str, scores: str) -> dict[str, bytes]:
    """Returns the files by name: a list with duplicates and invalid rows, a recording, these rules and scores."""
    return {
        "list.csv": _RECIPIENTS.encode(),
        "announcement.mp3": data("announcement.mp3").read_bytes(),
        "rules.toml": rules.encode(),
        "scores.toml": scores.encode(),
    }


def sample_commands(folder: Path) -> list[list[str]]:
    """Returns the words of the commands, quoted for a shell, that use the files of this folder on the sandbox."""
    names = {"list": "list.csv", "recording": "announcement.mp3", "rules": "rules.toml", "scores": "scores.toml"}
    places = {word: shlex.quote(str(folder / name)) for word, name in names.items()}
    return [["alovoice", "-p", "sandbox", *(word.format_map(places) for word in line.split(" "))] for line in _COMMANDS]
