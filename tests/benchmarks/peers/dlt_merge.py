"""dlt merging the synthetic parcels into the same server, as fast as its documentation makes it: Arrow extraction, CSV
files, no compression (`sql_table(backend="pyarrow")`, `loader_file_format="csv"`, `DATA_WRITER__DISABLE_COMPRESSION`).

`python -m tests.benchmarks.peers.dlt_merge SOURCE_URL DESTINATION_URL FOLDER` prints the seconds of one merge; FOLDER
keeps the pipeline's state, so a second call merges again.
"""

import os
import sys
import time

TABLE = "parcel_extract"
DATASET = "dlt_peer"


def main() -> None:
    source, destination, folder = sys.argv[1:]
    os.environ.update(
        {
            "DATA_WRITER__DISABLE_COMPRESSION": "true",
            "NORMALIZE__DATA_WRITER__DISABLE_COMPRESSION": "true",
            "RUNTIME__DLTHUB_TELEMETRY": "false",
            "RUNTIME__LOG_LEVEL": "CRITICAL",
        }
    )
    import dlt
    from dlt.destinations import postgres
    from dlt.sources.sql_database import sql_table

    pipeline = dlt.pipeline(
        "dlt_peer", pipelines_dir=folder, destination=postgres(credentials=destination), dataset_name=DATASET
    )
    rows = sql_table(
        credentials=source,
        table=TABLE,
        backend="pyarrow",
        chunk_size=100_000,
        write_disposition={"disposition": "merge", "strategy": os.environ.get("DLT_STRATEGY", "delete-insert")},
        primary_key="parcel_id",
    )
    started = time.monotonic()
    pipeline.run(rows, loader_file_format="csv")
    print(time.monotonic() - started)


if __name__ == "__main__":
    main()
