"""The simulated PBX's account, read while the PBX goes on."""

from pathlib import Path

from alovoice_cli.stores.pbx_traffic import CallCourse, Traffic


def test_calls_and_their_messages_are_read_as_of_one_moment(tmp_path: Path) -> None:
    """A call that begins while the account is read is not in it, or in it with its messages."""
    course = CallCourse("out", "+998901234567", "712037006", 0, 1_772_400_000, owed=("callstart",))
    with Traffic(tmp_path / "sandbox.db") as reader, Traffic(tmp_path / "sandbox.db") as writer:

        def begin_a_call(statement: str) -> None:
            if "FROM call " in statement:
                reader._connection.set_trace_callback(None)
                number = writer.add_call("campaign", "", course, born=0, speed=1)
                writer.begin(number, "callstart", b"{}", None, "")

        reader._connection.set_trace_callback(begin_a_call)
        assert reader.accounts() == []
        assert [len(account.deliveries) for account in reader.accounts()] == [1]
