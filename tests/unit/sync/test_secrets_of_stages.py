"""A county's secret, as the stage that reads it calls it."""

import boto3
import pytest
from moto import mock_aws

from shared.aws import forget_clients
from shared.problems import SourceRefused
from shared.settings import settings
from shared.sources.opening import _secret
from shared.sources.secrets import TokenSecret
from tests.aws import CREDENTIALS


def test_a_stage_reads_the_secret_below_its_own_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**CREDENTIALS, "SOURCE_SECRET_PREFIX": "terrafusion-prod/"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        settings.cache_clear()
        forget_clients()
        manager = boto3.client("secretsmanager")
        manager.create_secret(Name="terrafusion/benton_wa/gis", SecretString='{"token": "trying"}')
        with pytest.raises(SourceRefused, match="no secret terrafusion-prod/benton_wa/gis"):
            _secret("terrafusion/benton_wa/gis", TokenSecret)

        manager.create_secret(Name="terrafusion-prod/benton_wa/gis", SecretString='{"token": "serving"}')
        assert _secret("terrafusion/benton_wa/gis", TokenSecret).token == "serving"
    settings.cache_clear()
    forget_clients()
