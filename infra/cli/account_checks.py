"""Checks of an AWS account: whether a stage can be deployed there, and whether somebody hears its alarms."""

from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from infra.cli.deployed_stage import DeployedStage
from infra.cli.findings import Finding, problem
from infra.settings import StageSettings

UNRESERVED = 100
"""Concurrent executions of an account that Lambda does not let anybody reserve."""
MIN_CONCURRENCY = 100
"""A choice: one county's sync reads up to 40 partitions at a time, and requests and jobs run beside it. New accounts
have 10, older ones 1,000."""
NEW_ACCOUNTS_MB = 3008
"""The largest function of a new account; no API tells an account's."""
MIN_BOOTSTRAP_VERSION = 6
"""Of the CDK's bootstrap stack, as the assembly's manifest asks for it."""
_BOOTSTRAP_PARAMETER = "/cdk-bootstrap/hnb659fds/version"
_ADDRESSES_QUOTA = "L-0263D0A3"
"""EC2-VPC Elastic IPs."""


def check_account(deployed: DeployedStage, settings: StageSettings, engine_version: str) -> Iterator[Finding]:
    """All checks of the account that the caller's credentials are of. What may not be read is a finding of its own.

    `engine_version`: of Aurora PostgreSQL. Raises CommandError where nobody is signed in.
    """
    account = deployed.account()
    checks: tuple[tuple[str, Callable[[], Finding]], ...] = (
        ("Account", lambda: check_place(deployed, settings, account)),
        ("Concurrent executions", lambda: check_concurrency(deployed, settings)),
        ("Memory of functions", lambda: check_memory(settings)),
        ("Aurora", lambda: check_engine(deployed, engine_version)),
        ("CDK bootstrap", lambda: check_bootstrap(deployed)),
        ("Zones", lambda: check_zones(deployed, settings)),
        ("Elastic IPs", lambda: check_addresses(deployed, settings)),
        ("Alarms' e-mail", lambda: check_alarm_email(deployed, settings, account)),
        ("Mails to users", lambda: check_mail_sender(deployed, settings)),
    )
    for name, check in checks:
        try:
            yield check()
        except (BotoCoreError, ClientError) as error:
            yield Finding(name, f"could not be read: {error}", "look at it in the console, or ask for the permission")


def check_place(deployed: DeployedStage, settings: StageSettings, account: str) -> Finding:
    """The account and region of the credentials, against those of the stage."""
    region = deployed.client("sts").meta.region_name
    here = f"{account}, {region}"
    if settings.account not in (None, account) or settings.region not in (None, region):
        there = f"{settings.account or account}, {settings.region or region}"
        return problem("Account", f"{here}; cdk.json deploys {settings.name} to {there}", "set AWS_PROFILE, AWS_REGION")
    return Finding("Account", here)


def check_concurrency(deployed: DeployedStage, settings: StageSettings) -> Finding:
    """The quota of concurrent executions, against what the stage reserves and a sync uses."""
    check = "Concurrent executions"
    limit = int(deployed.client("lambda").get_account_settings()["AccountLimit"]["ConcurrentExecutions"])
    reserved = sum(settings.reserved_concurrency.values())
    remedy = "ask for 1,000: Service Quotas, AWS Lambda, Concurrent executions"
    if reserved and reserved + UNRESERVED > limit:
        text = f"{limit}: {reserved} cannot be reserved, {UNRESERVED} stay unreserved"
        return problem(check, text, f"{remedy}, or lower reserved_concurrency")
    if limit < MIN_CONCURRENCY:
        return problem(check, f"{limit}: one county's sync would starve signing in", remedy)
    return Finding(check, f"{limit}, of which {reserved} are reserved")


def check_memory(settings: StageSettings) -> Finding:
    """The largest function that the stage asks for; AWS tells nobody what an account may have."""
    state = f"{settings.max_function_mb} MB are asked for"
    if settings.max_function_mb > NEW_ACCOUNTS_MB:
        remedy = f"where a deployment is refused for it, set max_function_mb to {NEW_ACCOUNTS_MB}, or ask for more"
        return Finding("Memory of functions", f"{state}; a new account has {NEW_ACCOUNTS_MB}", remedy)
    return Finding("Memory of functions", f"{state}, which every account may have")


def check_engine(deployed: DeployedStage, engine_version: str) -> Finding:
    """Aurora's version, as a serverless instance that can be ordered in the region."""
    rds = deployed.client("rds")
    version = {"Engine": "aurora-postgresql", "EngineVersion": engine_version, "DBInstanceClass": "db.serverless"}
    if rds.describe_orderable_db_instance_options(**version)["OrderableDBInstanceOptions"]:
        return Finding("Aurora", f"PostgreSQL {engine_version}, serverless, can be created")
    versions = rds.describe_db_engine_versions(Engine="aurora-postgresql")["DBEngineVersions"]
    major = engine_version.partition(".")[0]
    others = ", ".join(v["EngineVersion"] for v in versions if v["EngineVersion"].partition(".")[0] == major)
    remedy = f"set ENGINE_VERSION (infra/constructs/database.py) to one of {others or 'another major version'}"
    return problem("Aurora", f"PostgreSQL {engine_version} cannot be created as a serverless instance", remedy)


def check_bootstrap(deployed: DeployedStage) -> Finding:
    """The CDK's bootstrap stack of account and region."""
    ssm = deployed.client("ssm")
    try:
        version = int(ssm.get_parameter(Name=_BOOTSTRAP_PARAMETER)["Parameter"]["Value"])
    except ssm.exceptions.ParameterNotFound:
        return problem("CDK bootstrap", "the account and region are not bootstrapped", "uv run cdk bootstrap")
    if version < MIN_BOOTSTRAP_VERSION:
        text = f"version {version}; {MIN_BOOTSTRAP_VERSION} is needed"
        return problem("CDK bootstrap", text, "uv run cdk bootstrap")
    return Finding("CDK bootstrap", f"version {version}")


def check_zones(deployed: DeployedStage, settings: StageSettings) -> Finding:
    """The availability zones that the stage is built in."""
    answer = deployed.client("ec2").describe_availability_zones(Filters=[{"Name": "state", "Values": ["available"]}])
    available = sorted(zone["ZoneName"] for zone in answer["AvailabilityZones"])
    state = f"available: {', '.join(available)}"
    missing = [zone for zone in settings.zones if zone not in available]
    if missing or len(available) < 2:
        text = f"{state}; {', '.join(missing) or 'two'} needed"
        return problem("Zones", text, "name two that are available in availability_zones (cdk.json)")
    return Finding("Zones", state)


def check_addresses(deployed: DeployedStage, settings: StageSettings) -> Finding:
    """Elastic IPs that can still be allocated; those that the stage already has count for it."""
    addresses = deployed.client("ec2").describe_addresses()["Addresses"]
    tags = [{tag["Key"]: tag["Value"] for tag in address.get("Tags", [])} for address in addresses]
    own = sum((t.get("project"), t.get("stage")) == ("terrafusion", settings.name) for t in tags)
    quota = deployed.client("service-quotas").get_service_quota(ServiceCode="ec2", QuotaCode=_ADDRESSES_QUOTA)
    limit = int(quota["Quota"]["Value"])
    needed = max(0, settings.nat_gateways - own)
    state = f"{len(addresses)} of {limit} are allocated, {needed} more needed"
    if len(addresses) + needed > limit:
        return problem("Elastic IPs", state, "release some, or ask for more: Service Quotas, EC2-VPC Elastic IPs")
    return Finding("Elastic IPs", state)


def check_alarm_email(deployed: DeployedStage, settings: StageSettings, account: str) -> Finding:
    """The subscriptions of the alarms' topic: an address that has not confirmed hears nothing."""
    check, sns = "Alarms' e-mail", deployed.client("sns")
    topic = f"arn:aws:sns:{sns.meta.region_name}:{account}:{deployed.physical_name('alarms')}"
    try:
        subscriptions: list[dict[str, Any]] = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    except sns.exceptions.NotFoundException:
        text = f"{settings.alarm_email or 'nobody'}; the stage is not deployed yet"
        return Finding(check, text, "" if settings.alarm_email else "set alarm_email in cdk.json")
    pending = [s["Endpoint"] for s in subscriptions if not s["SubscriptionArn"].startswith("arn:")]
    if pending:
        return problem(check, f"not confirmed: {', '.join(pending)}", "open the mail from AWS, and confirm")
    if not subscriptions:
        return problem(check, "nobody is subscribed to the alarms", "set alarm_email in cdk.json, and deploy")
    return Finding(check, ", ".join(s["Endpoint"] for s in subscriptions))


def check_mail_sender(deployed: DeployedStage, settings: StageSettings) -> Finding:
    """The sender of invitations: its domain has to be verified in SES, and SES out of its sandbox."""
    check, sender = "Mails to users", settings.mail_sender
    if not sender:
        remedy = "set mail_sender in cdk.json to invite more in a day" if settings.production else ""
        return Finding(check, "Cognito sends them: 50 a day", remedy)
    ses, domain = deployed.client("sesv2"), sender.partition("@")[2]
    try:
        verified = ses.get_email_identity(EmailIdentity=domain)["VerifiedForSendingStatus"]
    except ses.exceptions.NotFoundException:
        verified = False
    if not verified:
        return problem(check, f"SES has not verified {domain}", "add the domain in SES, and its DNS records")
    account = ses.get_account()
    if not account["ProductionAccessEnabled"]:
        return problem(
            check, "SES is in its sandbox: only verified addresses get mail", "ask for production access in SES"
        )
    return Finding(check, f"{sender}: {account['SendQuota']['Max24HourSend']:,.0f} a day")
