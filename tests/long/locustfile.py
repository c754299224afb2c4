"""Users of each role in an office's day, as Locust sends their requests.

Started by `test_load`. USERS has each role's password, COUNTY the county; FIGURES is the file for each request's
route, milliseconds and moment. Reads of a property alone, with `--tags property`, are what the seed architecture knows.
"""

import json
import os
import random
import time
from pathlib import Path
from typing import Any

from locust import FastHttpUser, between, events, tag, task

COUNTY = f"/v1/counties/{os.environ['COUNTY']}"
PASSWORDS: dict[str, str] = json.loads(os.environ["USERS"])
TOKENS: dict[str, str] = json.loads(os.environ.get("TOKENS", "{}"))
PROPERTIES: list[str] = json.loads(Path(os.environ["PROPERTIES"]).read_text())
NEW_TOKEN_S = 600
_requests: list[tuple[str, float, float, str | None]] = []
_draw = random.Random(20_261_129)  # noqa: S311 - a test's dice


@events.request.add_listener
def _keep(name: str, response_time: float, exception: Any, **_: Any) -> None:
    _requests.append((name, response_time, time.time(), str(exception) if exception else None))


@events.quitting.add_listener
def _write(**_: Any) -> None:
    Path(os.environ["FIGURES"]).write_text(json.dumps(_requests))


class OfficeUser(FastHttpUser):
    """Somebody signed in: a request every quarter of a second, as a page makes them."""

    abstract = True
    wait_time = between(0.1, 0.4)
    username = ""

    def on_start(self) -> None:
        self._sign_in()

    def _sign_in(self) -> None:
        self._signed_in = time.monotonic()
        token = TOKENS.get(self.username)
        if token is None:
            credentials = {"username": self.username, "password": PASSWORDS[self.username]}
            token = self.client.post("/v1/auth/login", json=credentials).json()["access_token"]
        self._headers = {"Authorization": f"Bearer {token}"}

    def get(self, path: str, route: str) -> Any:
        """The answer to a GET below the county; `route` is what its figures are filed under."""
        if time.monotonic() - self._signed_in > NEW_TOKEN_S:
            self._sign_in()
        with self.client.get(f"{COUNTY}{path}", headers=self._headers, name=route, catch_response=True) as answer:
            if answer.status_code >= 400:
                answer.failure(f"{answer.status_code}: {answer.text[:300]}")
            else:
                answer.success()
            return answer.json() if answer.status_code == 200 else None

    @tag("property")
    @task(10)
    def look_at_a_property(self) -> None:
        self.get(f"/properties/{_draw.choice(PROPERTIES)}", "a property")

    @task(2)
    def page_through_properties(self) -> None:
        page = self.get("/properties?page_size=100", "a page of properties")
        if page and page["next_page_token"]:
            self.get(f"/properties?page_size=100&page_token={page['next_page_token']}", "a page of properties")


class Assessor(OfficeUser):
    """Looks at values, sales and histories, and corrects a characteristic now and then."""

    username = "assessor"
    weight = 3

    @task(3)
    def look_at_history_and_sales(self) -> None:
        chosen = _draw.choice(PROPERTIES)
        self.get(f"/properties/{chosen}/history", "a property's history")
        self.get(f"/properties/{chosen}/sales", "a property's sales")

    @task(2)
    def look_at_flagged_sales(self) -> None:
        self.get("/sales-flags?page_size=50", "flagged sales")

    @task(1)
    def look_at_rolls(self) -> None:
        self.get("/rolls", "rolls")


class ValuationStaff(OfficeUser):
    """Values one property after another."""

    username = "valuation"
    weight = 2

    @task(4)
    def value_a_property(self) -> None:
        path = f"{COUNTY}/valuations"
        body = {"property_id": _draw.choice(PROPERTIES)}
        with self.client.post(path, json=body, headers=self._headers, name="a value", catch_response=True) as answer:
            # 422: the property has too few characteristics, or none of its class was sold
            if answer.status_code in (200, 201, 202, 422):
                answer.success()
            else:
                answer.failure(f"{answer.status_code}: {answer.text[:300]}")

    @task(1)
    def look_at_models_and_runs(self) -> None:
        self.get("/valuation-models", "models")
        self.get("/valuation-runs", "valuation runs")


class ReportingStaff(OfficeUser):
    """Reads what reports are made of."""

    username = "reporting"
    weight = 1


class ItAdministrator(OfficeUser):
    """Watches the syncs."""

    username = "itadmin"
    weight = 1

    @task(4)
    def look_at_runs(self) -> None:
        page = self.get("/sync-runs?page_size=20", "sync runs")
        if page and page["items"]:
            self.get(f"/sync-runs/{page['items'][0]['id']}", "a sync run")


class Auditor(OfficeUser):
    """Reads what others did."""

    username = "auditor"
    weight = 1

    @task(4)
    def look_at_the_trail(self) -> None:
        self.get("/audit-events?page_size=100", "audit events")
