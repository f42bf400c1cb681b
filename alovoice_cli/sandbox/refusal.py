"""The simulated PBX says no: raised anywhere below the routes, answered there as `{"error": …}`."""


class Refusal(Exception):  # noqa: N818 - an answer of the PBX, not an error of this program
    """A request that is not carried out. `status` is the HTTP status; statuses of errors are not documented (A)."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
