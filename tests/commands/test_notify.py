"""`alovoice notify`: a test message and what came back, the bot's token and where it is kept."""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from front_door import FrontDoor
from telegram import BOT_TOKEN, CHAT, Bot, Fault, lost_answer, refusal, served

TO = ("--to", f"telegram:{CHAT}")


@pytest.fixture
def bot(alovoice: FrontDoor) -> Iterator[Bot]:
    with served() as bot:
        assert alovoice("config", "set", "notify.telegram.api_url", bot.url).code == 0
        yield bot


def _log_in(alovoice: FrontDoor) -> None:
    result = alovoice("notify", "login", "--with-token", stdin=f"{BOT_TOKEN}\n")
    assert (result.code, result.out) == (0, "")
    assert "the bot is @alo_test_bot" in result.err


def test_the_test_message_says_what_came_back(alovoice: FrontDoor, bot: Bot) -> None:
    _log_in(alovoice)
    result = alovoice("notify", "test", *TO, "--json")
    (row,) = json.loads(result.out)
    assert (result.code, row["sent"], row["status"], row["message_id"]) == (0, True, 200, "100")
    assert bot.texts() == ["Test from alovoice, profile default"]
    bot.moved_to, bot.faults = -5, [refusal(400, "Bad Request: upgraded", migrate_to_chat_id=-5)]
    moved = alovoice("notify", "test", *TO)
    assert moved.code == 0
    assert "use telegram:-5 instead" in moved.err


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (refusal(400, "Bad Request: chat not found"), 1),
        (refusal(401, "Unauthorized"), 3),
        (refusal(403, "Forbidden: bot was blocked"), 3),
        (refusal(404, "Not Found"), 3),
        (refusal(429, "Too Many Requests", retry_after=3), 7),
        (refusal(502, "Bad Gateway"), 7),
        (lost_answer, 5),
        (refusal(429, "Too Many Requests", retry_after=10**400), 7),
        (lambda _: (200, {"message": "welcome to the hotel's network"}), 7),
    ],
)
def test_each_trouble_has_its_exit_code_and_holds_no_token(
    alovoice: FrontDoor, bot: Bot, fault: Fault, code: int
) -> None:
    _log_in(alovoice)
    bot.faults = [fault]
    result = alovoice("notify", "test", *TO, "-v", environ={"ALOVOICE_DEBUG": "1"})
    assert result.code == code
    assert "did not accept the message" in result.err
    assert BOT_TOKEN not in result.out + result.err


def test_an_answer_whose_header_never_ends_is_not_waited_for(alovoice: FrontDoor) -> None:
    """The server gives up after 20 seconds; the command does not wait for that."""

    def drip(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection, contextlib.suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
            for _ in range(200):
                connection.sendall(b"x")
                time.sleep(0.1)
            connection.sendall(b"\r\nContent-Length: 0\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=drip, args=[server], daemon=True).start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        result = alovoice("notify", "test", "--to", url, "--timeout", "1")
    assert result.code == 5
    assert "no answer in time" in result.err


def test_a_proxy_that_needs_a_package_is_named(alovoice: FrontDoor) -> None:
    result = alovoice("notify", "test", "--to", "https://crm.example", environ={"HTTPS_PROXY": "socks5://127.0.0.1:9"})
    assert "crm.example did not accept the message" in result.err
    assert result.code == 5


def test_all_of_the_profile_are_tested_and_the_worst_decides(alovoice: FrontDoor, bot: Bot) -> None:
    _log_in(alovoice)
    alovoice("config", "set", "listen.notify", f"telegram:{CHAT}\nexec:false\nexec:true")
    result = alovoice("notify", "test", "--json")
    assert [row["sent"] for row in json.loads(result.out)] == [True, False, True]
    assert result.code == 1
    dry = alovoice("notify", "test", "--dry-run", "--json")
    assert json.loads(dry.out)["sent"] is False
    assert len(bot.messages) == 1


def test_without_target_or_token_nothing_is_sent(alovoice: FrontDoor, bot: Bot) -> None:
    assert alovoice("notify", "test").code == 2
    missing = alovoice("notify", "test", *TO)
    assert missing.code == 3
    assert "alovoice notify login" in missing.err
    listening = alovoice("listen", "--port", "0", "--notify", f"telegram:{CHAT}")
    assert (listening.code, listening.out) == (3, "")
    unsafe = alovoice("notify", "test", "--to", "http://chat.example.com/x?key=s3cret")
    assert unsafe.code == 2
    assert "s3cret" not in unsafe.err
    assert bot.requests == []


def test_a_stored_token_goes_to_its_own_server_alone_and_is_forgotten(alovoice: FrontDoor, bot: Bot) -> None:
    refused = alovoice("notify", "login", "--with-token", stdin="123456:wrong-token-0000\n")
    assert refused.code == 3
    assert "wrong-token" not in refused.err
    _log_in(alovoice)
    store = alovoice.home / "config" / "notify.toml"
    assert store.stat().st_mode & 0o777 == 0o600
    alovoice("config", "set", "notify.telegram.api_url", "https://bots.example.com")
    other = alovoice("notify", "test", *TO)
    assert other.code == 2
    assert f"belongs to {bot.url}" in other.err
    assert json.loads(alovoice("notify", "logout", "--json").out) == {"profile": "default", "removed": True}
    assert BOT_TOKEN not in store.read_text()


def test_a_token_command_of_a_config_that_others_may_change_is_not_run(alovoice: FrontDoor, bot: Bot) -> None:
    alovoice("config", "set", "notify.telegram.token_command", "false")
    failing = alovoice("notify", "test", *TO)
    assert failing.code == 3
    assert "config get notify.telegram.token_command" in failing.err
    (alovoice.home / "config" / "config.toml").chmod(0o666)
    assert "notify.telegram.token_command is not run" in alovoice("notify", "test", *TO).err
