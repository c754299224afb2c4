"""The search for a property by a text of its address."""

from dataclasses import dataclass

from sqlalchemy import Connection

from functions.districts.domain import address_matching as matching
from functions.districts.domain.address_matching import Candidate
from functions.districts.repository import lookups as repository
from functions.districts.repository.lookups import IndexedAddress
from functions.districts.schemas import AddressMatch
from shared.problems import Conflict, NotFound, Unprocessable
from shared.situs.addresses import Address, read_address

MAX_STREETS = 40
"""Streets whose letters are compared, of those with the most trigrams in common. A choice."""
MAX_ADDRESSES = 2_000
"""Addresses that are scored: those of the longest streets of a county. A choice."""
MAX_ALTERNATIVES = 10
_EXACT = 0.9
"""Score of a street that is taken to be meant: its other numbers are not looked through."""
_NEAR_STREETS = 3
"""Streets whose other numbers are looked through, for a number that was mistyped."""


@dataclass(frozen=True)
class AddressAnswer:
    """The best match, the next best, and whether another matches as well."""

    match: AddressMatch
    alternatives: list[AddressMatch]
    ambiguous: bool


def find_address(connection: Connection, county_id: str, text: str) -> AddressAnswer:
    """The properties whose situs addresses are nearest to a text.

    Raises Unprocessable for a text without a street, NotFound where no address resembles it, Conflict where the
    county's addresses have not been indexed.
    """
    asked = read_address(text, state=county_id.rpartition("_")[2].upper())
    if not any(character.isalnum() for character in asked.street):
        raise Unprocessable(
            "The address has no street: give a number and a street, as in 123 N Main St.",
            pointer="/query/address",
            slug="address-without-street",
        )
    scores = _streets(connection, county_id, asked)
    scored = _addresses(connection, county_id, asked, scores)
    if not scored:
        if not repository.is_indexed(connection, county_id):
            raise Conflict(
                f"The addresses of {county_id} have not been indexed yet: that follows its first sync.",
                slug="addresses-not-indexed",
            )
        raise NotFound(f"No address of {county_id} resembles {text[:100]!r}.", slug="address-not-found")
    matches = [address.to_match(score) for score, address in scored[: MAX_ALTERNATIVES + 1]]
    ambiguous = len(scored) > 1 and scored[0][0] - scored[1][0] <= matching.AMBIGUOUS_WITHIN
    return AddressAnswer(matches[0], matches[1:], ambiguous)


def _streets(connection: Connection, county_id: str, asked: Address) -> dict[tuple[str, str], float]:
    """Scores of the streets, in their cities, that resemble the one that is asked for."""
    streets = repository.streets_like(connection, county_id, f"{asked.street} {asked.city}".strip(), MAX_STREETS)
    return {
        (street.street, street.city): matching.street_score(asked, street.street, street.city) for street in streets
    }


def _addresses(
    connection: Connection, county_id: str, asked: Address, scores: dict[tuple[str, str], float]
) -> list[tuple[float, IndexedAddress]]:
    """Addresses with their scores, the best first; of those that score the same, by property."""
    streets = list(dict.fromkeys(street for street, _ in sorted(scores, key=lambda street: -scores[street])))
    if not streets:
        return []
    numbers = [asked.number] if asked.number else None
    addresses = repository.addresses(connection, county_id, streets if numbers else streets[:1], numbers, MAX_ADDRESSES)
    best = max((scores.get((each.street, each.indexed_city), 0.0) for each in addresses), default=0.0)
    if numbers and best < _EXACT:
        near = repository.addresses(connection, county_id, streets[:_NEAR_STREETS], None, MAX_ADDRESSES)
        known = {address.property_id for address in addresses}
        likely = matching.near_numbers(asked.number, {address.number for address in near})
        addresses += [each for each in near if each.number in likely and each.property_id not in known]
    scored = [
        (matching.score(asked, _candidate(each), scores.get((each.street, each.indexed_city), 0.0)), each)
        for each in addresses
    ]
    return sorted(
        (pair for pair in scored if pair[0] >= matching.MIN_SCORE), key=lambda pair: (-pair[0], pair[1].property_id)
    )


def _candidate(address: IndexedAddress) -> Candidate:
    return Candidate(address.street, address.number, address.unit, address.indexed_city, address.indexed_zip)
