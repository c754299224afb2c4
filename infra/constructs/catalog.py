"""The Glue catalogue of the curated tables: one database, a table each, a partition a county."""

from aws_cdk import Stack
from aws_cdk.aws_glue import CfnDatabase, CfnTable
from aws_cdk.aws_s3 import IBucket
from constructs import Construct

from infra.settings import StageSettings
from shared.db.models import SYNC_TARGETS
from shared.mapping.curated_tables import curated_columns

_FOLDERS = "counties/${county_id}/curated/athena/"


class Catalog(Construct):
    """The Glue database and its tables.

    A query names its county (`WHERE county_id = 'benton_wa'`): the partition is computed from it, so that no crawler
    runs and nothing is registered when a county is onboarded. A partition's folder holds a list of the files of the
    county's last published run, which is replaced as a whole: a query reads one run's table, whatever is being written
    beside it.
    """

    def __init__(self, scope: Construct, construct_id: str, settings: StageSettings, bucket: IBucket) -> None:
        super().__init__(scope, construct_id)
        account = Stack.of(self).account
        database = CfnDatabase(
            self,
            "Database",
            catalog_id=account,
            database_input=CfnDatabase.DatabaseInputProperty(
                name=settings.physical_name("curated").replace("-", "_"),
                description="The counties' tables as the last published sync left them",
            ),
        )
        for name in SYNC_TARGETS:
            table = CfnTable(
                self,
                "".join(word.capitalize() for word in name.split("_")),
                catalog_id=account,
                database_name=database.ref,
                table_input=_table(name, bucket),
            )
            table.add_dependency(database)


def _table(name: str, bucket: IBucket) -> CfnTable.TableInputProperty:
    column = CfnTable.ColumnProperty
    return CfnTable.TableInputProperty(
        name=name,
        table_type="EXTERNAL_TABLE",
        partition_keys=[column(name="county_id", type="string")],
        parameters={
            "EXTERNAL": "TRUE",
            "projection.enabled": "true",
            "projection.county_id.type": "injected",
            "storage.location.template": f"s3://{bucket.bucket_name}/{_FOLDERS}{name}/",
        },
        storage_descriptor=CfnTable.StorageDescriptorProperty(
            columns=[column(name=c.name, type=c.hive_type) for c in curated_columns(name)],
            location=f"s3://{bucket.bucket_name}/counties/",
            input_format="org.apache.hadoop.hive.ql.io.SymlinkTextInputFormat",
            output_format="org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
            serde_info=CfnTable.SerdeInfoProperty(
                serialization_library="org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
            ),
        ),
    )
