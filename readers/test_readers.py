"""Opens the newest version of a dataset with the libraries people train with, and compares what they see.

RETORT_DATASET names it: a folder (which holds _versions/ and data/), or s3://BUCKET/PREFIX/DATASET with
AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. Nothing else is asked for over the network.
"""

import hashlib
import json
import math
import os
import tempfile

# In its offline mode the datasets library refuses S3 too; the hub is then kept away by an address where nothing listens.
OFFLINE = "0" if os.environ.get("RETORT_DATASET", "").startswith("s3://") else "1"
os.environ["HF_HUB_OFFLINE"] = os.environ["HF_DATASETS_OFFLINE"] = OFFLINE
os.environ["HF_ENDPOINT"] = "http://127.0.0.1:9"
os.environ["HF_HOME"] = tempfile.mkdtemp(prefix="readers-")
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"

import datasets
import duckdb
import fsspec
import pandas
import polars
import pyarrow as pa
import pyarrow.dataset
import pyarrow.fs
import pyarrow.parquet
import pytest
import rfc8785

MOST_ROWS = 20_000  # compared value by value; of larger datasets an even sample

TEXT, MESSAGES = pa.string(), pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
SIGNALS = pa.list_(pa.struct([("name", pa.string()), ("value", pa.float64())]))
LAYOUTS = {
    "messages": [("messages", MESSAGES)],
    "prompt-completion": [("prompt", MESSAGES), ("completion", MESSAGES)],
    "text": [("text", TEXT)],
}
TAIL = [("reasoning", TEXT), ("teacher", TEXT), ("model", TEXT), ("revision", TEXT), ("generation", pa.int32()),
        ("origin", TEXT), ("source", TEXT), ("source_license", TEXT), ("prompt_id", TEXT), ("request_id", TEXT),
        ("finish_reason", TEXT), ("input_tokens", pa.int64()), ("output_tokens", pa.int64()), ("signals", SIGNALS),
        ("cluster_size", pa.int32()), ("run", TEXT)]
REASONS = [("reason", TEXT), ("signal", TEXT), ("value", pa.float64()), ("limit", pa.float64()), ("of", TEXT), ("match", TEXT)]


class Dataset:
    """A version of a dataset, on S3 or in a folder."""

    def __init__(self, location):
        self.remote = location.startswith("s3://")
        if self.remote:
            self.endpoint = os.environ["AWS_ENDPOINT_URL"]
            self.key, self.secret = os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]
            self.region = os.environ.get("AWS_REGION", "us-east-1")
            self.root = location.removeprefix("s3://").rstrip("/")
        else:
            self.root = os.path.abspath(location)
        self.fsspec = fsspec.filesystem("s3" if self.remote else "file", **self.storage_options())
        self.arrow_fs = self._arrow_fs()
        self.manifest = self._newest()
        self.schema = pa.schema([("id", TEXT), *LAYOUTS[self.manifest["layout"]], *TAIL])
        self.rows = sum(shard["rows"] for shard in self.manifest["shards"])

    def storage_options(self):
        """For fsspec; new each time, because the datasets library writes into what it is given."""
        if not self.remote:
            return {}
        return {"key": self.key, "secret": self.secret,
                "client_kwargs": {"endpoint_url": self.endpoint, "region_name": self.region}}

    def _arrow_fs(self):
        if not self.remote:
            return pa.fs.LocalFileSystem()
        scheme, _, host = self.endpoint.partition("://")
        return pa.fs.S3FileSystem(access_key=self.key, secret_key=self.secret, region=self.region,
                                  endpoint_override=host.rstrip("/"), scheme=scheme)

    def _newest(self):
        names = sorted(n for n in self.fsspec.ls(f"{self.root}/_versions", detail=False) if n.endswith(".json"))
        assert names, f"no manifest in {self.root}/_versions"
        return json.loads(self.fsspec.cat_file(names[-1]))

    def path(self, shard):
        """Of a shard, without a scheme."""
        if self.remote:
            return shard["uri"].removeprefix("s3://")
        name = self.manifest["dataset"]
        return os.path.join(self.root, shard["key"][shard["key"].index(f"{name}/") + len(name) + 1:])

    def url(self, shard):
        return shard["uri"] if self.remote else self.path(shard)

    def urls(self):
        return [self.url(shard) for shard in self.manifest["shards"]]


@pytest.fixture(scope="module")
def dataset():
    location = os.environ.get("RETORT_DATASET")
    assert location, "RETORT_DATASET names no dataset: set it to a folder or an s3:// prefix (readers/run.sh does)"
    return Dataset(location)


@pytest.fixture(scope="module")
def truth(dataset):
    """The rows as pyarrow reads them file by file, which test_records_hash_to_the_manifests_roots checks."""
    return [row for shard in dataset.manifest["shards"] for row in read_shard(dataset, shard).to_pylist()]


def read_shard(dataset, shard):
    with dataset.arrow_fs.open_input_file(dataset.path(shard)) as f:
        return pa.parquet.read_table(f)


def sampled(rows):
    return rows[::max(1, len(rows) // MOST_ROWS)]


def same_rows(got, truth):
    assert len(got) == len(truth)
    for ours, theirs in zip(sampled(truth), sampled(got)):
        assert ours == theirs


def with_lists(value):
    """Lists of structs as plain Python, whatever array type the library wraps them in."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [with_lists(v) for v in value]
    return value


def merkle_root(leaves):
    """RFC 6962, section 2.1."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    level = [hashlib.sha256(b"\0" + leaf).digest() for leaf in leaves]
    while len(level) > 1:
        level = [hashlib.sha256(b"\1" + b"".join(level[i:i + 2])).digest() if i + 1 < len(level) else level[i]
                 for i in range(0, len(level), 2)]
    return level[0]


def test_counts_reconcile(dataset):
    counts = dataset.manifest["counts"]
    ended = counts["admitted"] + sum((counts["rejected"] or {}).values()) + counts["failed"] + counts["unasked"]
    assert counts["planned"] == ended
    own = sum(s["rows"] for s in dataset.manifest["shards"] if s["run"] == dataset.manifest["run"])
    assert own == counts["admitted"] + counts["human"]
    rejected = sum(s["rows"] for s in dataset.manifest.get("rejects") or [])
    assert rejected == sum((counts["rejected"] or {}).values())


@pytest.mark.parametrize("part", ["shards", "rejects"])
def test_records_hash_to_the_manifests_roots(dataset, part):
    roots = []
    for shard in dataset.manifest.get(part) or []:
        body = dataset.fsspec.cat_file(dataset.path(shard))
        assert (len(body), hashlib.sha256(body).hexdigest()) == (shard["bytes"], shard["sha256"])
        rows = pa.parquet.read_table(pa.BufferReader(body)).to_pylist()
        root = merkle_root([hashlib.sha256(rfc8785.dumps(row)).digest() for row in rows])
        assert (len(rows), root.hex()) == (shard["rows"], shard["root"])
        roots.append(root)
    version = dataset.manifest["merkle"]["records" if part == "shards" else "rejects"]
    assert roots or part == "rejects"
    assert merkle_root(roots).hex() == version or (not roots and not version)


def test_shards_have_one_schema_statistics_and_footer_keys(dataset):
    for shard in dataset.manifest["shards"]:
        with dataset.arrow_fs.open_input_file(dataset.path(shard)) as f:
            parquet = pa.parquet.ParquetFile(f)
            assert parquet.schema_arrow.remove_metadata() == dataset.schema
            keys = parquet.metadata.metadata
            assert keys[b"retort.run"].decode() == shard["run"]
            assert keys[b"retort.format"].decode() == dataset.manifest["layout"]
            assert b"retort.generation" in keys
            for group in range(parquet.num_row_groups):
                columns = [parquet.metadata.row_group(group).column(c) for c in range(len(parquet.schema))]
                assert all(c.compression == "ZSTD" for c in columns)
                assert all(c.is_stats_set for c in columns)


def test_rejects_have_their_reasons(dataset):
    for shard in dataset.manifest.get("rejects") or []:
        table = read_shard(dataset, shard)
        assert table.schema.remove_metadata() == pa.schema([*dataset.schema, *REASONS])
        assert table["reason"].null_count == 0


def test_pyarrow_dataset(dataset, truth):
    opened = pa.dataset.dataset([dataset.path(s) for s in dataset.manifest["shards"]], filesystem=dataset.arrow_fs, format="parquet")
    assert opened.schema.remove_metadata() == dataset.schema
    assert opened.count_rows() == dataset.rows
    same_rows(opened.to_table().to_pylist(), truth)


def load(dataset, **options):
    return datasets.load_dataset("parquet", data_files=dataset.urls(), split="train", storage_options=dataset.storage_options(), **options)


def expected_features(dataset):
    return datasets.Features.from_arrow_schema(dataset.schema)


def test_datasets(dataset, truth):
    loaded = load(dataset)
    assert loaded.features == expected_features(dataset)
    assert loaded.num_rows == dataset.rows
    same_rows(loaded.to_list(), truth)


def test_datasets_takes_the_features_from_the_footer(dataset):
    """Not from the Arrow schema: the key must be one that the library itself understands."""
    shard = dataset.manifest["shards"][0]
    with dataset.arrow_fs.open_input_file(dataset.path(shard)) as f:
        footer = pa.parquet.read_schema(f).metadata[b"huggingface"]
    assert datasets.Features.from_dict(json.loads(footer)["info"]["features"]) == expected_features(dataset)


def test_datasets_streaming(dataset, truth):
    streamed = load(dataset, streaming=True)
    assert streamed.features == expected_features(dataset)
    same_rows(list(streamed), truth)


def test_datasets_splits(dataset):
    files = {}
    for shard in dataset.manifest["shards"]:
        files.setdefault(shard.get("split") or "train", []).append(shard)
    loaded = datasets.load_dataset("parquet", data_files={k: [dataset.url(s) for s in v] for k, v in files.items()},
                                   storage_options=dataset.storage_options())
    assert loaded.num_rows == {k: sum(s["rows"] for s in v) for k, v in files.items()}


@pytest.fixture(scope="module")
def duck(dataset):
    connection = duckdb.connect()
    connection.execute("SET autoinstall_known_extensions = false")
    if dataset.remote:
        connection.register_filesystem(dataset.fsspec)
    yield connection
    connection.close()


def test_duckdb(dataset, truth, duck):
    table = duck.sql("SELECT * FROM read_parquet($files)", params={"files": dataset.urls()}).to_arrow_table()
    assert table.schema.remove_metadata() == dataset.schema
    same_rows(table.to_pylist(), truth)


def scan(dataset):
    options = {"aws_endpoint_url": dataset.endpoint, "aws_access_key_id": dataset.key, "aws_secret_access_key": dataset.secret,
               "aws_region": dataset.region, "aws_allow_http": "true"} if dataset.remote else None
    return polars.scan_parquet(dataset.urls(), storage_options=options)


def test_polars(dataset, truth):
    frame = scan(dataset).collect()
    assert frame.schema == polars.from_arrow(dataset.schema.empty_table()).schema
    same_rows(frame.to_dicts(), truth)


def test_pandas(dataset, truth):
    options = dataset.storage_options() or None
    frame = pandas.concat([pandas.read_parquet(url, dtype_backend="pyarrow", storage_options=options) for url in dataset.urls()],
                          ignore_index=True)
    assert {name: dtype.pyarrow_dtype for name, dtype in frame.dtypes.items()} == dict(zip(dataset.schema.names, dataset.schema.types))
    rows = [{k: None if v is pandas.NA else with_lists(v) for k, v in row.items()} for row in frame.to_dict("records")]
    same_rows(rows, truth)


FILTERS = [
    ("reasoning IS NULL", lambda r: r["reasoning"] is None),
    ("reasoning IS NOT NULL", lambda r: r["reasoning"] is not None),
    ("generation IS NULL", lambda r: r["generation"] is None),
    ("generation = 2", lambda r: r["generation"] == 2),
    ("teacher = 'qwen'", lambda r: r["teacher"] == "qwen"),
    ("output_tokens > 1000", lambda r: (r["output_tokens"] or 0) > 1000),
    ("input_tokens IS NULL", lambda r: r["input_tokens"] is None),
    ("signals IS NULL", lambda r: r["signals"] is None),
]


@pytest.mark.parametrize("where, holds", FILTERS, ids=[where for where, _ in FILTERS])
def test_filters_find_what_is_there(dataset, truth, duck, where, holds):
    """Readers skip row groups by statistics; wrong ones would lose rows without a word."""
    want = sum(map(holds, truth))
    assert duck.execute(f"SELECT count(*) FROM read_parquet(?) WHERE {where}", [dataset.urls()]).fetchone()[0] == want
    assert scan(dataset).filter(polars.sql_expr(where)).collect().height == want
    opened = pa.dataset.dataset([dataset.path(s) for s in dataset.manifest["shards"]], filesystem=dataset.arrow_fs, format="parquet")
    assert opened.count_rows(filter=arrow_filter(where)) == want


def arrow_filter(where):
    name, _, condition = where.partition(" ")
    field = pa.dataset.field(name)
    if condition == "IS NULL":
        return field.is_null()
    if condition == "IS NOT NULL":
        return field.is_valid()
    sign, _, value = condition.partition(" ")
    value = value.strip("'") if value.startswith("'") else int(value)
    return field == value if sign == "=" else field > value


def test_row_groups_are_even(dataset):
    for shard in dataset.manifest["shards"]:
        with dataset.arrow_fs.open_input_file(dataset.path(shard)) as f:
            metadata = pa.parquet.ParquetFile(f).metadata
        groups = [metadata.row_group(g).num_rows for g in range(metadata.num_row_groups)]
        assert sum(groups) == shard["rows"]
        assert all(rows <= math.ceil(1.5 * groups[0]) for rows in groups)
