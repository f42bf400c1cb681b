"""`alovoice route`: rules for the route "API request", before and while they are served."""

import typer

from alovoice_cli.commands.route import check, diff, override, test

app = typer.Typer()
app.command("check", epilog=check.EXAMPLES)(check.check_rules)
app.command("test", epilog=test.EXAMPLES)(test.try_question)
app.command("diff", epilog=diff.EXAMPLES)(diff.compare_rules)
app.command("override", epilog=override.EXAMPLES)(override.override_rules)
