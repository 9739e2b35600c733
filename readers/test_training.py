"""Opens the dataset of test_readers.py with what people train with: PySpark, torch's DataLoader over datasets, Ray Data, and
TRL's own checks of formats. Each is run where it is installed, and says so where it isn't. `make readers` runs it.
"""

import os
import shutil

from test_papers import copy  # noqa: F401 (fixture)
from test_readers import dataset, load, same_rows, truth  # noqa: F401 (fixtures)

import pytest


def needs(module):
    try:
        return pytest.importorskip(module)
    except pytest.skip.Exception:
        pytest.skip(f"NOT RUN: {module} is not installed (readers/requirements-training.txt)")


SPARK_TYPES = {"string": "string", "int32": "int", "int64": "bigint", "double": "double"}


def spark_type(arrow):
    if str(arrow).startswith("list"):
        fields = ",".join(f"{f.name}:{SPARK_TYPES[str(f.type)]}" for f in arrow.value_type)
        return f"array<struct<{fields}>>"
    return SPARK_TYPES[str(arrow)]


def test_pyspark(dataset, copy, truth):
    """Of a copy: its S3 client is a download of half a gigabyte of its own."""
    needs("pyspark")
    if not shutil.which("java"):
        pytest.skip("NOT RUN: PySpark needs Java 17 or newer, and there is no `java`")
    from pyspark.sql import SparkSession

    spark = (SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").config("spark.driver.memory", "2g")
             .config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1").getOrCreate())
    try:
        files = [str(copy / "data" / os.path.basename(s["key"])) for s in dataset.manifest["shards"]]
        frame = spark.read.parquet(*files)
        assert {f.name: f.dataType.simpleString() for f in frame.schema} == {f.name: spark_type(f.type) for f in dataset.schema}
        rows = {row["id"]: row.asDict(recursive=True) for row in frame.collect()}
        assert len(rows) == frame.count() == len(truth)
        same_rows([rows[row["id"]] for row in truth], truth)
    finally:
        spark.stop()


@pytest.mark.parametrize("workers", [0, 2])
def test_torch_dataloader_over_datasets(dataset, truth, workers):
    torch = needs("torch")
    loader = torch.utils.data.DataLoader(load(dataset), batch_size=64, shuffle=True, num_workers=workers, collate_fn=list)
    rows = {row["id"]: row for batch in loader for row in batch}
    assert len(rows) == len(truth)
    same_rows([rows[row["id"]] for row in truth], truth)


def test_torch_dataloader_over_a_stream(dataset, truth):
    torch = needs("torch")
    loader = torch.utils.data.DataLoader(load(dataset, streaming=True), batch_size=64, num_workers=2, collate_fn=list)
    seen = [row["id"] for batch in loader for row in batch]
    assert sorted(seen) == sorted(row["id"] for row in truth)


def test_ray_data(dataset, truth):
    ray = needs("ray")
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, ignore_reinit_error=True)
    try:
        read = ray.data.read_parquet([dataset.path(s) for s in dataset.manifest["shards"]], filesystem=dataset.arrow_fs)
        assert dict(zip(read.schema().names, read.schema().types)) == dict(zip(dataset.schema.names, dataset.schema.types))
        rows = {row["id"]: row for row in read.take_all()}
        assert len(rows) == len(truth)
        same_rows([rows[row["id"]] for row in truth], truth)
    finally:
        ray.shutdown()


TEMPLATE = "{% for m in messages %}<{{ m.role }}>{{ m.content }}</{{ m.role }}>{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}"


def tokenizer():
    """A tokenizer of a few words that has a chat template; nothing is downloaded."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = Tokenizer(models.WordLevel({"[UNK]": 0, "is": 1}, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(tokenizer_object=words, unk_token="[UNK]", chat_template=TEMPLATE)


def test_trl_formats(dataset, truth):
    """Its documented types: `messages` is language modelling, `prompt` with `completion` is what SFT masks; both conversational."""
    needs("trl")
    from trl import apply_chat_template, is_conversational

    layout = dataset.manifest["layout"]
    columns = {"messages": ["messages"], "prompt-completion": ["prompt", "completion"], "text": ["text"]}[layout]
    loaded = load(dataset).select_columns(columns)
    words = tokenizer()
    for row in loaded.select(range(0, len(loaded), max(1, len(loaded) // 500))):
        if not all(row.values()):
            continue  # a human text may stand without a prompt; TRL looks at the first message
        assert is_conversational(row) == (layout != "text")
        if layout == "text":
            continue
        got = apply_chat_template(row, words)
        said = [message for column in columns for message in row[column]]
        whole = "".join(got[name] for name in (["text"] if layout == "messages" else ["prompt", "completion"]))
        assert whole == "".join(f"<{m['role']}>{m['content']}</{m['role']}>" for m in said)
