"""`alovoice api`: any request, with the profile's token in the place that its path needs."""

from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from alovoice_cli.api.endpoints import match
from alovoice_cli.api.fields import body_of, with_query
from alovoice_cli.api.request import Body, Raw, Request, typed_path
from alovoice_cli.commands.command_classes import CommandApp
from alovoice_cli.commands.options import ShowSecrets, examples
from alovoice_cli.errors import UsageError, reason_of
from alovoice_cli.language import tr
from alovoice_cli.session import Session

app = CommandApp()


@app.command(
    "api",
    epilog=examples(
        "alovoice api GET /mapi/getMyTrunks",
        "alovoice api GET '/getpeers/{token}' -i",
        "alovoice api POST '/outcall/{token}' -F inner_phone=2424 -f number=+998901234567",
        'echo \'{"callto": "901234567", "ivrid": 222}\' | alovoice api POST \'/requestcall/{token}\' --input -',
    ),
)
def send_request(
    ctx: typer.Context,
    method: Annotated[str, typer.Argument(metavar="METHOD", help="GET, POST and so on.")],
    path: Annotated[str, typer.Argument(metavar="PATH", help="Path on the PBX; {token} is replaced by the token.")],
    raw_fields: Annotated[
        list[str] | None, typer.Option("--raw-field", "-f", metavar="K=V", help="Text field; repeatable.")
    ] = None,
    fields: Annotated[
        list[str] | None,
        typer.Option(
            "--field", "-F", metavar="K=V", help="Field with a number, true, false, null or @file; repeatable."
        ),
    ] = None,
    source: Annotated[
        str | None, typer.Option("--input", metavar="FILE", help="File with the request body; - for stdin.")
    ] = None,
    headers: Annotated[
        list[str] | None, typer.Option("--header", "-H", metavar="K:V", help="Request header; repeatable.")
    ] = None,
    include: Annotated[bool, typer.Option("--include", "-i", help="Print the status and the headers too.")] = False,
    show_secrets: ShowSecrets = False,
) -> None:
    """Send any request to the PBX.

    A request that is not a known reading GET is treated as a call: it is never sent twice.
    """
    session: Session = ctx.obj
    if method.upper() in ("GET", "HEAD"):
        path, raw_fields, fields = with_query(path, raw_fields or (), fields or ()), None, None
    meant = match(method, typed_path(path))
    files: list[BinaryIO] = []
    try:
        if source is not None and (raw_fields or fields):
            raise UsageError(tr("--input and fields cannot be used together"), hint=tr("choose one of them"))
        body: Body | None = body_of(meant.endpoint, raw_fields or (), fields or (), files)
        if source is not None:
            body = Raw(session.stdin.buffer.read() if source == "-" else _content(source))
        pairs = tuple(_header(text) for text in headers or ())
        answer = session.client.raw(Request(meant.endpoint, meant.path, body, pairs, f"api {method.upper()}"))
    finally:
        for file in files:
            file.close()
    reply = answer.reply
    session.display.answer(
        reply.status, reply.reason, reply.headers, reply.body, with_headers=include, show_secrets=show_secrets
    )
    if answer.problem is not None:
        raise answer.problem


def _content(source: str) -> bytes:
    try:
        return Path(source).read_bytes()
    except OSError as error:
        raise UsageError(tr("{path} cannot be read: {problem}", path=source, problem=reason_of(error))) from error


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon:
        raise UsageError(
            tr("-H {value} is not a valid header", value=repr(text)), hint=tr("write it as -H 'Name: value'")
        )
    return name.strip(), value.strip()
