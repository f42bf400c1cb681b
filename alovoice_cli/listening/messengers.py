"""Sends messages about missed calls to a Telegram chat, a program or a URL. None of them raises for a failure."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Protocol

from alovoice_cli.events.event import Delivery
from alovoice_cli.events.notices import NoticeMessage, message_as_json
from alovoice_cli.events.outbox import DeliveryOutcome, outcome_of, target_id
from alovoice_cli.json_text import json_text
from alovoice_cli.listening.forwarding import (
    FORWARD_SECONDS,
    JSON_CONTENT,
    Forwarder,
    ForwardOptions,
    Post,
    WebhookMessage,
)
from alovoice_cli.listening.hooks import Hook
from alovoice_cli.listening.targets import Target
from alovoice_cli.masking import Masker, disarm
from alovoice_cli.posts import Posted

_LONGEST_DESCRIPTION = 200
_TYPE = "notice"


@dataclass(frozen=True, slots=True)
class TelegramBot:
    """The bot that writes the messages, and the server of its Bot API. The token is a secret."""

    token: str = field(repr=False)
    api_url: str


@dataclass(frozen=True, slots=True)
class MessageOutcome:
    """The result of a message. `remote_id` is the messenger's id of it.

    `moved_to`: nothing was sent, because another chat has replaced this one.
    """

    delivery: DeliveryOutcome
    remote_id: str = ""
    moved_to: str = ""

    @property
    def is_delivered(self) -> bool:
        """Returns whether the messenger took the message."""
        return self.delivery.kind == "delivered"


@dataclass(frozen=True, slots=True)
class MessengerOptions:
    """The messengers' settings: the bot for chats, headers and signature for URLs, the environment of programs.

    `timeout` is in seconds.
    """

    bot: TelegramBot | None = None
    forward: ForwardOptions = field(default_factory=ForwardOptions)
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout: float = FORWARD_SECONDS


class Messenger(Protocol):
    """Sends one message, or changes an earlier one."""

    def send(self, message: NoticeMessage, chat: str = "") -> MessageOutcome:
        """Makes one attempt. `chat` is the one that has replaced the target's own chat."""


class Telegram:
    """Writes into one chat through the Bot API."""

    def __init__(
        self, target: Target, bot: TelegramBot, post: Post, now: Callable[[], datetime], timeout: float
    ) -> None:
        self._target, self._bot, self._post, self._now, self._timeout = target, bot, post, now, timeout
        self._masker = Masker([bot.token])

    def send(self, message: NoticeMessage, chat: str = "") -> MessageOutcome:
        """Sends or edits with `sendMessage` and `editMessageText`."""
        chat = chat or self._target.chat
        told: dict[str, object] = {
            "chat_id": chat if chat.startswith("@") else int(chat),
            "text": message.text,
            "disable_web_page_preview": True,
        }
        method = "sendMessage"
        if message.edits:
            method = "editMessageText"
            told["message_id"] = int(message.edits)
        url = f"{self._bot.api_url}/bot{self._bot.token}/{method}"  # the URL contains the secret: it is never shown
        posted = self._post(url, json_text(told).encode(), headers=JSON_CONTENT, timeout=self._timeout)
        return self._outcome(posted, is_edit=bool(message.edits))

    def _outcome(self, posted: Posted, *, is_edit: bool) -> MessageOutcome:
        if posted.status is None:
            return MessageOutcome(DeliveryOutcome("pause", self._masker.hide(posted.error)))
        answer = _object(posted.body)
        if 200 <= posted.status < 300 and answer.get("ok") is True:
            result = answer.get("result")
            number = result.get("message_id") if isinstance(result, dict) else None
            return MessageOutcome(
                DeliveryOutcome("delivered", status=posted.status), str(number) if isinstance(number, int) else ""
            )
        return self._refusal(posted, answer, is_edit=is_edit)

    def _refusal(self, posted: Posted, answer: Mapping[str, object], *, is_edit: bool) -> MessageOutcome:
        code, parameters = answer.get("error_code"), answer.get("parameters")
        status = code if isinstance(code, int) and not isinstance(code, bool) else posted.status or 0
        named = parameters if isinstance(parameters, dict) else {}
        trouble = f"it answered {status}"
        if 200 <= status < 300:
            trouble += " in a form that is not of the Bot API: whether the message arrived is not known"
        if description := str(answer.get("description") or ""):
            trouble += f": {disarm(self._masker.hide(description))[:_LONGEST_DESCRIPTION]}"
        moved = named.get("migrate_to_chat_id")
        if isinstance(moved, int) and moved:
            return MessageOutcome(DeliveryOutcome("later", trouble, status), moved_to=str(moved))
        if is_edit and status == _BAD_REQUEST and "chat not found" not in trouble:
            # The message has this text already, or was deleted, or can no longer be edited: another attempt would end
            # the same.
            return MessageOutcome(DeliveryOutcome("delivered", status=status))
        if status == _TOO_MANY:
            asked = named.get("retry_after")
            seconds = float(min(asked, _LONGEST_ASKED)) if isinstance(asked, int) and asked >= 0 else None
            read = outcome_of(Posted(status, retry_after=posted.retry_after), self._now()).seconds
            return MessageOutcome(DeliveryOutcome("pause", trouble, status, read if seconds is None else seconds))
        return MessageOutcome(DeliveryOutcome("pause" if status >= _SERVER_ERROR else "retry", trouble, status))


_BAD_REQUEST, _TOO_MANY, _SERVER_ERROR = 400, 429, 500
_LONGEST_ASKED = 365 * 24 * 3600  # seconds; an answer may contain any number


def _object(body: bytes) -> Mapping[str, object]:
    """Returns the JSON object of an answer, or an empty one."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


class MessageWebhook:
    """POSTs each message as JSON, and again when it changes; signed and with headers like forwarded events."""

    def __init__(self, target: Target, forwarder: Forwarder, now: Callable[[], datetime], timeout: float) -> None:
        self._target, self._forwarder, self._now, self._timeout = target, forwarder, now, timeout

    def send(self, message: NoticeMessage, chat: str = "") -> MessageOutcome:
        """Makes one POST."""
        own_id = f"{target_id(self._target.name)}-{message.id}"
        body = json_text(message_as_json(message, own_id)).encode()
        # A repetition has the same id, a change has another one: receivers take each id once.
        digest = sha256(message.text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        sent = WebhookMessage(f"{own_id}-{digest}", _TYPE, body, JSON_CONTENT, None)
        outcome = outcome_of(self._forwarder.send(sent, self._timeout), self._now())
        return MessageOutcome(outcome, own_id)


class MessageProgram:
    """Starts a program for each message, and again when it changes, with the JSON on its standard input."""

    def __init__(self, target: Target, hook: Hook) -> None:
        self._target, self.hook = target, hook

    def send(self, message: NoticeMessage, chat: str = "") -> MessageOutcome:
        """Runs the program once; exit code 0 means that the message was delivered."""
        own_id = f"{target_id(self._target.name)}-{message.id}"
        outcome = self.hook.run(message_as_json(message, own_id))
        if outcome.kind == "dead":
            outcome = DeliveryOutcome("retry", outcome.trouble)
        return MessageOutcome(outcome, own_id)


def messenger_of(target: Target, post: Post, now: Callable[[], datetime], options: MessengerOptions) -> Messenger:
    """Returns the messenger of a target; for a chat the `options` have a bot."""
    if target.chat:
        assert options.bot is not None  # the token is asked for when the options are read
        return Telegram(target, options.bot, post, now, options.timeout)
    if target.command:
        return MessageProgram(target, Hook(target, options.environ, _no_event))
    return MessageWebhook(target, Forwarder(target, post, now, options.forward, _no_event), now, options.timeout)


def _no_event(delivery: Delivery) -> Mapping[str, object]:
    raise AssertionError(f"messages are sent, and not the event {delivery.id}")
