"""`ai report`, its page, and `ai prune`."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import html5lib
import pytest
from event_rows import Rows
from front_door import TOKEN, FrontDoor
from raw_server import Connection, RawServer
from speech_cases import BEGAN, VENDOR, answer, kept, sandbox_answer

DAY = 86_400
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
HOSTILE = (
    "<script>document.title='owned'</script>",
    "<img src=x onerror=\"document.title='owned'\">",
    "</style><svg onload=\"document.title='owned'\">",
    '"><a href="javascript:document.title=\'owned\'">',
    "\x1b[2J\u202e{{7*7}}<!--",
)


@pytest.fixture
def home(alovoice: FrontDoor) -> FrontDoor:
    """Three days of calls of two operators; one of them talks all the time."""
    alovoice.environ["ALOVOICE_PROFILE"] = "sandbox"
    store = kept(alovoice)
    for number in range(6):
        store.keep(f"{number}", sandbox_answer(str(number)), peer="2000")
    monologue = ((0, 90_000, "operator", "гапираман"), (90_100, 91_000, "client", "ha <b>x</b> 901234567"))
    store.keep("bad", answer(*monologue, tags=("Жалоба",), begun=BEGAN + 2 * DAY), peer="100")
    store.keep("next", answer((0, 900, "client", "salom"), (950, 1800, "operator", "salom"), begun=BEGAN + DAY))
    return alovoice


def test_the_figures_of_a_period_by_day_operator_and_tag(home: FrontDoor) -> None:
    days = home("ai", "report", "--no-headers").out.splitlines()
    assert [line.split("\t")[:2] for line in days] == [["2024-05-20", "6"], ["2024-05-21", "1"], ["2024-05-22", "1"]]
    operators = home("ai", "report", "--by", "operator", "--columns", "group,calls,worst_call", "--no-headers").out
    assert operators.splitlines()[1:] == ["100\t1\tbad", "?\t1\tnext"]
    assert "Жалоба\t1" in home("ai", "report", "--by", "tag").out
    told = json.loads(home("ai", "report", "--json").out)
    assert (told["calls"], told["good"], told["worst"][0]["call_id"]) == (8, 7, "bad")
    assert sum(told["talk_ratio_distribution"]) == 8
    assert told["worst"][0]["failed"] == ["talk_ratio 0.3 to 0.7", "longest_monologue under 60 s"]


def test_a_terminal_gets_bars_and_what_they_stand_for(home: FrontDoor) -> None:
    shown = home("ai", "report", terminal=True, environ={"NO_COLOR": "1"})
    assert "██" in shown.out
    assert "▒" in shown.out
    assert "█ calls at 80 or above, ▒ below" in shown.err
    assert max(map(len, shown.out.splitlines())) <= 80


def test_the_options_narrow_the_report(home: FrontDoor) -> None:
    assert json.loads(home("ai", "report", "--json", "--peer", "2000").out)["calls"] == 6
    assert json.loads(home("ai", "report", "--json", "--since", "2024-05-21").out)["calls"] == 2
    empty = home("ai", "report", "--json", "--since", "1d")
    assert (empty.code, json.loads(empty.out)["calls"]) == (0, 0)


def _page(home: FrontDoor, *words: str) -> str:
    assert home("ai", "report", "--html", "report.html", "--force", *words).code == 0
    path = home.home / "report.html"
    assert path.stat().st_mode & 0o777 == 0o600
    return path.read_text("utf-8")


def test_the_page_is_valid_stands_alone_and_is_the_same_twice(home: FrontDoor) -> None:
    page = _page(home)
    html5lib.HTMLParser(strict=True).parse(page)
    assert not re.search(r"(?:src|href)=[\"'](?!#)", page.replace('xmlns="', ""))
    assert "<script" not in page
    assert page.count("<svg") == 3
    assert 'name="viewport"' in page
    assert "prefers-color-scheme: dark" in page
    assert "@media print" in page
    assert "гапираман" in page
    assert "ha &lt;b&gt;x&lt;/b&gt; 901234567" in page
    assert _page(home) == page
    assert "901234567" not in _page(home, "--mask-numbers")
    assert _page(home, "--worst", "0").count('class="talk"') == 0


@pytest.mark.floors
def test_a_page_of_nothing_is_a_page(home: FrontDoor) -> None:
    html5lib.HTMLParser(strict=True).parse(_page(home, "--since", "1d"))


def test_a_page_that_is_there_stays(home: FrontDoor) -> None:
    _page(home)
    assert home("ai", "report", "--html", "report.html").code == 2


def test_the_scores_of_the_page_go_by_the_rules(home: FrontDoor) -> None:
    (home.home / "qa.toml").write_text("[[check]]\nname = 'Без жалоб <x>'\nwithout_tag = 'жалоба'", "utf-8")
    page = _page(home, "--rules", "qa.toml")
    assert "Без жалоб &lt;x&gt;" in page
    assert "qa.toml: 1 checks" in page or "1 check" in page


def _hostile(home: FrontDoor) -> str:
    """The page of a store in which every text is an attack."""
    for number, text in enumerate(HOSTILE):
        tags = (text, {"name": text, "fragment_id": "f0", "match_text": text[:9], "begin": 0})
        phrases = ((0, 90_000, text, text), (0, 90_000, "operator", text))
        kept(home).keep(f"{number}{text}", answer(*phrases, tags=tags, begun=BEGAN), peer=text)
    page = _page(home)
    html5lib.HTMLParser(strict=True).parse(page)
    return page


def test_no_text_of_the_server_is_markup_in_the_page(home: FrontDoor) -> None:
    tree = html5lib.parse(_hostile(home), namespaceHTMLElements=False)
    for node in tree.iter():
        if isinstance(node.tag, str):
            assert node.tag.rpartition("}")[2] not in ("script", "img", "iframe", "object")
            assert not [name for name in node.attrib if name.rpartition("}")[2].startswith("on")]
            assert not node.attrib.get("href", "").startswith("javascript")


@pytest.mark.skipif(CHROMIUM is None, reason="needs a browser")
def test_a_browser_runs_nothing_of_what_was_said(home: FrontDoor) -> None:
    page = re.sub(r"<meta http-equiv[^>]*>\n", "", _hostile(home))  # the escaping alone, without the page's policy
    assert "Content-Security" not in page
    path = home.home / "hostile.html"
    path.write_text(page, "utf-8")
    words = [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={home.home / 'browser'}"]
    own = dict.fromkeys(("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"), str(home.home))  # it keeps a file in each
    done = subprocess.run(
        [*words, "--dump-dom", path.as_uri()], env={**os.environ, **own}, capture_output=True, timeout=60, check=True
    )
    title = re.search(rb"<title>(.*?)</title>", done.stdout)
    assert title is not None
    assert title.group(1).startswith(b"Speech report")


# --- whose calls they are --------------------------------------------------------------------------------------------


def test_a_listener_that_knew_the_call_tells_whose_it_was(alovoice: FrontDoor) -> None:
    def ready(connection: Connection) -> None:
        while connection.read() is not None:
            connection.answer("200 OK", json.dumps(VENDOR).encode())

    server = RawServer([ready])
    alovoice.environ |= {"ALOVOICE_BASE_URL": server.url, "ALOVOICE_TOKEN": TOKEN}
    (alovoice.home / "state").mkdir(mode=0o700)
    Rows(alovoice.home / "state" / "events.db").call(BEGAN, peer=2424, call_id="1716209468.17")
    first = alovoice("ai", "result", "1716209468.17", "other")
    assert first.code == 0, first.err
    alovoice("ai", "result", "named", "--peer", "77")
    server.stop()
    told = {one.call_id: one.peer for one in kept(alovoice, "default").all()}
    assert told == {"1716209468.17": "2424", "other": None, "named": "77"}


# --- prune -----------------------------------------------------------------------------------------------------------


def test_prune_forgets_old_calls_and_leaves_no_letter_of_them(home: FrontDoor) -> None:
    now = int(kept(home)._now().timestamp())
    kept(home).keep("young", answer((0, 9, "client", "qoladi"), begun=now - DAY))
    kept(home, "other").keep("theirs", answer((0, 9, "client", "begona"), begun=BEGAN))
    old = next(one.call_id for one in kept(home).all() if one.call_id != "young")
    for call_id, note in ((old, "unutilsin"), ("young", "tursin")):
        assert home("ai", "score", call_id, "--set", "70", "--note", note).code == 0
    told = home("ai", "prune", "--older-than", "90d", "--dry-run", "--json")
    assert json.loads(told.out) == {"pruned": 0, "would_prune": 8}
    assert json.loads(home("ai", "prune", "--older-than", "90d", "--json").out) == {"pruned": 8}
    assert [one.call_id for one in kept(home).all()] == ["young"]
    assert [one.call_id for one in kept(home, "other").all()] == ["theirs"]
    assert home("ai", "grep", "гапираман", "--json").out == "[]\n"
    left = b"".join(path.read_bytes() for path in Path(home.home / "state").iterdir())
    assert json.dumps("гапираман")[1:-1].encode() not in left
    assert b"gapiraman" not in left
    assert b"unutilsin" not in left
    assert b"qoladi" in left
    assert b"tursin" in left
    assert "no analysis is that old" in home("ai", "prune", "--older-than", "90d").err


def test_prune_asks_on_a_terminal_and_wants_a_span(home: FrontDoor) -> None:
    refused = home("ai", "prune", "--older-than", "90d", terminal=True, stdin="n\n")
    assert (refused.code, kept(home).count()) == (2, 8)
    for span in ("90", "soon", "-1d", "999999w"):
        assert home("ai", "prune", "--older-than", span).code == 2
