"""Many things worked on by several threads at once; they come out in their order.

Work has one step, or two: the first is for each thing alone, the second for several results that follow one
another, where these are done sooner together. Whoever takes the results goes on in a thread of its own.

Memory is bounded: only so many things, and only so much of what is heavy in their results, are in work or
wait to be taken. What is still in work is taken to be as heavy as what came before it.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

_IN_WORK = 2  # things in their first step, for each thread: none has to wait until another is taken
_IN_ALL = 4  # and with those that wait to be taken

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Outcome(Generic[Item, Result]):
    """What became of one thing.

    Attributes:
        item: The thing.
        result: What was made of it; None where that failed.
        error: Why it failed; None where it did not.
    """

    item: Item
    result: Result | None = None
    error: Exception | None = None

    def get(self) -> Result:
        """The result; raises the error where there is one."""
        if self.result is None:
            raise self.error or ValueError("work must have a result")
        return self.result


@dataclass(frozen=True, slots=True)
class Weight(Generic[Result]):
    """What is heavy in results.

    Attributes:
        of: How heavy a result is.
        share: How heavy may be, for each thread, all that is there; a thing may be heavier where it is alone.
    """

    of: Callable[[Result], int]
    share: int


@dataclass(frozen=True, slots=True)
class Together(Generic[Result]):
    """A second step, for several results at once.

    Attributes:
        work: Adds what is still missing in results.
        size: How much of a batch a result is.
        batch: How much is worth waiting for while another batch is in work.
    """

    work: Callable[[Sequence[Result]], None]
    size: Callable[[Result], int]
    batch: int


def side_by_side(
    items: Iterable[Item],
    work: Callable[[Item], Result],
    *,
    workers: int,
    weight: Weight[Result] | None = None,
    then: Together[Result] | None = None,
) -> Iterator[Outcome[Item, Result]]:
    """Work on things, and give what became of each, in their order, as soon as that is known.

    Args:
        items: The things.
        work: The first step. What it raises is the outcome of that thing, and stops no other.
        workers: How many threads work.
        weight: What is heavy in results, if something is.
        then: The second step, if there is one. What it raises ends all.
    """
    with ThreadPoolExecutor(workers, thread_name_prefix="kith-photos") as pool:
        try:
            yield from _Line(pool, work, workers, weight, then).through(items)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # of what nobody takes any more


@dataclass(frozen=True, slots=True)
class _Batch(Generic[Item, Result]):
    """Outcomes that follow one another, and the second step on them."""

    outcomes: list[Outcome[Item, Result]]
    step: "Future[None]"


class _Line(Generic[Item, Result]):
    """What is in work or waits to be taken: batches in the second step, behind them things in the first."""

    def __init__(
        self,
        pool: ThreadPoolExecutor,
        work: Callable[[Item], Result],
        workers: int,
        weight: Weight[Result] | None,
        then: Together[Result] | None,
    ) -> None:
        self._pool = pool
        self._work = work
        self._workers = workers
        self._weight = weight or Weight(lambda _: 0, 0)
        self._then = then or Together(lambda _: None, lambda _: 0, 0)
        self._expected = self._weight.share  # of what is still in work
        self._first: deque[Future[Outcome[Item, Result]]] = deque()
        self._second: deque[_Batch[Item, Result]] = deque()

    def through(self, items: Iterable[Item]) -> Iterator[Outcome[Item, Result]]:
        """Lead things through both steps."""
        coming = iter(items)
        self._begin_more(coming)
        while self._first or self._second:
            if self._second and self._second[0].step.done():
                batch = self._second.popleft()
                batch.step.result()  # raises what the second step raised
                for outcome in batch.outcomes:
                    yield outcome
                    self._begin_more(coming)
            elif outcomes := self._next_batch():
                self._second.append(_Batch(outcomes, self._begin_together(outcomes)))
            else:
                self._wait()
            self._begin_more(coming)

    def _begin_more(self, coming: Iterator[Item]) -> None:
        """Begin with as many things as there is room for."""
        while self._has_room():
            try:
                item = next(coming)
            except StopIteration:
                return
            self._first.append(self._pool.submit(self._begin, item))

    def _has_room(self) -> bool:
        done = [future.result() for future in self._first if future.done()]
        in_work = len(self._first) - len(done)
        done += [outcome for batch in self._second for outcome in batch.outcomes]
        most = _IN_ALL * self._workers + 2 * self._then.batch
        if in_work >= _IN_WORK * self._workers or in_work + len(done) >= most:
            return False
        weights = [self._weight.of(outcome.result) for outcome in done if outcome.result is not None]
        self._expected = weights[-1] if weights else self._expected
        heaviest = max([self._expected, *weights])
        alone = not in_work and not done
        return alone or sum(weights) + (in_work + 1) * heaviest <= self._weight.share * self._workers

    def _begin(self, item: Item) -> Outcome[Item, Result]:
        """The first step, in a thread."""
        try:
            return Outcome(item, self._work(item))
        except Exception as error:
            return Outcome(item, error=error)

    def _next_batch(self) -> list[Outcome[Item, Result]]:
        """What is through the first step, up to a batch; nothing while more of it may come in time."""
        count = size = 0
        for future in self._first:
            if not future.done():
                break
            count, size = count + 1, size + self._size_of(future.result())
            if size >= self._then.batch:
                break
        if size < self._then.batch and self._second:
            return []
        return [self._first.popleft().result() for _ in range(count)]

    def _size_of(self, outcome: Outcome[Item, Result]) -> int:
        return 0 if outcome.result is None else self._then.size(outcome.result)

    def _begin_together(self, outcomes: Sequence[Outcome[Item, Result]]) -> "Future[None]":
        """The second step, in a thread; where there is nothing to do for it, it is done."""
        if any(map(self._size_of, outcomes)):
            results = [outcome.result for outcome in outcomes if outcome.result is not None]
            return self._pool.submit(self._then.work, results)
        nothing: Future[None] = Future()
        nothing.set_result(None)
        return nothing

    def _wait(self) -> None:
        """Wait until something is through a step."""
        if not self._second:
            wait([self._first[0]])
            return
        pending: list[Future[Any]] = [future for future in self._first if not future.done()][:1]
        pending.append(self._second[0].step)
        wait(pending, return_when=FIRST_COMPLETED)
