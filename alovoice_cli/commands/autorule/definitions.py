"""Finds a campaign's definition for `--from-file`, `--like` and `export`: in a file, in stdin, in the ledger."""

from collections.abc import Collection
from pathlib import Path

from alovoice_cli.campaigns.campaign_record import FILES
from alovoice_cli.campaigns.definition import Definition, DefinitionDefaults, changed_file, define, read_definition
from alovoice_cli.campaigns.files import open_regular
from alovoice_cli.errors import UsageError
from alovoice_cli.session import Session


def find_defaults(
    session: Session, from_file: str | None, like: str | None, given: Collection[str]
) -> DefinitionDefaults:
    """What stands behind the options of the command line; warns where a file that counts has changed since.

    `given` names the files and numbers of the command line. `--recipients` there takes the place of `recipient` in the
    definition too, and the other way round.
    """
    if from_file is None and like is None:
        return DefinitionDefaults({})
    definition = _read(session, from_file, like)
    said = DefinitionDefaults(definition)
    if not {"recipients", "recipient"}.isdisjoint(given):
        said = said.without("recipients", "recipient")
    for key in FILES:
        if key in said.definition and key not in given and (path := changed_file(definition, key)) is not None:
            session.warn(f"{path} is no longer the file that this campaign was made of")
    return said


def _read(session: Session, from_file: str | None, like: str | None) -> Definition:
    if from_file is not None and like is not None:
        raise UsageError("--from-file and --like exclude each other", hint="choose one of them")
    if from_file == "-":
        return read_definition(session.stdin.buffer.read(), "stdin", session.cwd)
    if from_file is not None:
        path = Path(from_file)
        with open_regular(path) as file:
            return read_definition(file.read(), from_file, path.parent)
    return created_definition(session, str(like))


def created_definition(session: Session, label: str) -> Definition:
    """The definition of a campaign that was created from here. Raises UsageError where it was not."""
    created = session.campaigns.campaign(session.settings.profile, label)
    if created is None:
        raise UsageError(
            f"campaign {label} was not created from here on PBX {session.settings.profile}",
            hint="see `alovoice autorule list`; what the PBX knows of it: `alovoice autorule get`",
        )
    return define(created.fields, created.record, created.recipients, session.campaigns.numbers(created.receipt))
