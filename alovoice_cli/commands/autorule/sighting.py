"""How a campaign stands goes into its ledger each time that it is seen, masked like all that is kept."""

from collections.abc import Mapping
from typing import cast

from alovoice_cli.masking import mask_fields
from alovoice_cli.session import Session


def keep_sight(session: Session, number: str, answer: Mapping[str, object]) -> None:
    """Notes the PBX's answer of just now; of a campaign that was not created from here, nothing is kept."""
    hide = session.masker
    kept = cast(Mapping[str, object], mask_fields(hide.hide_in(dict(answer))))
    session.campaigns.note(session.settings.profile, hide.hide(number), kept)
