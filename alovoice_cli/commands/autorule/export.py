"""`alovoice autorule export`: a campaign that was created here, as a file for `create --from-file`."""

from typing import Annotated

import typer

from alovoice_cli.commands.options import examples
from alovoice_cli.language import tr
from alovoice_cli.output.listing import Record
from alovoice_cli.session import Session

EXAMPLES = examples(
    "alovoice autorule export 124 > campaign.toml",
    "alovoice autorule create --from-file campaign.toml --name 'Winter' --from tomorrow --to +3d",
)


def export_campaign(
    ctx: typer.Context,
    campaign_id: Annotated[str, typer.Argument(metavar="ID", help="Id of the campaign, or its receipt (R-7F3K).")],
) -> None:
    """Print the options and files of a campaign as TOML.

    Files are named by path and digest. `autorule create --from-file` reads this TOML.
    """
    # Here and not above: help needs neither the files' kinds nor TOML.
    from alovoice_cli.campaigns.definition import missing_files, write_definition  # noqa: PLC0415 - as said above
    from alovoice_cli.commands.autorule.options import created_definition  # noqa: PLC0415 - as said above

    session: Session = ctx.obj
    definition = created_definition(session, campaign_id)
    remarks = [
        tr("Campaign {campaign} of PBX {profile}.", campaign=campaign_id, profile=session.settings.profile),
        tr("To use it: alovoice autorule create --from-file THIS_FILE; options on the command line win."),
    ]
    for option in missing_files(definition):
        remarks.append(tr("Its file was not on this disk: give --{option}.", option=option))
        session.warn(tr("the file of --{option} was not on this disk: give it when you use this file", option=option))
    if session.options.json:
        session.show(Record(definition, ours=True))
    else:
        session.display.write(write_definition(definition, remarks))
