"""A county whose model is trained once a session: each test has a copy of it."""

from collections.abc import Iterator
from dataclasses import dataclass

import boto3
import pytest

from functions.valuation.service import comparables_models
from infra.local.postgres import LocalPostgres
from shared import storage
from shared.db.engine import forget_engine
from tests.aws import BUCKET
from tests.conftest import database_like
from tests.integration.evidence_county import add_county, add_evidence
from tests.integration.valuation.models import promoted, trained
from tests.job_cloud import jobs_in_this_process


@dataclass(frozen=True)
class TrainedCounty:
    """The synthetic county with a model of every class as of `models.ON`: its database, and its objects by key."""

    template: str
    model_id: str
    objects: dict[str, bytes]


@pytest.fixture(scope="session")
def trained_template(postgres_server: LocalPostgres, migrated_template: str) -> Iterator[TrainedCounty]:
    """Trained by the task as any model is; nothing may connect to its database."""
    name = "trained_template"
    with pytest.MonkeyPatch.context() as patch, jobs_in_this_process(patch):
        with database_like(migrated_template, postgres_server, patch) as made:
            add_county()
            add_evidence()
            model_id = trained()
            forget_engine()
            postgres_server.create_database(name, template=made.name)
        s3 = boto3.client("s3")
        keys = [each["Key"] for each in s3.list_objects_v2(Bucket=BUCKET)["Contents"]]
        objects = {key: s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys}
    yield TrainedCounty(name, model_id, objects)
    postgres_server.drop_database(name)


@pytest.fixture
def model_id(
    trained_template: TrainedCounty, postgres_server: LocalPostgres, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """The id of the county's model, a challenger."""
    comparables_models.clear_caches()
    with (
        jobs_in_this_process(monkeypatch),
        database_like(trained_template.template, postgres_server, monkeypatch),
    ):
        for key, body in trained_template.objects.items():
            storage.put(key, body)
        yield trained_template.model_id


@pytest.fixture
def champion(model_id: str) -> str:
    """The id of the county's model, promoted."""
    promoted(model_id)
    return model_id
