"""The data stores are encrypted, private and backed up."""

import json
from pathlib import Path

from functions.sync.object_keys import athena_key
from infra.assets import digest
from infra.settings import ROOT
from shared.db.driver import MAX_IDLE_S
from shared.db.models import SYNC_TARGETS
from shared.mapping.curated_tables import curated_columns
from shared.storage import PASSING, RAW_ARCHIVE
from tests.infrastructure.assembly import Templates, listed


def test_no_bucket_is_public(templates: Templates) -> None:
    for bucket in templates.resources("AWS::S3::Bucket"):
        assert bucket.properties["PublicAccessBlockConfiguration"] == {
            "BlockPublicAcls": True,
            "BlockPublicPolicy": True,
            "IgnorePublicAcls": True,
            "RestrictPublicBuckets": True,
        }


def test_objects_are_encrypted_versioned_and_kept(templates: Templates) -> None:
    bucket = templates.data_bucket()

    assert bucket.properties["BucketEncryption"]
    assert bucket.properties["VersioningConfiguration"] == {"Status": "Enabled"}
    assert bucket.whole["DeletionPolicy"] == "Retain"


def test_buckets_refuse_what_does_not_come_over_tls(templates: Templates) -> None:
    for policy in templates.resources("AWS::S3::BucketPolicy"):
        statements = policy.properties["PolicyDocument"]["Statement"]
        assert any(
            s["Effect"] == "Deny" and s["Condition"] == {"Bool": {"aws:SecureTransport": "false"}} for s in statements
        )


def test_nobody_deletes_a_record_or_writes_one_that_is_there(templates: Templates) -> None:
    bucket = templates.data_bucket()
    statements = {
        statement["Sid"]: statement
        for policy in templates.resources("AWS::S3::BucketPolicy")
        if policy.properties["Bucket"] == {"Ref": bucket.logical_id}
        for statement in policy.properties["PolicyDocument"]["Statement"]
        if "Sid" in statement
    }
    kept, once = statements["KeepRecords"], statements["WriteRecordsOnce"]

    assert {kept["Effect"], once["Effect"]} == {"Deny"}
    assert set(kept["Action"]) == {"s3:DeleteObject", "s3:DeleteObjectVersion"}
    assert "Condition" not in kept
    assert once["Action"] == "s3:PutObject"
    assert once["Condition"] == {"Null": {"s3:if-none-match": "true"}}
    for statement in (kept, once):
        assert statement["Principal"] == {"AWS": "*"}
        assert statement["Resource"]["Fn::Join"][1][1] == "/counties/*/records/*"


def test_requests_to_objects_are_logged_in_a_bucket_that_only_s3_fills_from_there(templates: Templates) -> None:
    data = templates.data_bucket()
    logs = data.properties["LoggingConfiguration"]["DestinationBucketName"]["Ref"]
    statements = [
        statement
        for policy in templates.resources("AWS::S3::BucketPolicy")
        if policy.properties["Bucket"] == {"Ref": logs}
        for statement in policy.properties["PolicyDocument"]["Statement"]
    ]
    (allowed,) = [s for s in statements if s["Effect"] == "Allow"]

    assert logs != data.logical_id
    assert allowed["Principal"] == {"Service": "logging.s3.amazonaws.com"}
    assert allowed["Condition"]["ArnLike"] == {"aws:SourceArn": {"Fn::GetAtt": [data.logical_id, "Arn"]}}


def test_the_passwords_of_the_database_are_rotated_by_functions_within_its_network(templates: Templates) -> None:
    rotations = [r.properties for r in templates.resources("AWS::SecretsManager::RotationSchedule")]

    assert len(rotations) == 2
    for rotation in rotations:
        assert rotation["HostedRotationLambda"]["RotationType"] == "PostgreSQLSingleUser"
        assert rotation["HostedRotationLambda"]["VpcSecurityGroupIds"]
        assert rotation["RotateImmediatelyOnUpdate"] is False  # before the migration there is no such role
        assert rotation["RotationRules"] == {"ScheduleExpression": "rate(30 days)"}


def test_what_the_network_refuses_is_logged(templates: Templates) -> None:
    log = templates.one("AWS::EC2::FlowLog").properties

    assert (log["TrafficType"], log["ResourceType"]) == ("REJECT", "VPC")


def test_functions_reach_objects_of_counties_only(templates: Templates) -> None:
    for resource, statement in templates.statements():
        if resource.type == "AWS::IAM::Policy" and "s3:PutObject" in listed(statement["Action"]):
            for target in listed(statement["Resource"]):
                assert json.dumps(target).endswith('"/counties/*"]]}'), resource.logical_id


def test_a_function_cannot_delete_former_versions_of_objects(templates: Templates) -> None:
    deleted = {
        action
        for resource, statement in templates.statements()
        if statement["Effect"] == "Allow" and resource.stack != "Network"
        for action in listed(statement["Action"])
        if action.startswith("s3:Delete")
    }

    assert deleted == {"s3:DeleteObject"}


def test_the_database_is_encrypted_and_takes_no_connection_without_tls(templates: Templates) -> None:
    cluster = templates.one("AWS::RDS::DBCluster").properties
    parameters = templates.one("AWS::RDS::DBClusterParameterGroup").properties["Parameters"]

    assert cluster["StorageEncrypted"] is True
    assert cluster["BackupRetentionPeriod"] >= 7
    assert parameters["rds.force_ssl"] == "1"


def test_a_session_that_its_function_has_left_in_a_transaction_holds_locks_no_longer_than_a_function_lives(
    templates: Templates,
) -> None:
    parameters = templates.one("AWS::RDS::DBClusterParameterGroup").properties["Parameters"]
    longest = max(function.properties["Timeout"] for function in templates.functions().values())

    assert longest * 1000 < int(parameters["idle_in_transaction_session_timeout"]) <= 2 * longest * 1000


def test_the_database_ends_idle_sessions_after_functions_have_left_them(templates: Templates) -> None:
    parameters = templates.one("AWS::RDS::DBClusterParameterGroup").properties["Parameters"]

    assert MAX_IDLE_S * 1000 < int(parameters["idle_session_timeout"]) <= 600_000


def test_the_log_of_the_database_is_kept_for_as_long_as_any_other(templates: Templates) -> None:
    cluster = templates.one("AWS::RDS::DBCluster")
    name = f"/aws/rds/cluster/{cluster.properties['DBClusterIdentifier']}/postgresql"
    (log,) = [r for r in templates.resources("AWS::Logs::LogGroup") if r.properties.get("LogGroupName") == name]

    assert cluster.properties["EnableCloudwatchLogsExports"] == ["postgresql"]
    assert log.properties["RetentionInDays"] == 30
    assert log.logical_id in cluster.whole["DependsOn"]  # Aurora would make one that forgets nothing


def test_the_database_of_a_stage_for_trying_pauses_and_that_of_production_does_not(
    templates: Templates, deployed: Path
) -> None:
    production = Templates(deployed / "assembly-prod", "prod")
    trying, serving = (
        t.one("AWS::RDS::DBCluster").properties["ServerlessV2ScalingConfiguration"] for t in (templates, production)
    )

    assert (trying["MinCapacity"], trying["SecondsUntilAutoPause"]) == (0, 300)
    assert serving["MinCapacity"] >= 1


def test_the_database_is_open_to_the_functions_alone(templates: Templates) -> None:
    ingress = list(templates.resources("AWS::EC2::SecurityGroupIngress"))
    groups = [g for g in templates.resources("AWS::EC2::SecurityGroup") if g.properties.get("SecurityGroupIngress")]

    assert [i.properties["FromPort"] for i in ingress] == [5432]
    assert "SourceSecurityGroupId" in ingress[0].properties
    assert groups == []


def test_no_instance_of_the_database_has_a_public_address(templates: Templates) -> None:
    for instance in templates.resources("AWS::RDS::DBInstance"):
        assert not instance.properties.get("PubliclyAccessible", False)


def test_counties_see_one_address_that_outlives_the_stack(templates: Templates) -> None:
    address = templates.one("AWS::EC2::EIP")

    assert templates.one("AWS::EC2::NatGateway").properties["AllocationId"] == {
        "Fn::GetAtt": [address.logical_id, "AllocationId"]
    }
    assert address.whole["DeletionPolicy"] == "Retain"


def test_the_applications_secret_says_all_that_a_connection_needs(templates: Templates) -> None:
    generation = templates.application_secret().properties["GenerateSecretString"]
    template = generation["SecretStringTemplate"]["Fn::Join"][1]
    text = "".join(part if isinstance(part, str) else "1" for part in template)

    assert set(json.loads(text)) == {"engine", "username", "host", "port", "dbname"}


def test_no_secret_of_the_platform_lies_where_counties_secrets_are_read(templates: Templates) -> None:
    for secret in templates.resources("AWS::SecretsManager::Secret"):
        assert not str(secret.properties.get("Name", "")).startswith("terrafusion/")


def test_only_the_scheduler_of_this_account_takes_the_schedules_role(templates: Templates) -> None:
    role = next(r for r in templates.resources("AWS::IAM::Role", "Sync") if r.logical_id.startswith("ScheduleRole"))
    (statement,) = role.properties["AssumeRolePolicyDocument"]["Statement"]

    assert statement["Principal"] == {"Service": "scheduler.amazonaws.com"}
    assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}


def test_a_changed_migration_is_run_at_the_next_deployment(templates: Templates) -> None:
    migration = templates.one("Custom::SchemaMigration")
    writers = {i.logical_id for i in templates.resources("AWS::RDS::DBInstance")}

    assert migration.properties["Digest"] == digest([ROOT / "shared" / "db"])
    # a secret that CloudFormation generates anew is given to the role, too
    generation = templates.application_secret().properties["GenerateSecretString"]
    assert migration.properties["ApplicationSecret"] == {"Ref": templates.application_secret().logical_id}
    assert json.loads(migration.properties["PasswordRules"]) == {
        "password_length": generation["PasswordLength"],
        "exclude_punctuation": generation["ExcludePunctuation"],
    }
    assert writers <= set(migration.whole["DependsOn"])


def test_the_raw_archive_and_files_of_lists_end_by_their_tags_and_nothing_else_does(templates: Templates) -> None:
    rules = templates.data_bucket().properties["LifecycleConfiguration"]["Rules"]
    ending, passing = [rule for rule in rules if "ExpirationInDays" in rule]

    assert ending["TagFilters"] == [{"Key": RAW_ARCHIVE[0], "Value": RAW_ARCHIVE[1]}]
    assert passing["TagFilters"] == [{"Key": PASSING[0], "Value": PASSING[1]}]
    assert passing["ExpirationInDays"] == 1


def test_the_catalogue_has_each_curated_table_with_its_columns_by_county(templates: Templates) -> None:
    tables = {table.properties["TableInput"]["Name"]: table for table in templates.resources("AWS::Glue::Table")}

    assert set(tables) == set(SYNC_TARGETS)
    for name, table in tables.items():
        described = table.properties["TableInput"]
        columns = [(c["Name"], c["Type"]) for c in described["StorageDescriptor"]["Columns"]]
        assert columns == [(c.name, c.hive_type) for c in curated_columns(name)]
        location = json.dumps(described["Parameters"]["storage.location.template"])
        assert athena_key("${county_id}", name).removesuffix("files.txt") in location
        assert described["PartitionKeys"] == [{"Name": "county_id", "Type": "string"}]
