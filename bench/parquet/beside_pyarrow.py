"""Writes the rows of a shard again with pyarrow and prints the same measures as main.go.

Two times are taken: building Arrow arrays out of Python rows plus writing, and writing alone. Reading the rows
is not timed. One row group at a time, as the shard has them, zstd 3, dictionaries for the same columns.
"""

import json
import resource
import sys
import time

import pyarrow as pa
import pyarrow.parquet as pq

DICTIONARY = ["teacher", "model", "revision", "origin", "source", "source_license", "finish_reason", "run",
              "generation", "cluster_size", "messages.list.element.role", "signals.list.element.name"]


def raw_bytes(row):
    size = 4 * 8
    for value in row.values():
        if isinstance(value, str):
            size += len(value.encode())
        elif isinstance(value, list):
            size += sum(len(v.encode()) if isinstance(v, str) else 8 for item in value for v in item.values())
    return size


def main(source, target):
    shard = pq.ParquetFile(source)
    schema = shard.schema_arrow
    raw, build, write, build_cpu, write_cpu = 0, 0.0, 0.0, 0.0, 0.0
    writer = pq.ParquetWriter(target, schema, compression="zstd", compression_level=3, use_dictionary=DICTIONARY)
    for group in range(shard.num_row_groups):
        batches = []
        for batch in shard.iter_batches(batch_size=2000, row_groups=[group], use_threads=False):
            rows = batch.to_pylist()
            raw += sum(map(raw_bytes, rows))
            wall, cpu = time.perf_counter(), time.process_time()
            batches.append(pa.RecordBatch.from_pylist(rows, schema=schema))
            build, build_cpu = build + time.perf_counter() - wall, build_cpu + time.process_time() - cpu
        wall, cpu = time.perf_counter(), time.process_time()
        table = pa.Table.from_batches(batches)
        writer.write_table(table, row_group_size=table.num_rows)
        write, write_cpu = write + time.perf_counter() - wall, write_cpu + time.process_time() - cpu
    wall, cpu = time.perf_counter(), time.process_time()
    writer.close()
    write, write_cpu = write + time.perf_counter() - wall, write_cpu + time.process_time() - cpu
    rows = pq.ParquetFile(target).metadata.num_rows
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    for name, wall, cpu in [("pyarrow, building and writing", build + write, build_cpu + write_cpu),
                            ("pyarrow, writing alone", write, write_cpu)]:
        print(json.dumps({"writer": name, "rows": rows, "raw_mb": raw / 1e6, "seconds": wall, "cpu_seconds": cpu,
                          "mb_per_second": raw / 1e6 / wall, "mb_per_cpu_second": raw / 1e6 / cpu, "peak_mb": peak}))


if __name__ == "__main__":
    main(*sys.argv[1:3])
