"""Things worked on side by side: order, errors, promptness, and what is there at once."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from kith.workflows import side_by_side as module
from kith.workflows.side_by_side import Together, Weight, side_by_side

WORKERS = 2
PATIENCE = 20.0  # seconds until a test that waits for ever fails


class Gate:
    """Holds whoever comes, until it is opened; knows who came."""

    def __init__(self) -> None:
        self._open = threading.Event()
        self._came = threading.Condition()
        self.inside: list[int] = []

    def pass_through(self, item: int) -> int:
        with self._came:
            self.inside.append(item)
            self._came.notify_all()
        assert self._open.wait(PATIENCE)
        return item

    def wait_for(self, count: int) -> None:
        with self._came:
            assert self._came.wait_for(lambda: len(self.inside) >= count, PATIENCE)

    def open(self) -> None:
        self._open.set()


def test_results_come_in_order_whichever_is_done_first() -> None:
    done = [threading.Event() for _ in range(20)]

    def work(item: int) -> int:  # of two neighbours, the second is done first
        if item % 2 == 0:
            assert done[item + 1].wait(PATIENCE)
        done[item].set()
        return item * item

    outcomes = list(side_by_side(range(20), work, workers=WORKERS))
    assert [outcome.item for outcome in outcomes] == list(range(20))
    assert [outcome.get() for outcome in outcomes] == [item * item for item in range(20)]


def test_as_many_are_in_work_as_there_are_threads() -> None:
    gate = Gate()

    def work(item: int) -> int:
        gate.pass_through(item)
        return item

    outcomes = side_by_side(range(8), work, workers=3)
    opener = threading.Thread(target=lambda: (gate.wait_for(3), gate.open()))
    opener.start()
    assert [outcome.item for outcome in outcomes] == list(range(8))
    opener.join()
    assert sorted(gate.inside[:3]) == [0, 1, 2]


def test_what_fails_is_an_outcome_and_stops_no_other() -> None:
    def work(item: int) -> int:
        if item == 1:
            raise ValueError("no such thing")
        return item

    first, second, third = side_by_side(range(3), work, workers=WORKERS)
    assert (first.get(), third.get()) == (0, 2)
    assert second.result is None
    with pytest.raises(ValueError, match="no such thing"):
        second.get()


def test_an_outcome_is_given_while_the_next_is_in_work() -> None:
    gate = Gate()
    outcomes = side_by_side(range(3), lambda item: gate.pass_through(item) if item else 0, workers=WORKERS)
    assert next(outcomes).get() == 0
    gate.open()
    assert [outcome.get() for outcome in outcomes] == [1, 2]


@pytest.mark.parametrize("then", [None, Together(lambda _: None, lambda _: 1, 3)])
def test_no_more_is_begun_than_there_is_room_for(then: Together[int] | None) -> None:
    begun: list[int] = []

    def work(item: int) -> int:
        begun.append(item)
        return item

    most = 0
    for outcome in side_by_side(range(200), work, workers=WORKERS, then=then):
        most = max(most, max(begun) - outcome.item)
    assert len(begun) == 200
    assert most <= 4 * WORKERS + (2 * 3 if then else 0) + 3, "and a batch that is being taken"


@pytest.mark.parametrize("heavy", [10, 25])
def test_what_is_heavy_is_there_alone(heavy: int) -> None:
    """Each is as heavy as all threads together may hold, or heavier."""
    here, most = set[int](), list[int]()

    def work(item: int) -> int:
        here.add(item)
        most.append(len(here))
        return item

    for outcome in side_by_side(range(12), work, workers=WORKERS, weight=Weight(lambda _: heavy, 5)):
        here.discard(outcome.item)
    assert len(most) == 12
    assert max(most[WORKERS:]) == 1, "nothing was known of the weight before the first were there"
    assert max(most) <= WORKERS


def test_what_is_light_is_not_there_alone() -> None:
    gate = Gate()
    outcomes = side_by_side(range(6), gate.pass_through, workers=WORKERS, weight=Weight(lambda _: 1, 5))
    threading.Thread(target=lambda: (gate.wait_for(WORKERS), gate.open())).start()
    assert len(list(outcomes)) == 6


def take(items: Sequence[int], first: Callable[[int], list[int]], batch: int) -> tuple[list, list]:
    """Results of two steps, of which the second doubles; and the batches that the second was given."""
    batches: list[list[int]] = []

    def double(results: Sequence[list[int]]) -> None:
        batches.append([result[0] for result in results])
        for result in results:
            result.append(2 * result[0])

    then = Together(double, lambda _: 1, batch)
    outcomes = side_by_side(items, first, workers=WORKERS, then=then)
    return [outcome.get() for outcome in outcomes], batches


@pytest.mark.parametrize("batch", [1, 4, 100])
def test_the_second_step_is_done_for_all_and_once(batch: int) -> None:
    results, batches = take(range(30), lambda item: [item], batch)
    assert results == [[item, 2 * item] for item in range(30)]
    assert [item for one in batches for item in one] == list(range(30))
    assert max(map(len, batches)) <= batch


def test_a_batch_that_is_not_full_does_not_wait_where_none_is_in_work() -> None:
    """The last thing comes only once the second step has begun; and that ends only once all have come."""
    begun, through = Gate(), Gate()
    begun.open()
    through.open()
    batches: list[int] = []

    def work(item: int) -> int:
        if item == 4:
            begun.wait_for(1)
        return through.pass_through(item)

    def together(results: Sequence[int]) -> None:
        batches.append(len(results))
        begun.pass_through(0)
        through.wait_for(5)

    outcomes = side_by_side(range(5), work, workers=WORKERS, then=Together(together, lambda _: 1, 100))
    assert [outcome.get() for outcome in outcomes] == list(range(5))
    assert len(batches) == 2, "what came while the first was in work is the second"


def test_nothing_to_do_for_the_second_step() -> None:
    asked: list[object] = []
    then = Together(asked.append, lambda _: 0, 4)
    assert len(list(side_by_side(range(9), lambda item: item, workers=WORKERS, then=then))) == 9
    assert asked == []


def test_what_fails_in_the_second_step_ends_all_after_what_came_before() -> None:
    def together(results: Sequence[int]) -> None:
        if 3 in results:
            raise RuntimeError("out of order")

    taken: list[int] = []
    with pytest.raises(RuntimeError, match="out of order"):
        for outcome in side_by_side(range(9), int, workers=WORKERS, then=Together(together, lambda _: 1, 1)):
            taken.append(outcome.item)
    assert taken == [0, 1, 2]


def test_nothing_more_is_begun_once_nobody_takes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate()

    class Pool(ThreadPoolExecutor):
        def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
            super().shutdown(wait=wait, cancel_futures=cancel_futures)
            gate.open()

    monkeypatch.setattr(module, "ThreadPoolExecutor", Pool)
    outcomes = side_by_side(range(9), lambda item: gate.pass_through(item) if item else 0, workers=WORKERS)
    assert next(outcomes).get() == 0
    gate.wait_for(WORKERS)
    outcomes.close()
    assert gate.inside == [1, 2]
    assert not [one for one in threading.enumerate() if one.name.startswith("kith-photos")]


class Pool:
    """Begins what it is given: it is done at once, or never."""

    def __init__(self, *, done: bool) -> None:
        self._done = done
        self.begun = 0

    def submit(self, function: Callable[..., object], *arguments: object) -> "Future[object]":
        self.begun += 1
        future: Future[object] = Future()
        if self._done:
            future.set_result(function(*arguments))
        return future


@pytest.mark.parametrize(
    ("done", "weight", "begun"),
    [
        (False, None, 2 * WORKERS),
        (True, None, 4 * WORKERS),
        (False, Weight(lambda _: 1, 5), WORKERS),
        (True, Weight(lambda _: 5, 5), WORKERS),
        (True, Weight(lambda _: 1, 5), 4 * WORKERS),
    ],
    ids=["in work", "waiting to be taken", "of unknown weight", "heavy", "light"],
)
def test_how_much_is_begun(done: bool, weight: Weight[int] | None, begun: int) -> None:
    pool = Pool(done=done)
    line = module._Line(pool, int, WORKERS, weight, None)
    line._begin_more(iter(range(100)))
    assert pool.begun == begun


def test_nothing_is_nothing() -> None:
    assert list(side_by_side([], int, workers=WORKERS)) == []
