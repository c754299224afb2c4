"""Parquet files of flat columns (Apache Parquet format, parquet.thrift), without a library.

Polars (165 MB) and Arrow (arro3, 31 MB) do not fit into the functions that write them beside what these need. Of the
format what is written is its plainest part: optional columns, one data page a column and group of rows, plain values,
gzip.
"""

from shared.parquet.writer import ParquetWriter, PhysicalType, StoredColumn, StoredValues, bit_packed, one_level

__all__ = ["ParquetWriter", "PhysicalType", "StoredColumn", "StoredValues", "bit_packed", "one_level"]
