"""Backups outside of the stage's own account or region."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk.aws_backup import (
    BackupPlan,
    BackupPlanCopyActionProps,
    BackupPlanRule,
    BackupResource,
    BackupSelection,
    BackupVault,
)
from aws_cdk.aws_events import Schedule
from aws_cdk.aws_iam import ManagedPolicy, Role, ServicePrincipal
from constructs import Construct

from infra.best_practices import accept
from infra.settings import StageSettings

RETENTION = Duration.days(35)
"""Of both copies: as long as Aurora's own backups in production."""
_NIGHTLY = Schedule.cron(hour="8", minute="0")
"""In UTC: midnight to four in the morning in the United States."""
_POLICIES = (
    "service-role/AWSBackupServiceRolePolicyForBackup",
    "AWSBackupServiceRolePolicyForS3Backup",
)


class Backups(Construct):
    """A nightly backup of database and bucket, copied to the vault that the stage's `backup_vault_arn` names."""

    def __init__(
        self, scope: Construct, construct_id: str, settings: StageSettings, resources: list[BackupResource]
    ) -> None:
        super().__init__(scope, construct_id)
        vault = BackupVault(
            self,
            "Vault",
            backup_vault_name=settings.physical_name("nightly"),
            removal_policy=RemovalPolicy.RETAIN,
        )
        plan = BackupPlan(self, "Plan", backup_plan_name=settings.physical_name("nightly"), backup_vault=vault)
        elsewhere = BackupVault.from_backup_vault_arn(self, "Elsewhere", settings.backup_vault_arn)
        plan.add_rule(
            BackupPlanRule(
                rule_name="nightly",
                schedule_expression=_NIGHTLY,
                start_window=Duration.hours(1),
                completion_window=Duration.hours(8),
                delete_after=RETENTION,
                copy_actions=[BackupPlanCopyActionProps(destination_backup_vault=elsewhere, delete_after=RETENTION)],
            )
        )
        role = Role(
            self,
            "Role",
            assumed_by=ServicePrincipal("backup.amazonaws.com"),
            description="Backs up the database and the bucket",
            managed_policies=[ManagedPolicy.from_aws_managed_policy_name(name) for name in _POLICIES],
        )
        reason = "AWS Backup documents these policies for its role."
        findings = (f"AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/{name}]" for name in _POLICIES)
        accept(role, dict.fromkeys(findings, reason))
        BackupSelection(
            self, "Selection", backup_plan=plan, resources=resources, role=role, disable_default_backup_policy=True
        )


def account_of(vault_arn: str) -> str:
    """The account that a vault's ARN names."""
    return vault_arn.split(":")[4]
