"""Several people edit one record at once: of those that have read the same version one wins, and no change is lost."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import Platform

WRITERS = 20
ROUNDS = 3
COUNTY = "/v1/counties/lucas_oh"
EVENTS = f"{COUNTY}/audit-events"


@dataclass(frozen=True)
class Record:
    """A record that people edit: where it is read, how it is sent, and where a writer's note stands in it."""

    read: str
    method: str
    write: str
    with_note: Callable[[dict[str, Any], str], dict[str, Any]]
    note_of: Callable[[dict[str, Any]], str]
    action: str


def _a_property(client: httpx.Client) -> Record:
    path = f"{COUNTY}/properties/{client.get(f'{COUNTY}/properties').json()['items'][-1]['property_id']}"
    return Record(
        path,
        "PATCH",
        path,
        with_note=lambda _, note: {"legal_description": note},
        note_of=lambda body: str(body["legal_description"]),
        action="property.edited",
    )


def _the_configuration(_: httpx.Client) -> Record:
    return Record(
        COUNTY,
        "PUT",
        f"{COUNTY}/configuration",
        with_note=lambda body, note: body["configuration"] | {"county_friendly_name": note},
        note_of=lambda body: str(body["configuration"]["county_friendly_name"]),
        action="county.configured",
    )


def _the_mapping(_: httpx.Client) -> Record:
    return Record(
        COUNTY,
        "PUT",
        f"{COUNTY}/mapping",
        with_note=lambda body, note: {"mapping": f"# {note}\n{body['mapping']}"},
        note_of=lambda body: str(body["mapping"]).partition("\n")[0].removeprefix("# "),
        action="county.mapping_replaced",
    )


@pytest.mark.parametrize("record_of", [_a_property, _the_configuration, _the_mapping])
def test_of_twenty_writers_of_one_version_one_wins_each_round(
    record_of: Callable[[httpx.Client], Record], platform: Platform
) -> None:
    with platform.signed_in("itadmin") as client:
        token, record = client.headers["authorization"], record_of(client)
        before = client.get(record.read).json()
        events = len(client.get(EVENTS, params={"action": record.action, "page_size": 1000}).json()["items"])
        start = Barrier(WRITERS)

        def write(writer: int) -> list[tuple[int, str]]:
            answers = []
            with httpx.Client(base_url=platform.address, timeout=60, headers={"Authorization": token}) as own:
                for number in range(ROUNDS):
                    start.wait()
                    tag = own.get(record.read).headers["etag"]
                    start.wait()
                    note = f"writer {writer}, round {number}"
                    body = record.with_note(before, note)
                    sent = own.request(record.method, record.write, json=body, headers={"If-Match": tag})
                    answers.append((sent.status_code, note))
            return answers

        with ThreadPoolExecutor(WRITERS) as pool:
            by_writer = list(pool.map(write, range(WRITERS)))

        won = []
        for answers in zip(*by_writer, strict=True):
            assert sorted({status for status, _ in answers}) == [200, 412]
            won += [note for status, note in answers if status == 200]
        assert len(won) == ROUNDS
        assert record.note_of(client.get(record.read).json()) == won[-1]
        after = client.get(EVENTS, params={"action": record.action, "page_size": 1000}).json()["items"]
    assert len(after) == events + ROUNDS
