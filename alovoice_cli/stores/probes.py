"""Whether a proof that was sent from outside has arrived in the store."""

from sqlalchemy import select

from alovoice_cli.stores.event_engine import open_engine, told_plainly, transaction
from alovoice_cli.stores.event_tables import DELIVERY

_LATEST = 200


def has_arrived(url: str, nonce: str) -> bool:
    """Whether one of the latest probes in this store holds the nonce. Raises UsageError where there is no store."""
    engine = open_engine(url, must_exist=True)
    try:
        query = select(DELIVERY.c.body).where(DELIVERY.c.type == "probe").order_by(DELIVERY.c.seq.desc()).limit(_LATEST)
        with engine.connect() as connection, told_plainly(), transaction(connection, writes=False):
            return any(nonce.encode() in body for body in connection.execute(query).scalars())
    finally:
        engine.dispose()
