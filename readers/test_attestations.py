"""Checks signatures with tools that know nothing of Retort: securesystemslib for DSSE, in-toto's own library for statements.

RETORT_DATASET as for test_readers.py. RETORT_PUBLIC_KEY names the public key (PEM); where it isn't set, public.pem beside the dataset's folder.
"""

import copy
import json
import os
import hashlib

import fsspec
import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from google.protobuf import json_format
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey


class Signed:
    """The versions of a dataset with their attestations."""

    def __init__(self, location):
        remote = location.startswith("s3://")
        options = {"client_kwargs": {"endpoint_url": os.environ["AWS_ENDPOINT_URL"]}} if remote else {}
        self.fs = fsspec.filesystem("s3" if remote else "file", **options)
        self.root = location.removeprefix("s3://").rstrip("/")
        key = os.environ.get("RETORT_PUBLIC_KEY") or os.path.join(os.path.dirname(self.root), "public.pem")
        self.public = load_pem_public_key(open(key, "rb").read())
        names = sorted(n for n in self.fs.ls(f"{self.root}/_versions", detail=False) if n.endswith(".json"))
        self.manifests = [self.fs.cat_file(n) for n in names]

    def attestation(self, manifest):
        return json.loads(self.fs.cat_file(f"{self.root}/_attestations/{hashlib.sha256(manifest).hexdigest()}.json"))


@pytest.fixture(scope="module")
def signed():
    return Signed(os.environ["RETORT_DATASET"])


def key_for(public, envelope):
    (keyid,) = envelope.signatures
    return SSlibKey.from_crypto(public, keyid=keyid)


def test_every_version_is_signed(signed):
    assert signed.manifests
    for manifest in signed.manifests:
        envelope = Envelope.from_dict(signed.attestation(manifest))
        assert envelope.payload_type == "application/vnd.in-toto+json"
        assert envelope.verify([key_for(signed.public, envelope)], 1)


def test_the_payload_is_an_in_toto_statement_about_the_manifest(signed):
    for manifest in signed.manifests:
        payload = json.loads(Envelope.from_dict(signed.attestation(manifest)).payload)
        proto = json_format.ParseDict(payload, statement_pb2.Statement())
        Statement.copy_from_pb(proto).validate()
        (subject,) = payload["subject"]
        said, m = payload["predicate"], json.loads(manifest)
        assert subject["digest"]["sha256"] == hashlib.sha256(manifest).hexdigest()
        assert subject["name"].endswith(f"_versions/{m['version']:06d}.json")
        for name in ("dataset", "version", "run", "counts", "merkle"):
            assert said[name] == m[name], name
        assert said["rows"] == sum(s["rows"] for s in m["shards"])


def test_manifests_are_canonical_and_a_chain(signed):
    digests = {json.loads(m)["version"]: hashlib.sha256(m).hexdigest() for m in signed.manifests}
    for manifest in signed.manifests:
        m = json.loads(manifest)
        assert rfc8785.dumps(m) == manifest
        assert m.get("parent_digest") == digests.get(m.get("parent"))


def test_what_was_changed_or_signed_by_another_is_refused(signed):
    good = signed.attestation(signed.manifests[-1])
    envelope = Envelope.from_dict(copy.deepcopy(good))
    other = Ed25519PrivateKey.generate().public_key()
    with pytest.raises(VerificationError):
        envelope.verify([key_for(other, envelope)], 1)
    envelope.payload = envelope.payload.replace(b'"version":', b'"Version":')
    with pytest.raises(VerificationError):
        envelope.verify([key_for(signed.public, envelope)], 1)
