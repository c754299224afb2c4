"""The addresses of a county with a grid of streets, and the same as people write them: spoiled by rule.

Names of streets resemble each other (Cedar Ridge, Cedar Bridge, Cedar), numbered streets run in two quadrants, and each
name has Streets, Courts and Lanes. House numbers go on where a street enters the next city.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

TREES = (
    *("Alder", "Apple", "Ash", "Aspen", "Beech", "Birch", "Cedar", "Cherry", "Chestnut", "Cottonwood", "Cypress"),
    *("Dogwood", "Elm", "Fir", "Hawthorn", "Hazel", "Hemlock", "Hickory", "Juniper", "Larch", "Laurel", "Linden"),
    *("Locust", "Madrona", "Magnolia", "Maple", "Mulberry", "Oak", "Olive", "Pine", "Poplar", "Redwood", "Spruce"),
    *("Sycamore", "Tamarack", "Walnut", "Willow"),
)
SECOND_WORDS = ("", "", "Ridge", "Bridge", "View", "Grove", "Hollow", "Creek", "Meadow", "Crest", "Park")
PEOPLE = (
    *("Adams", "Baker", "Carson", "Dawson", "Edison", "Fletcher", "Garfield", "Hamilton", "Irving", "Jackson"),
    *("Jefferson", "Kennedy", "Lincoln", "Madison", "Monroe", "Nelson", "Patterson", "Pierce", "Quincy", "Roosevelt"),
    *(
        "Saint Clair",
        "Sherman",
        "Taylor",
        "Truman",
        "Tyler",
        "Van Buren",
        "Washington",
        "Wilson",
        "O'Brien",
        "McKinley",
    ),
)
KINDS = {"St": "Street", "Ave": "Avenue", "Rd": "Road", "Ln": "Lane", "Ct": "Court", "Dr": "Drive", "Blvd": "Boulevard"}
DIRECTIONS = {"N": "North", "S": "South", "E": "East", "W": "West", "NE": "Northeast", "SW": "Southwest"}
CITIES = ("Fairview", "Springfield", "Mount Vernon", "Port Angeles", "Lakewood")
LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class PlainAddress:
    """An address in its parts, as the county writes it."""

    number: int
    direction: str
    name: str
    kind: str
    city: str

    @property
    def street(self) -> str:
        """The street, without its city."""
        return " ".join(part for part in (self.direction, self.name, self.kind) if part)

    @property
    def text(self) -> str:
        """Number and street."""
        return f"{self.number} {self.street}"


def addresses(count: int, seed: int = 1) -> list[PlainAddress]:
    """Different addresses of a county."""
    random = Random(seed)  # noqa: S311 - no secret
    streets = _streets(random)
    each = -(-count // len(streets))
    made = [address for street in streets for address in _along(street, each, random)]
    random.shuffle(made)
    return made[:count]


def spoiled(known: list[PlainAddress], count: int, seed: int = 2) -> Iterator[tuple[PlainAddress, str]]:
    """Addresses with what somebody might type: each by two of the rules.

    A text that is another address of the county then (a number that its neighbor has, a street of the same name in
    another city) is passed over: nobody could tell.
    """
    random = Random(seed)  # noqa: S311 - no secret
    numbers: dict[str, set[int]] = {}
    kinds: dict[tuple[int, str], int] = {}
    for address in known:
        numbers.setdefault(address.street, set()).add(address.number)
        key = (address.number, address.name)
        kinds[key] = kinds.get(key, 0) + 1
    made = 0
    while made < count:
        address = random.choice(known)
        draft = Draft(address, random, numbers[address.street], alone=kinds[address.number, address.name] == 1)
        for rule in random.sample(RULES, 2):
            rule(draft)
        made += 1
        yield address, draft.text()


class Draft:
    """An address while it is spoiled."""

    def __init__(self, address: PlainAddress, random: Random, numbers: set[int], *, alone: bool) -> None:
        self.random = random
        self.numbers = numbers
        self.alone = alone
        """No other address of the county has this number on a street of this name."""
        self.number, self.city = str(address.number), address.city
        self.direction, self.name, self.kind = address.direction, address.name, address.kind
        self.direction_last = self.city_first = False
        self.change: Callable[[str], str] = str
        self.separator = ", "
        self.unit = ""

    def text(self) -> str:
        """What somebody typed."""
        words = (self.number, "" if self.direction_last else self.direction, self.name, self.kind)
        line = " ".join(word for word in (*words, self.direction if self.direction_last else "", self.unit) if word)
        parts = [self.city, line] if self.city_first else [line, self.city]
        return self.change(self.separator.join(part for part in parts if part))


def write_out(draft: Draft) -> None:
    """Directions and kinds of streets in full."""
    draft.direction = DIRECTIONS.get(draft.direction, draft.direction)
    draft.kind = KINDS.get(draft.kind, draft.kind)


def change_case(draft: Draft) -> None:
    """All in capitals, or in small letters."""
    draft.change = draft.random.choice((str.upper, str.lower))


def drop_city(draft: Draft) -> None:
    """Without the city."""
    draft.city = ""


def drop_punctuation(draft: Draft) -> None:
    """Without a comma before the city, or with full stops."""
    draft.separator = " "
    draft.kind = draft.kind and f"{draft.kind}."


def reorder(draft: Draft) -> None:
    """The direction after the street, or the city first."""
    if draft.direction and draft.random.random() < 0.5:
        draft.direction_last = True
    else:
        draft.city_first, draft.separator = True, ", "


def misspell(draft: Draft) -> None:
    """A letter of the name missing, doubled, swapped with the next, or another one; not of names of four letters."""
    if len(draft.name) < 5 or draft.name[0].isdigit():
        write_out(draft)
        return
    at = draft.random.randrange(1, len(draft.name) - 1)
    before, letter, after = draft.name[:at], draft.name[at], draft.name[at + 1 :]
    draft.name = draft.random.choice(
        (
            before + after,
            before + letter * 2 + after,
            before + after[:1] + letter + after[1:],
            before + draft.random.choice(LETTERS) + after,
        )
    )


def mistype_number(draft: Draft) -> None:
    """Two digits of the number swapped, or one another; not where the street has that number, or several so near."""
    digits = list(draft.number)
    at = draft.random.randrange(len(digits))
    if draft.random.random() < 0.5 and len(digits) > 2:
        at = min(at, len(digits) - 2)
        digits[at], digits[at + 1] = digits[at + 1], digits[at]
    else:
        digits[at] = draft.random.choice("123456789")
    typed = "".join(digits)
    near = [number for number in draft.numbers if _one_slip(typed, str(number))]
    if int(typed) not in draft.numbers and near == [int(draft.number)] and not typed.startswith("0"):
        draft.number = typed


def drop_kind(draft: Draft) -> None:
    """Without Street or Avenue, where no other street of that name has the number."""
    if draft.alone:
        draft.kind = ""


def add_unit(draft: Draft) -> None:
    """With an apartment that the county does not know."""
    draft.unit = draft.random.choice(("Apt 4", "#12", "Unit B", "Ste 200"))


RULES = (
    write_out,
    change_case,
    drop_city,
    drop_punctuation,
    reorder,
    misspell,
    mistype_number,
    drop_kind,
    add_unit,
)


def _streets(random: Random) -> list[tuple[str, str, str]]:
    """Direction, name and kind of every street."""
    names = [f"{tree} {word}".strip() for tree in TREES for word in dict.fromkeys(SECOND_WORDS)] + list(PEOPLE)
    streets = {
        (random.choice(("", "", *DIRECTIONS)), name, kind) for name in names for kind in random.sample(list(KINDS), 4)
    }
    for number in range(1, 120):
        ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10 if number % 100 not in (11, 12, 13) else 0, "th")
        streets |= {(direction, f"{number}{ending}", kind) for direction in ("NE", "SW") for kind in ("St", "Ave")}
    return sorted(streets)


def _along(street: tuple[str, str, str], count: int, random: Random) -> Iterator[PlainAddress]:
    """Addresses of a street, from city to city."""
    direction, name, kind = street
    number = random.randrange(1, 90) * 100
    for place in range(count):
        number += random.choice((2, 4, 5, 8, 11, 16))
        city = CITIES[(place * 2 // count + len(name)) % len(CITIES)]
        yield PlainAddress(number, direction, name, kind, city)


def _one_slip(typed: str, number: str) -> bool:
    """True where one digit was mistyped, left out, added, or swapped with the next."""
    if typed == number or abs(len(typed) - len(number)) > 1:
        return False
    if len(typed) == len(number):
        different = [place for place, (a, b) in enumerate(zip(typed, number, strict=True)) if a != b]
        swapped = len(different) == 2 and sorted(typed) == sorted(number) and different[1] - different[0] == 1
        return len(different) == 1 or swapped
    longer, shorter = sorted((typed, number), key=len, reverse=True)
    return any(longer[:place] + longer[place + 1 :] == shorter for place in range(len(longer)))
