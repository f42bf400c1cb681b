"""`alovoice ai`: speech analysis of recorded calls."""

import typer

from alovoice_cli.commands.ai import audio, result, send

app = typer.Typer()
app.command("send", epilog=send.EXAMPLES)(send.send_calls)
app.command("result", epilog=result.EXAMPLES)(result.show_result)
app.command("audio", epilog=audio.EXAMPLES)(audio.save_audio)
