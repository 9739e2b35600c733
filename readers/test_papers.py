"""Holds a dataset's card and croissant.json against the public libraries that read them: huggingface_hub, datasets on a copy of
the folder as somebody would have it who downloaded it, and mlcroissant. The dataset is the one of test_readers.py.
"""

import hashlib
import os
import pathlib

from test_readers import dataset, expected_features, same_rows, truth  # noqa: F401 (fixtures)

import datasets
import huggingface_hub
import mlcroissant
import pytest
import yaml


@pytest.fixture(scope="module")
def copy(dataset, tmp_path_factory):
    """The dataset's folder without what begins with an underscore, on this machine."""
    folder = tmp_path_factory.mktemp("copy")
    for name in ("README.md", "croissant.json"):
        (folder / name).write_bytes(dataset.fsspec.cat_file(f"{dataset.root}/{name}"))
    (folder / "data").mkdir()
    for path in dataset.fsspec.ls(f"{dataset.root}/data", detail=False):
        (folder / "data" / os.path.basename(path)).write_bytes(dataset.fsspec.cat_file(path))
    return folder


def by_split(dataset):
    rows = {}
    for shard in dataset.manifest["shards"]:
        rows[shard.get("split") or "train"] = rows.get(shard.get("split") or "train", 0) + shard["rows"]
    return rows


def in_splits(dataset, truth):
    """The rows by split, in the order of the manifest."""
    rows, at = {}, 0
    for shard in dataset.manifest["shards"]:
        rows.setdefault(shard.get("split") or "train", []).extend(truth[at:at + shard["rows"]])
        at += shard["rows"]
    return rows


def test_cards_yaml_through_huggingface_hub(dataset, copy):
    card = huggingface_hub.DatasetCard.load(copy / "README.md")
    data = card.data
    assert isinstance(data, huggingface_hub.DatasetCardData)
    assert data.license == dataset.manifest.get("license", "unknown").lower()
    assert "synthetic" in data.tags
    assert data.pretty_name == dataset.manifest["dataset"]
    assert len(data.size_categories) == 1
    listed = [path for file in data.configs[0]["data_files"] for path in file["path"]]
    assert listed == [s["key"][s["key"].rindex("data/"):] for split in by_split(dataset)
                      for s in dataset.manifest["shards"] if (s.get("split") or "train") == split]
    again = huggingface_hub.DatasetCardData(**yaml.safe_load(data.to_yaml()))
    assert again.to_dict() == data.to_dict()
    assert data.to_dict()["retort"]["version"] == dataset.manifest["version"]
    assert card.text.strip()


def test_cards_configs_on_a_copy(dataset, copy, truth):
    loaded = datasets.load_dataset(str(copy))
    assert loaded.num_rows == by_split(dataset)
    for split, rows in in_splits(dataset, truth).items():
        assert loaded[split].features == expected_features(dataset)
        same_rows(loaded[split].to_list(), rows)


def test_cards_configs_streaming(dataset, copy, truth):
    streamed = datasets.load_dataset(str(copy), streaming=True)
    for split, rows in in_splits(dataset, truth).items():
        same_rows(list(streamed[split]), rows)


def test_croissant_through_mlcroissant(dataset, copy, truth):
    croissant = mlcroissant.Dataset(jsonld=copy / "croissant.json")
    issues = croissant.metadata.ctx.issues
    assert not issues.errors and not issues.warnings
    assert croissant.metadata.ctx.is_v1_1()
    files = {f.content_url: f.sha256 for f in croissant.metadata.distribution if isinstance(f, mlcroissant.FileObject)}
    assert files == {s["key"][s["key"].rindex("data/"):]: s["sha256"] for s in dataset.manifest["shards"]}
    for path, digest in files.items():
        assert hashlib.sha256((pathlib.Path(copy) / path).read_bytes()).hexdigest() == digest
    for split, rows in in_splits(dataset, truth).items():
        records = list(croissant.records(split))
        assert len(records) == len(rows)
        want = {row["id"]: row for row in rows}
        for record in records[::max(1, len(records) // 500)]:
            same_record(record, want[text(record[f"{split}/id"])], split)


def text(value):
    return value.decode() if isinstance(value, bytes) else value


def same_record(record, row, split):
    """mlcroissant names fields by their ids, gives text as bytes, and can't tell an empty list from a null."""
    for name, want in row.items():
        got = record[f"{split}/{name}"]
        if isinstance(want, list) or name in ("messages", "prompt", "completion", "signals"):
            parts = [{key.rsplit("/", 1)[1]: text(value) for key, value in part.items()} for part in got]
            assert parts == (want or []) or (not want and all(v is None for part in parts for v in part.values()))
        else:
            assert text(got) == want
