"""Secrets and schedules: what moto holds of them, written down and given back."""

from typing import Any

from moto.scheduler import models as scheduler_models
from moto.secretsmanager import models as secrets_models

from infra.local.cloud_assembly import ACCOUNT, REGION
from infra.local.state import StateStore

_SCHEDULE_FIELDS = (
    "group_name",
    "name",
    "description",
    "schedule_expression",
    "schedule_expression_timezone",
    "flexible_time_window",
    "target",
    "state",
    "kms_key_arn",
    "start_date",
    "end_date",
    "action_after_completion",
    "creation_date",
    "last_modified_date",
)
_SECRET_FIELDS = (
    "arn",
    "description",
    "tags",
    "kms_key_id",
    "versions",
    "default_version_id",
    "version_stages",
    "created_date",
    "last_changed_date",
    "deleted_date",
    "policy",
)


def write_secrets(state: StateStore) -> None:
    """Brings the state store's secrets up to date."""
    secrets = dict.values(_secrets())
    state.mirror(
        "secret",
        {secret.name: {field: getattr(secret, field) for field in _SECRET_FIELDS} for secret in secrets},
    )


def load_secrets(state: StateStore) -> None:
    """Gives moto the secrets of earlier runs."""
    for name, document in state.all("secret").items():
        secret = secrets_models.FakeSecret(ACCOUNT, REGION, name, {}, "")
        for field in _SECRET_FIELDS:
            setattr(secret, field, document[field])
        _secrets()[name] = secret


def write_schedules(state: StateStore) -> None:
    """Brings the state store's schedules up to date."""
    groups = _scheduler().schedule_groups.values()
    state.mirror(
        "schedule",
        {
            f"{group.name}/{schedule.name}": {field: getattr(schedule, field) for field in _SCHEDULE_FIELDS}
            for group in groups
            for schedule in group.schedules.values()
        },
    )


def load_schedules(state: StateStore) -> None:
    """Gives moto the schedules of earlier runs. Their groups must exist; a schedule without one is dropped."""
    groups = _scheduler().schedule_groups
    for document in state.all("schedule").values():
        group = groups.get(document["group_name"])
        if group is None:
            continue
        fields = {name: document[name] for name in _SCHEDULE_FIELDS[:-2]}
        # moto refuses a start in the past, which is where that of a kept schedule lies
        schedule = scheduler_models.Schedule(region=REGION, account_id=ACCOUNT, **fields | {"start_date": None})
        for field in _SCHEDULE_FIELDS:
            setattr(schedule, field, document[field])
        group.add_schedule(schedule)


def _secrets() -> Any:
    return secrets_models.secretsmanager_backends[ACCOUNT][REGION].secrets


def _scheduler() -> Any:
    return scheduler_models.scheduler_backends[ACCOUNT][REGION]
