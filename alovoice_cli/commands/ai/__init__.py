"""`alovoice ai`: speech analysis of recorded calls."""

import typer

from alovoice_cli.commands.ai import audio, grep, list, prune, report, result, score, send, show
from alovoice_cli.commands.ai.waiting import AiWaitingCommand

app = typer.Typer()
app.command("send", epilog=send.EXAMPLES)(send.send_calls)
app.command("result", epilog=result.EXAMPLES, cls=AiWaitingCommand)(result.show_result)
app.command("show", epilog=show.EXAMPLES)(show.show_stored)
app.command("list", epilog=list.EXAMPLES)(list.list_analyses)
app.command("grep", epilog=grep.EXAMPLES)(grep.grep_phrases)
app.command("score", epilog=score.EXAMPLES)(score.score_calls)
app.command("report", epilog=report.EXAMPLES)(report.report_calls)
app.command("audio", epilog=audio.EXAMPLES)(audio.save_audio)
app.command("prune", epilog=prune.EXAMPLES)(prune.prune_analyses)
