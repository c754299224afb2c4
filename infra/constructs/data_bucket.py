"""The bucket of all objects: raw archive, curated files, results, uploads."""

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk.aws_iam import AnyPrincipal, Effect, PolicyStatement, ServicePrincipal
from aws_cdk.aws_s3 import (
    BlockPublicAccess,
    Bucket,
    BucketEncryption,
    CfnBucket,
    LifecycleRule,
    ObjectOwnership,
    StorageClass,
    Transition,
)
from constructs import Construct

from shared.storage import PASSING, RAW_ARCHIVE, RECORDS, county_key

_ACCESS_LOG_RETENTION = Duration.days(365)
"""A choice: through one roll year, as the logs of production."""


class DataBucket(Construct):
    """An encrypted, private, versioned bucket behind TLS, which outlives its stack."""

    def __init__(self, scope: Construct, construct_id: str, raw_retention_days: int) -> None:
        super().__init__(scope, construct_id)
        self.bucket = Bucket(
            self,
            "Bucket",
            encryption=BucketEncryption.S3_MANAGED,
            block_public_access=BlockPublicAccess.BLOCK_ALL,
            object_ownership=ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            versioned=True,
            removal_policy=RemovalPolicy.RETAIN,
            lifecycle_rules=[
                # The raw archive lies below each county's own prefix, where a rule cannot name it; its tag can be.
                LifecycleRule(
                    id="end-of-the-raw-archive",
                    tag_filters={RAW_ARCHIVE[0]: RAW_ARCHIVE[1]},
                    expiration=Duration.days(raw_retention_days),
                ),
                LifecycleRule(
                    id="end-of-what-is-passing",
                    tag_filters={PASSING[0]: PASSING[1]},
                    expiration=Duration.days(1),
                ),
                # This tier moves what nobody reads to cold storage by itself, and leaves what is read where it is.
                LifecycleRule(
                    id="archive-what-is-not-read",
                    transitions=[
                        Transition(storage_class=StorageClass.INTELLIGENT_TIERING, transition_after=Duration.days(30))
                    ],
                ),
                LifecycleRule(
                    id="forget-overwritten-versions",
                    noncurrent_version_expiration=Duration.days(90),
                    expired_object_delete_marker=True,
                ),
                LifecycleRule(id="drop-unfinished-uploads", abort_incomplete_multipart_upload_after=Duration.days(7)),
            ],
        )
        self._protect_records()
        self._log_accesses()

    def _protect_records(self) -> None:
        """Let nobody delete a record, or write one that is there already, whatever rights he has from elsewhere.

        What expires overwritten versions finds none here. Whoever may change the bucket's policy is not held back by
        it: CloudTrail has that change.
        """
        records = self.bucket.arn_for_objects(county_key("*", RECORDS, "*"))
        everybody = AnyPrincipal()
        self.bucket.add_to_resource_policy(
            PolicyStatement(
                sid="KeepRecords",
                effect=Effect.DENY,
                principals=[everybody],
                actions=["s3:DeleteObject", "s3:DeleteObjectVersion"],
                resources=[records],
            )
        )
        # docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html
        self.bucket.add_to_resource_policy(
            PolicyStatement(
                sid="WriteRecordsOnce",
                effect=Effect.DENY,
                principals=[everybody],
                actions=["s3:PutObject"],
                resources=[records],
                conditions={"Null": {"s3:if-none-match": "true"}},
            )
        )

    def _log_accesses(self) -> None:
        """Keep a log of the bucket's requests, in a bucket of its own."""
        logs = Bucket(
            self,
            "AccessLogs",
            encryption=BucketEncryption.S3_MANAGED,
            block_public_access=BlockPublicAccess.BLOCK_ALL,
            object_ownership=ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            removal_policy=RemovalPolicy.RETAIN,
            lifecycle_rules=[LifecycleRule(id="end-of-access-logs", expiration=_ACCESS_LOG_RETENTION)],
        )
        logs.add_to_resource_policy(
            PolicyStatement(
                principals=[ServicePrincipal("logging.s3.amazonaws.com")],
                actions=["s3:PutObject"],
                resources=[logs.arn_for_objects("*")],
                conditions={
                    "ArnLike": {"aws:SourceArn": self.bucket.bucket_arn},
                    "StringEquals": {"aws:SourceAccount": Stack.of(self).account},
                },
            )
        )
        bucket = self.bucket.node.default_child
        if not isinstance(bucket, CfnBucket):
            raise TypeError("a bucket consists of a CfnBucket")
        bucket.logging_configuration = CfnBucket.LoggingConfigurationProperty(destination_bucket_name=logs.bucket_name)
