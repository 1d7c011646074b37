"""Who is told of long work, and remembers."""


class Witness:
    """A `Progress`.

    Attributes:
        begun: What was begun, with how many steps it has.
        done: How many steps of the last of these are done.
        said: What was told beside.
    """

    def __init__(self) -> None:
        self.begun: list[tuple[str, int]] = []
        self.done = 0
        self.said: list[str] = []

    def begin(self, what: str, total: int = 0, *, done: int = 0, unit: str = "") -> None:
        self.begun.append((what, total))
        self.done = done

    def advance(self, count: int = 1, how: str = "") -> None:
        self.done += count
        total = self.begun[-1][1]
        assert not total or self.done <= total, "more was done than there is"

    def say(self, text: str) -> None:
        self.said.append(text)
