"""Questions such as a rules file may be asked, for measuring: half of the callers are known to its lists."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

from alovoice_cli.routing.call import Question
from alovoice_cli.routing.conditions import FromNumbers, OnLine, OnQueue, leaves
from alovoice_cli.routing.numbers import NumberSet
from alovoice_cli.routing.rules import Rules

_PER_SET = 1000
_WEEK_MINUTES = 10_080


def sample_questions(rules: Rules, start: datetime, count: int, seed: int = 0) -> Iterator[tuple[Question, datetime]]:
    """So many questions with their times, spread over the week from `start` on; the same ones for the same seed."""
    random = Random(seed)
    found = [leaf for rule in rules.rules for leaf in leaves(rule.conditions)]
    callers = _numbers([leaf for leaf in found if isinstance(leaf, FromNumbers)])
    lines = _numbers([leaf for leaf in found if isinstance(leaf, OnLine)]) or ["712037006"]
    queues = ["", *sorted({queue for leaf in found if isinstance(leaf, OnQueue) for queue in leaf.queues})]
    for _ in range(count):
        stranger = f"9989{random.randrange(10**8):08}"
        caller = random.choice(callers) if callers and random.random() < 0.5 else stranger
        direction = "inc" if random.random() < 0.9 else "out"
        question = Question(caller, random.choice(lines), random.choice(queues), direction)
        yield question, start + timedelta(minutes=random.randrange(_WEEK_MINUTES))


def _numbers(conditions: list[FromNumbers] | list[OnLine]) -> list[str]:
    sets: dict[NumberSet, None] = dict.fromkeys(numbers for condition in conditions for numbers in condition.sets)
    return [number for numbers in sets for number in numbers.some(_PER_SET)]
