"""Creates what the template declares, through the services' own APIs."""

import json
import secrets
import string
from collections.abc import Mapping
from typing import Any

from sqlalchemy.engine import URL

from infra.local.aws.clients import Clients
from infra.local.cloud_assembly import ACCOUNT
from infra.local.template import Secret, Template, UserPool

_ROLE = f"arn:aws:iam::{ACCOUNT}:role/local"
_POOL_PROPERTIES = {
    "UserPoolName": "PoolName",
    "UsernameAttributes": "UsernameAttributes",
    "UsernameConfiguration": "UsernameConfiguration",
    "AliasAttributes": "AliasAttributes",
    "Policies": "Policies",
    "Schema": "Schema",
    "AdminCreateUserConfig": "AdminCreateUserConfig",
    "MfaConfiguration": "MfaConfiguration",
}
_CLIENT_PROPERTIES = (
    "ClientName",
    "GenerateSecret",
    "ExplicitAuthFlows",
    "AccessTokenValidity",
    "IdTokenValidity",
    "RefreshTokenValidity",
    "TokenValidityUnits",
    "ReadAttributes",
    "WriteAttributes",
    "EnableTokenRevocation",
    "PreventUserExistenceErrors",
)


def create_user_pool(clients: Clients, pool: UserPool) -> None:
    """The pool, its client, resource servers and groups; the ids are those of the template."""
    cognito = clients("cognito-idp")
    properties = {"UserPoolName": pool.identifier} | dict(pool.properties)
    cognito.create_user_pool(
        **{parameter: properties[name] for name, parameter in _POOL_PROPERTIES.items() if name in properties}
    )
    settings = {"ClientName": "local"} | {name: pool.client[name] for name in _CLIENT_PROPERTIES if name in pool.client}
    cognito.create_user_pool_client(UserPoolId=pool.identifier, **settings)
    for server in pool.resource_servers:
        cognito.create_resource_server(
            UserPoolId=pool.identifier,
            Identifier=server["Identifier"],
            Name=server.get("Name", server["Identifier"]),
            Scopes=server.get("Scopes", []),
        )
    for group in pool.groups:
        described = {"Description": group["Description"]} if "Description" in group else {}
        cognito.create_group(UserPoolId=pool.identifier, GroupName=group["GroupName"], **described)


def create_buckets(clients: Clients, template: Template) -> None:
    """The buckets. Versioning is left off: older versions would fill the disk, and nothing here reads them."""
    for bucket in template.buckets():
        clients("s3").create_bucket(Bucket=bucket)


def create_events(clients: Clients, template: Template) -> None:
    """Event buses, and rules with their targets."""
    events = clients("events")
    for bus in template.event_buses():
        events.create_event_bus(Name=bus)
    for rule in template.rules():
        bus = rule.get("EventBusName", "default")
        pattern = rule.get("EventPattern")
        expression = rule.get("ScheduleExpression")
        events.put_rule(
            Name=rule["Name"],
            EventBusName=bus,
            State=rule.get("State", "ENABLED"),
            **({"EventPattern": json.dumps(pattern)} if pattern else {}),
            **({"ScheduleExpression": expression} if expression else {}),
        )
        if rule.get("Targets"):
            targets = [_without_policies(target) for target in rule["Targets"]]
            events.put_targets(Rule=rule["Name"], EventBusName=bus, Targets=targets)


def create_state_machines(clients: Clients, template: Template) -> None:
    """The state machines; nothing checks their role here."""
    for machine in template.state_machines():
        clients("stepfunctions").create_state_machine(name=machine.name, definition=machine.definition, roleArn=_ROLE)


def create_schedule_groups(clients: Clients, template: Template) -> None:
    """The schedule groups."""
    for group in template.schedule_groups():
        clients("scheduler").create_schedule_group(Name=group)


def create_schedules(clients: Clients, template: Template) -> None:
    """The template's own schedules, as the template has them now."""
    scheduler = clients("scheduler")
    existing = {(each["GroupName"], each["Name"]) for each in scheduler.list_schedules()["Schedules"]}
    names = (
        "Name",
        "GroupName",
        "ScheduleExpression",
        "ScheduleExpressionTimezone",
        "FlexibleTimeWindow",
        "Target",
        "State",
        "Description",
    )
    for schedule in template.schedules():
        definition = {name: schedule[name] for name in names if name in schedule}
        exists = (schedule.get("GroupName", "default"), schedule["Name"]) in existing
        (scheduler.update_schedule if exists else scheduler.create_schedule)(**definition)


def fill_secrets(clients: Clients, template: Template, database: URL) -> None:
    """Makes the secrets that do not exist, and gives those of the database the local server's address.

    `database` is the owner's address: a secret of the owner also gets its password.
    """
    manager = clients("secretsmanager")
    for secret in template.secrets():
        stored = _kept(manager, secret)
        content = _addressed(secret, stored or generated(secret), database)
        if content == stored:
            continue
        text = json.dumps(content) if isinstance(content, dict) else content
        if stored is None:
            # moto takes the tail of the ARN from this tag
            tags = [{"Key": "_custom_id_", "Value": secret.arn.rpartition("-")[2]}]
            manager.create_secret(Name=secret.name, SecretString=text, Tags=tags)
        else:
            manager.put_secret_value(SecretId=secret.arn, SecretString=text)


def generated(secret: Secret) -> dict[str, Any] | str:
    """A new value of the secret, with a random password where the template asks for one."""
    letters = string.ascii_letters + string.digits
    if not secret.exclude_punctuation:
        letters += string.punctuation
    allowed = [letter for letter in letters if letter not in secret.excluded]
    password = "".join(secrets.choice(allowed) for _ in range(secret.length))
    if secret.key is None:
        return dict(secret.template) or password
    return dict(secret.template) | {secret.key: password}


def _kept(manager: Any, secret: Secret) -> Any:
    try:
        value = manager.get_secret_value(SecretId=secret.arn)["SecretString"]
    except manager.exceptions.ResourceNotFoundException:
        return None
    return json.loads(value) if value.startswith("{") else value


def _addressed(secret: Secret, value: Any, database: URL) -> Any:
    """The value with where the database is, if it is a secret of the database."""
    if not isinstance(value, dict) or not (secret.attached or "dbname" in value):
        return value
    address = {
        "host": database.host,
        "port": database.port,
        "dbname": database.database,
        "sslmode": "disable",
    }
    owned = {"password": database.password} if value.get("username") == database.username else {}
    return value | address | owned


def _without_policies(target: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in target.items() if name not in ("RoleArn", "DeadLetterConfig", "RetryPolicy")}
