"""The secret with the address of a county's source, which syncs read."""

from typing import Any


def put_source_secret(secrets: Any, name: str, address: str) -> None:
    """Make the secret `name` say `address` (JSON), whether it is there already or not; `secrets` is a boto3 client."""
    try:
        secrets.create_secret(Name=name, SecretString=address)
    except secrets.exceptions.ResourceExistsException:
        secrets.put_secret_value(SecretId=name, SecretString=address)
