from __future__ import annotations

import pytest

from ml.writer.governor import WINDOW, Governor


class Machine:
    """A clock and the seconds of work that others and the engine do."""

    def __init__(self) -> None:
        self.now = self.busy = 0.0

    def governor(self, most: int = 2, cores: int = 2) -> Governor:
        return Governor(most, cores=cores, clock=lambda: self.now, busy=lambda: self.busy)

    def passes(self, governor: Governor, *, others: float, own: bool = True) -> int:
        """One window in which others keep so many cores busy; the threads told after it."""
        passed = 1.01 * WINDOW
        self.now += passed
        used = passed if own else 0.0
        self.busy += passed * others + used * governor.threads
        governor.spent(used)
        return governor.next()


@pytest.mark.parametrize(("others", "threads"), [(0.0, 2), (0.2, 2), (0.6, 1), (1.0, 1), (2.0, 1)])
def test_a_second_core_is_taken_only_while_it_is_free(others, threads):
    machine = Machine()
    governor = machine.governor()
    assert governor.next() == 1
    assert [machine.passes(governor, others=others) for _ in range(4)] == [threads] * 4


def test_it_gives_a_core_back_when_somebody_comes_and_takes_it_again():
    machine = Machine()
    governor = machine.governor(most=4, cores=8)
    assert [machine.passes(governor, others=each) for each in (1, 5.9, 7.5, 0, 6.1)] == [4, 2, 1, 4, 2]


def test_one_thread_stays_one_and_a_pause_is_no_work():
    machine = Machine()
    assert machine.passes(machine.governor(most=1), others=0) == 1
    governor = machine.governor()
    assert machine.passes(governor, others=1.5, own=False) == 1
    assert machine.passes(governor, others=0.0, own=False) == 2


def test_between_two_looks_nothing_changes():
    machine = Machine()
    governor = machine.governor()
    machine.passes(governor, others=0)
    machine.now += WINDOW / 2
    machine.busy += 10
    assert governor.next() == 2
