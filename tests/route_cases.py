"""Rules files and questions for the tests of routing: made by hand, and made up by hypothesis."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from alovoice_cli.findings import Finding
from alovoice_cli.routing.lists import RuleSource
from alovoice_cli.routing.reading import LoadedRules, read_rules
from alovoice_cli.routing.rules import Rules

NOON = datetime(2026, 11, 25, 7, tzinfo=UTC)
"""Wednesday, 12:00 in Tashkent."""
FALLBACK = 'fallback = { queue = "6000" }\n'

ISSUE = """
timezone = "Asia/Tashkent"
fallback = { queue = "6000" }

[lists]
vip = ["998901234567"]
blocked = ["+998901112233", "99871*"]

[hours]
office = ["Mon-Fri 09:00-18:00", "Sat 10:00-15:00"]
holidays = ["2026-11-26"]

[[rule]]
name = "blocked"
when = { from = "@blocked" }
then = { hangup = true }

[[rule]]
name = "VIP to their manager"
when = { from = "@vip", line = "712037006", hours = "office", direction = "inc" }
then = { peer = "2000" }

[[rule]]
name = "back to whom they spoke with"
when = { spoke_within = "7d" }
then = { peer = "@last_peer" }

[[rule]]
name = "night"
when = { not = { hours = "office" } }
then = { hangup = "123" }

[[test]]
given = { from = "974244100", line = "712037006", at = "2026-11-23 19:00" }
expect = { hangup = "123" }
rule = "night"
"""


def loaded_of(text: str, path: Path = Path("rules.toml")) -> LoadedRules:
    """What a file of this text gives."""
    return read_rules(text, path, RuleSource(path, None))


def rules_of(text: str, path: Path = Path("rules.toml")) -> Rules:
    """The rules of a text; the fallback is added where it has none."""
    loaded = loaded_of(text if "fallback" in text else FALLBACK + text, path)
    assert loaded.rules is not None, [str(found) for found in loaded.findings]
    return loaded.rules


def errors_of(text: str) -> list[Finding]:
    """The errors of a text."""
    return [found for found in loaded_of(text).findings if found.severity == "error"]


_SCALARS: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(["974244100", "+998901234567", "inc", "out", "\ud800", "9" * 70, 10**25]),
)
_JSON = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)
_NAMES = st.sampled_from(["from_number", "line_number", "queue_number", "direction", "from_number[]", "FROM_NUMBER"])
_QUESTIONS = st.dictionaries(_NAMES, _JSON, max_size=5)
_DEEP = st.sampled_from(
    [b"[" * 100_000, b'{"a":' * 50_000, b"9" * 5000, b'{"from_number":' + b"9" * 5000 + b"}", b"x" * 2**20]
)


def _as_json(value: object) -> bytes:
    import json

    return json.dumps(value).encode()


BODIES: st.SearchStrategy[bytes] = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")),
    _JSON.map(_as_json),
    _QUESTIONS.map(_as_json),
    _QUESTIONS.map(lambda body: _as_json([body])),
    _QUESTIONS.map(lambda body: _as_json(body)[:-1]),
    _DEEP,
)
"""Bodies as nobody should send them: no JSON, wrong types, cut, deep, huge; some of them are good questions."""

NUMBERS = ("901234567", "+998901112233", "998712000000", "74951234567", "2424")
LINES = ("712037006", "712037007")
_HOURS = ("office", "night", "lunch", "holidays")
_LEAVES = st.one_of(
    st.sampled_from([*NUMBERS, "90*", "99871*", "+7495*", "@vip"]).map(lambda n: f'from = "{n}"'),
    st.sampled_from([*LINES, "71*"]).map(lambda n: f'line = "{n}"'),
    st.sampled_from(_HOURS).map(lambda n: f'hours = "{n}"'),
    st.sampled_from(["inc", "out"]).map(lambda n: f'direction = "{n}"'),
    st.sampled_from(['queue = "6000"', 'queue = ["6000", "6001"]']),
    st.sampled_from(["hidden = true", "hidden = false"]),
)


def _table(conditions: list[str]) -> str:
    """Conditions as a table; of one key the last wins, for TOML takes a key once."""
    return "{ " + ", ".join({text.partition(" ")[0]: text for text in conditions}.values()) + " }"


def _nested(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    tables = st.lists(inner, min_size=1, max_size=2).map(_table)
    several = st.lists(tables, min_size=1, max_size=3).map(", ".join)
    return st.one_of(
        tables.map(lambda table: f"not = {table}"),
        several.map(lambda parts: f"any = [{parts}]"),
        several.map(lambda parts: f"all = [{parts}]"),
    )


CONDITIONS = st.recursive(_LEAVES, _nested, max_leaves=4)
WHENS = st.lists(CONDITIONS, max_size=3).map(_table)


@st.composite
def rules_texts(draw: st.DrawFn) -> str:
    """A file of up to six rules over a few numbers, lines and hours, so that they get into each other's way."""
    whens = draw(st.lists(WHENS, min_size=1, max_size=6))
    zone = draw(st.sampled_from(["Asia/Tashkent", "America/New_York", "Europe/Berlin"]))
    head = (
        f'timezone = "{zone}"\n{FALLBACK}[lists]\nvip = ["901234567", "2424"]\n[hours]\n'
        'office = ["Mon-Fri 09:00-18:00", "Sat 10:00-15:00"]\nnight = ["daily 22:00-06:00"]\n'
        'lunch = "Mon-Fri 12:00-13:00"\nholidays = ["2026-11-26", "12-31..01-02"]\n'
    )
    return head + "".join(
        f'[[rule]]\nname = "r{n}"\nwhen = {when}\nthen = {{ queue = "{n + 1}" }}\n' for n, when in enumerate(whens)
    )
