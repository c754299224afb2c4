"""Several people edit one record at once: of those that have read the same version one wins, and no change is lost."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import httpx

from tests.e2e.conftest import Platform

WRITERS = 20
ROUNDS = 3
COUNTY = "/v1/counties/lucas_oh"


def test_of_twenty_writers_of_one_version_one_wins_each_round(platform: Platform) -> None:
    with platform.signed_in("itadmin") as client:
        token = client.headers["authorization"]
        path = f"{COUNTY}/properties/{client.get(f'{COUNTY}/properties').json()['items'][-1]['property_id']}"
        versions = len(client.get(f"{path}/history").json())
        start = Barrier(WRITERS)

        def write(writer: int) -> list[tuple[int, str]]:
            answers = []
            with httpx.Client(base_url=platform.address, timeout=60, headers={"Authorization": token}) as own:
                for number in range(ROUNDS):
                    start.wait()
                    tag = own.get(path).headers["etag"]
                    start.wait()
                    note = f"writer {writer}, round {number}"
                    sent = own.patch(path, json={"legal_description": note}, headers={"If-Match": tag})
                    answers.append((sent.status_code, note))
            return answers

        with ThreadPoolExecutor(WRITERS) as pool:
            by_writer = list(pool.map(write, range(WRITERS)))

        won = []
        for answers in zip(*by_writer, strict=True):
            assert sorted({status for status, _ in answers}) == [200, 412]
            won += [note for status, note in answers if status == 200]
        assert len(won) == ROUNDS
        assert client.get(path).json()["legal_description"] == won[-1]
        history = client.get(f"{path}/history").json()
    assert len(history) == versions + ROUNDS
