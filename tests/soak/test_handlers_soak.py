"""Handlers of Express and Flask take `--forward-json` as it comes, and verify it with their own libraries.

    npm install --prefix DIR express standardwebhooks
    python -m venv VENV && VENV/bin/python -m pip install flask standardwebhooks
    HANDLERS_NODE=DIR HANDLERS_FLASK=VENV/bin/python python -m pytest -n 0 tests/soak/test_handlers_soak.py

What is not named there is skipped. The handlers below are whole: each reads the JSON by its framework's own means.
"""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from listening.conftest import START, Listening, listen

__all__ = ["listen"]

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

EXPRESS = """
const express = require("express");
const { Webhook } = require("standardwebhooks");
const app = express();
app.use(express.json({ verify: (request, response, bytes) => { request.bytes = bytes; } }));
app.post("/hook", (request, response) => {
  new Webhook(process.env.SECRET).verify(request.bytes, request.headers);
  console.log(JSON.stringify([request.headers["x-alovoice-type"], request.body]));
  response.send(request.body.type === "callstart" ? "4711" : "true");
});
const server = app.listen(0, "127.0.0.1", () => console.log(server.address().port));
"""

FLASK = """
import json, os
from flask import Flask, request
from standardwebhooks import Webhook
from werkzeug.serving import make_server

app = Flask(__name__)

@app.post("/hook")
def hook():
    Webhook(os.environ["SECRET"]).verify(request.get_data(), dict(request.headers))
    event = request.get_json()
    print(json.dumps([request.headers["x-alovoice-type"], event]), flush=True)
    return "4711" if event["type"] == "callstart" else "true"

server = make_server("127.0.0.1", 0, app, threaded=True)
print(server.port, flush=True)
server.serve_forever()
"""


def _start(words: list[str], **environ: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env={**os.environ, "SECRET": SECRET, **environ})


@pytest.fixture(params=["express", "flask"])
def handler(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """A handler that prints its port, then each event that it has verified."""
    if request.param == "express":
        modules = os.environ.get("HANDLERS_NODE") or pytest.skip("HANDLERS_NODE names no directory")
        process = _start(["node", "-e", EXPRESS], NODE_PATH=str(Path(modules).absolute() / "node_modules"))
    else:
        python = os.environ.get("HANDLERS_FLASK") or pytest.skip("HANDLERS_FLASK names no Python")
        process = _start([python, "-c", FLASK])
    with process:
        yield process
        process.kill()


def test_a_handler_takes_whatever_came_without_an_adapter(
    listen: Callable[..., Listening], handler: "subprocess.Popen[str]"
) -> None:
    assert handler.stdout is not None
    url = f"http://127.0.0.1:{int(handler.stdout.readline())}/hook"
    words = ("--forward-json", "--sign-secret", SECRET, "--forward", f"callstart={url}", "--forward", f"missed={url}")
    listening = listen(*words, "--forward", f"callend={url}", "--forward", f"result={url}")
    assert listening.post("callstart", START, content_type="application/x-www-form-urlencoded") == (200, b"4711")
    listening.post("callend", b"call_id=4711&status_code=304", content_type="application/x-www-form-urlencoded")
    listening.post("result", "{id: 5, 'name': 'Шо \\ud83d'}".encode("cp1251"), content_type="x/y; charset=windows-1251")
    told = dict(json.loads(handler.stdout.readline()) for _ in range(4))
    assert told["callstart"]["body"] == START
    assert told["callend"]["body"] == {"call_id": "4711", "status_code": "304"}
    assert told["result"]["body"] == {"id": 5, "name": "Шо \ufffd"}
    assert (told["missed"]["call_id"], told["missed"]["number"]) == ("4711", "998901234567")
