"""Surroundings of the API, in this process: AWS by moto, a user pool, and a county with parcels and sales."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import boto3
import pytest
from moto.cognitoidp.responses import CognitoIdpResponse
from moto.core.responses import EmptyResult
from sqlalchemy import update

from infra.examples.counties import configuration_text, mapping_text
from shared.db import unit_of_work
from shared.db.models import County
from tests.aws import aws_in_this_process, make_machine, schedule_group
from tests.integration.evidence_county import COUNTY, add_county, add_evidence


@contextmanager
def api_county(patch: pytest.MonkeyPatch) -> Iterator[None]:
    """AWS and the county in the test's database, for as long as the context lasts."""
    with aws_in_this_process(patch, "jobs"):
        make_machine(patch, "sync")
        cognito = boto3.client("cognito-idp")
        pool = cognito.create_user_pool(PoolName="p")["UserPool"]["Id"]
        client = cognito.create_user_pool_client(UserPoolId=pool, ClientName="c")["UserPoolClient"]["ClientId"]
        patch.setenv("USER_POOL_ID", pool)
        patch.setenv("USER_POOL_CLIENT_ID", client)
        make_machine(patch, "webhook")
        key = boto3.client("secretsmanager").create_secret(Name="webhooks", SecretString="k" * 64)
        patch.setenv("WEBHOOK_SIGNING_KEY_ARN", key["ARN"])
        schedule_group(patch)
        # moto lacks it; the local cloud adds it too
        patch.setattr(CognitoIdpResponse, "revoke_token", lambda _: EmptyResult(), raising=False)
        add_county()
        add_evidence()
        with unit_of_work(COUNTY) as connection:
            described = {"configuration": json.loads(configuration_text(COUNTY)), "mapping": mapping_text(COUNTY)}
            connection.execute(update(County).values(described))
        yield
