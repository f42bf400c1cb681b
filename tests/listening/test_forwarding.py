"""What is received is passed on: untouched, at least once, in order, and never at the cost of an answer."""

import contextlib
import http.client
import json
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from front_door import TOKEN, FrontDoor
from standardwebhooks import Webhook
from waiting import wait_until

from alovoice_cli.listening.targets import parse_forward

from .conftest import START, Handler, Listening

pytestmark = pytest.mark.usefixtures("profile_store")

Listen = Callable[..., Listening]
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.mark.floors
def test_an_event_is_passed_on_as_it_came(listen: Listen, crm: Handler) -> None:
    listening = listen("--forward", crm.url, "--sign-secret", SECRET)
    body = b' {"call_id" : "a",\n "x": "\xd0\xb6" } '
    listening.post("callend", body, content_type="text/odd; a=b", authorization="Bearer x", cookie="a=b")
    event = listening.event()
    ((headers, seen),) = crm.wait(1)
    assert seen == body
    assert headers["content-type"] == "text/odd; a=b"
    assert headers["webhook-id"] == event["id"]
    assert headers["x-alovoice-type"] == "callend"
    assert not {"authorization", "cookie"} & set(headers)
    Webhook(SECRET).verify(seen, headers)


def test_a_repetition_is_told_once_unless_asked_for(listen: Listen, crm: Handler) -> None:
    listening = listen("--forward", crm.url)
    for _ in range(5):
        listening.post("callstart", START)
    listening.post("callend", {"call_id": "last"})
    crm.wait(2)
    time.sleep(0.3)
    assert len(crm.seen) == 2
    listening.stop()
    again = listen("--forward", crm.url, "--no-dedupe")
    again.post("callstart", START)
    crm.wait(3)


def test_each_kind_goes_where_it_is_named_for(listen: Listen, crm: Handler) -> None:
    listening = listen("--forward", f"result={crm.url}/results", "--fallback", "queue:6000")
    for kind in ("callend", "result", "route"):
        listening.post(kind, {"id": kind})
    ((headers, _),) = crm.wait(1)
    assert headers["x-alovoice-type"] == "result"
    time.sleep(0.2)
    assert len(crm.seen) == 1


def test_a_dead_crm_costs_nothing_but_time_and_one_line(listen: Listen, crm: Handler) -> None:
    crm.stop()
    listening = listen("--forward", crm.url)
    bodies = [{"call_id": f"c{number % 5}", "n": number} for number in range(50)]
    for body in bodies:
        assert listening.post("callend", body) == (200, b"true")
    listening.wait_for("cannot be reached")
    crm.start()
    seen = [json.loads(body) for _, body in crm.wait(50, 30)]
    for call in range(5):
        told = [body["n"] for body in seen if body["call_id"] == f"c{call}"]
        assert told == sorted(told), "events of one call must stay in order"
    assert {body["n"] for body in seen} == set(range(50))
    assert "events were waiting" in listening.wait_for("answers again")
    assert sum("cannot be reached" in line for line in listening.errors) == 1


def test_what_was_not_passed_on_is_passed_on_after_a_restart(listen: Listen, crm: Handler) -> None:
    crm.stop()
    listening = listen("--forward", crm.url)
    listening.post("callend", {"call_id": "before"})
    listening.event()
    listening.process.kill()
    listening.process.wait()
    crm.start()
    listen("--forward", crm.url)
    ((_, body),) = crm.wait(1)
    assert json.loads(body) == {"call_id": "before"}


def test_an_event_that_is_not_taken_holds_back_its_own_call_alone(listen: Listen, crm: Handler) -> None:
    crm.answer = lambda body: (500 if b"bad" in body and len(crm.seen) < 4 else 200, b"")
    listening = listen("--forward", crm.url)
    for body in ({"call_id": "bad", "n": 1}, {"call_id": "bad", "n": 2}, {"call_id": "good", "n": 3}):
        listening.post("callend", body)
    numbers = [json.loads(body)["n"] for _, body in crm.wait(4, 20)]
    assert numbers.index(3) < len(numbers) - 1 - numbers[::-1].index(1), "the good call did not wait for the bad one"
    numbers = [json.loads(body)["n"] for _, body in crm.wait(5, 20)]
    assert numbers[-1] == 2


USEFUL = {
    b"4711": b"4711",
    b"e5e456se456s56w456": b"e5e456se456s56w456",
    b'"in-quotes"': b"in-quotes",
    b'{"callto": "99 123 45 67"}': b'{"callto": "99 123 45 67"}',
    b'{\n  callto: "99 123 45 68"\n}': b'{"callto": "99 123 45 68"}',
    b"{'callto': '99 123 45 69',}": b'{"callto": "99 123 45 69"}',
}
USELESS = [
    *(
        (200, body)
        for body in (b"1234567890123", b"x" * 33, b"", b"<html>login</html>", b'{"callto": "; rm"}', b"true")
    ),
    (500, b"4711"),
    (302, b"4711"),
]


def test_the_crm_s_answer_goes_out_and_is_known_after_a_restart(listen: Listen, crm: Handler) -> None:
    listening = listen("--forward", f"callstart={crm.url}")
    for number, (answer, told) in enumerate(USEFUL.items()):
        crm.answer = lambda _, answer=answer: (200, answer)  # type: ignore[misc]
        body = {**START, "start_time": number}
        assert listening.post("callstart", body) == (200, told)
        event = listening.event()
        assert event["event_call_id"] == (event["id"] if told.startswith(b"{") else told.decode())
        crm.answer = lambda _: (200, b"another")
        assert listening.post("callstart", body) == (200, told)
        assert listening.event()["event_call_id"] == event["event_call_id"]
    time.sleep(0.3)
    assert len(crm.seen) == len(USEFUL), "what the CRM has answered is not sent to it again"
    listening.stop()
    again = listen("--forward", f"callstart={crm.url}")
    for number, told in enumerate(USEFUL.values()):
        assert again.post("callstart", {**START, "start_time": number}) == (200, told)


def test_a_crm_that_was_asked_is_told_again_after_a_kill_only_where_its_answer_was_not_kept(
    listen: Listen, crm: Handler, alovoice: FrontDoor
) -> None:
    words = ("--forward", f"callstart={crm.url}", "--forward-timeout", "2")
    crm.answer = lambda _: (200, b"4711")
    listening = listen(*words)
    assert listening.post("callstart", START) == (200, b"4711")
    hanging = threading.Event()
    crm.answer = lambda _: (200, b"late" if hanging.wait(20) else b"")
    sender = threading.Thread(target=_post_in_vain, args=[listening, {**START, "start_time": 5}])
    sender.start()
    crm.wait(2)
    listening.process.kill()
    sender.join()
    hanging.set()
    again = listen(*words)
    seen = [json.loads(body)["start_time"] for _, body in crm.wait(3, 30)]
    assert seen == [START["start_time"], 5, 5]
    assert again.post("callstart", START) == (200, b"4711")
    again.stop()
    listed = json.loads(alovoice("events", "list", "--json").out)
    assert [event["event_call_id"] for event in listed] == ["4711", listed[1]["id"], "4711"]


def _post_in_vain(listening: Listening, body: dict[str, object]) -> None:
    with contextlib.suppress(OSError, http.client.HTTPException):
        listening.post("callstart", body)


def test_an_answer_that_the_pbx_would_not_take_stays_here(listen: Listen, crm: Handler) -> None:
    listening = listen("--forward", f"callstart={crm.url}")
    for number, answer in enumerate(USELESS):
        crm.answer = lambda _, answer=answer: answer  # type: ignore[misc]
        status, body = listening.post("callstart", {**START, "start_time": number})
        assert (status, body.decode()) == (200, listening.event()["id"]), answer


def test_a_slow_crm_is_not_waited_for(listen: Listen, crm: Handler) -> None:
    released = threading.Event()

    def slowly(_: bytes) -> tuple[int, bytes]:
        released.wait(60)
        return 200, b"4711"

    crm.answer = slowly
    listening = listen("--forward", f"callstart={crm.url}", "--forward-timeout", "0.3")
    body = listening.post("callstart", START)[1]  # the CRM has not answered: nothing releases it before
    assert listening.event()["id"].encode() == body
    released.set()


def _script(home: Path, text: str) -> str:
    path = home / "hook.py"
    path.write_text(text)
    return f"{sys.executable} {path}"


def test_a_program_gets_the_event_and_no_token(listen: Listen, alovoice: FrontDoor) -> None:
    out = alovoice.home / "out.jsonl"
    told = "json.dumps([json.load(sys.stdin), sys.argv[1:], dict(os.environ)]) + '\\n'"
    script = f"import json,os,sys\nopen({str(out)!r}, 'a').write({told})"
    alovoice.environ["ALOVOICE_TOKEN"] = TOKEN
    listening = listen("--exec", f"callend={_script(alovoice.home, script)} '; touch pwned #' $HOME")
    listening.post("callstart", START)
    listening.post("callend", {"call_id": "; touch pwned #"})
    events = [listening.event(), listening.event()]
    wait_until(lambda: out.exists() and out.read_text().endswith("\n"), "what the program wrote")
    ((event, arguments, environ),) = map(json.loads, out.read_text().splitlines())
    assert event == events[1]
    assert arguments == ["; touch pwned #", "$HOME"]
    assert TOKEN not in environ.values()
    assert not (alovoice.home / "pwned").exists()


def test_a_program_that_fails_or_sleeps_changes_no_answer(listen: Listen, alovoice: FrontDoor) -> None:
    sleeper = _script(alovoice.home, "import time\ntime.sleep(600)")
    listening = listen("--exec", sleeper, "--exec", "/nowhere/at/all", "--exec", f"{sys.executable} -c exit(3)")
    for number in range(20):
        assert listening.post("callend", {"call_id": number})[0] == 200
    assert "cannot be started" in listening.wait_for("/nowhere/at/all")
    assert "ended with exit code 3" in listening.wait_for("ended with")
    assert listening.stop() == 143


def test_two_targets_of_one_host_are_told_apart_and_their_paths_are_not_told() -> None:
    assert (
        parse_forward("callstart=http://crm.example.com/start?key=s3cret").label == "http://crm.example.com (callstart)"
    )
    assert parse_forward("http://crm.example.com/hook/s3cret").label == "http://crm.example.com"


def test_verbose_shows_what_is_passed_on(listen: Listen, crm: Handler) -> None:
    listening = listen("--forward", crm.url, "-v")
    listening.post("callend", {"call_id": "a", "status_code": 486})
    crm.wait(1)
    listening.wait_for(f"→ POST {crm.url}")
    listening.wait_for('{"call_id": "a", "status_code": 486}')
    listening.wait_for("← 200")


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("https://crm.example.com:99999/hook/s3cret?key=t0ken", "https://crm.example.com:99999"),
        ("http://[::1/s3cret", "http://[::1"),
        ("ht!tp://me:t0ken@crm.example.com/s3cret", "ht!tp://crm.example.com"),
        ("crm.example.com/s3cret?key=t0ken", "crm.example.com"),
        ("callend=https:/crm.example.com/s3cret", "https:"),
    ],
)
def test_a_forward_that_is_no_url_is_refused_without_showing_its_keys(
    alovoice: FrontDoor, words: str, shown: str
) -> None:
    for refused in (
        alovoice("listen", "--store", "none://", "--forward", words),
        alovoice("listen", "--store", "none://", environ={"ALOVOICE_LISTEN_FORWARD": words}),
    ):
        assert (refused.code, refused.out) == (2, "")
        assert f"--forward '{shown}' is not a valid URL" in refused.err
        assert "s3cret" not in refused.err
        assert "t0ken" not in refused.err
