"""Items that wait for the service's word, in memory and on disk."""

from prefactor_trace._pipeline.item import Item
from prefactor_trace._pipeline.unsettled import Unsettled


class Disk:
    """As much of a spool as is used here."""

    def __init__(self):
        self.lines = {}

    def add(self, lines):
        """Keep lines by their keys."""
        self.lines.update(lines)

    def settle(self, keys):
        """Let go of them."""
        for key in keys:
            del self.lines[key]


def items(*keys):
    """Return items with these keys."""
    return [Item(key, "agent_spans/finish", None, key.encode(), 0) for key in keys]


def test_what_is_lost_is_taken_off_everywhere():
    """The others keep their places."""
    disk = Disk()
    unsettled = Unsettled(disk)
    unsettled.items += items("a", "b", "c")
    unsettled.write_down(*unsettled.items)
    unsettled.mend(lambda item: item.key == "b")
    assert [item.key for item in unsettled.items] == list(disk.lines) == ["a", "c"]
    unsettled.strike(["a"])
    assert list(disk.lines) == ["c"]


def test_without_a_disk_nothing_is_written_down():
    """And nobody need ask whether there is one."""
    unsettled = Unsettled(None)
    unsettled.write_down(*items("a"))
    unsettled.strike(["a"])
    assert not unsettled.is_spooled
    assert Unsettled(Disk()).is_spooled
