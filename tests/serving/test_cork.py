"""What a connection writes leaves in order, head and body in one piece, and nothing is left behind by a close."""

import asyncio

from http_talk import GET, answer

from alovoice_cli.serving.cork import Corked


class Wire:
    """A transport that notes what happens to it."""

    def __init__(self) -> None:
        self.done: list[bytes | str] = []

    def write(self, data: bytes) -> None:
        self.done.append(data)

    def close(self) -> None:
        self.done.append("closed")

    def abort(self) -> None:
        self.done.append("aborted")

    def is_closing(self) -> bool:
        return "closed" in self.done or "aborted" in self.done


def _play(play) -> list[bytes | str]:
    wire = Wire()

    async def run() -> None:
        corked = Corked(wire, asyncio.get_running_loop())  # type: ignore[arg-type]
        await play(corked)
        await asyncio.sleep(0)

    asyncio.run(run())
    return wire.done


def test_what_is_written_in_one_turn_leaves_in_one_piece() -> None:
    async def play(corked: Corked) -> None:
        corked.write(b"head")
        corked.write(b"")
        corked.write(b"body")
        await asyncio.sleep(0)
        corked.write(b"later")

    assert _play(play) == [b"headbody", b"later"]


def test_a_close_lets_it_out_and_an_abort_does_not() -> None:
    async def close(corked: Corked) -> None:
        corked.write(b"answer")
        corked.close()
        corked.write(b"too late")

    async def abort(corked: Corked) -> None:
        corked.write(b"answer")
        corked.abort()

    assert _play(close) == [b"answer", "closed"]
    assert _play(abort) == ["aborted"]


def test_much_is_not_held_back() -> None:
    seen: list[int] = []

    async def play(corked: Corked) -> None:
        for _ in range(4):
            corked.write(b"x" * 40_000)
            seen.append(len(corked._held))

    assert [len(block) for block in _play(play)] == [80_000, 80_000]
    assert seen == [40_000, 0, 40_000, 0]


def test_an_answer_is_one_packet(serving) -> None:
    async def short(scope, receive, send):
        await answer(send, 200, b"true")

    running = serving(short)
    with running.connected(GET) as connection:
        assert connection.recv(65536).endswith(b"\r\n\r\ntrue")
