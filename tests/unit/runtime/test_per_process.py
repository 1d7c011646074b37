import os
import threading

from forking import in_child, needs_fork

from kith.runtime.per_process import PerProcess

pytestmark = needs_fork


class Counted:
    """Knows how many were made, and who freed one."""

    made = 0

    def __init__(self) -> None:
        Counted.made += 1
        self.number = Counted.made

    def __del__(self) -> None:
        Counted.freed_by = os.getpid()


def test_a_value_is_made_once_in_each_process() -> None:
    Counted.made = 0
    value = PerProcess(Counted)
    assert (value.get().number, value.get().number) == (1, 1)
    assert in_child(lambda: value.get().number * 10 + value.get().number) == 22
    assert value.get().number == 1


def test_the_parents_value_is_never_freed_in_a_child() -> None:
    value = PerProcess(Counted)

    def drop() -> int:
        nonlocal value
        Counted.freed_by = 0
        del value
        return int(Counted.freed_by != 0)

    assert in_child(drop) == 0


def test_a_child_that_is_forked_while_a_value_is_made_makes_its_own() -> None:
    """The lock that another thread held at that moment is not waited for."""
    begun, go_on = threading.Event(), threading.Event()

    class Slow:
        def __init__(self) -> None:
            if threading.current_thread() is not threading.main_thread():
                begun.set()
                go_on.wait(30)

    value = PerProcess(Slow)

    def child() -> int:  # here the value must be made, and the lock is held when the grandchild is forked
        thread = threading.Thread(target=value.get)
        thread.start()
        begun.wait(30)
        answer = in_child(lambda: int(isinstance(value.get(), Slow)))
        go_on.set()
        thread.join()
        return answer

    assert in_child(child) == 1


def test_many_threads_of_a_child_share_one_value() -> None:
    value = PerProcess(Counted)

    def child() -> int:
        found = []
        threads = [threading.Thread(target=lambda: found.append(value.get())) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return len({id(each) for each in found})

    assert in_child(child) == 1
