"""Finds near-duplicate pairs with another library, on one thread.

    peers.py rensa|gaoya|datasketch BANDS ROWS CORPUS

Reads the corpus, then starts the clock: cutting words, sketching and searching are inside, as are the collector and the
interpreter. Writes CORPUS.found.NAME: CPU and elapsed seconds, then the pairs. Each library takes the fastest of its ways
that yields pairs; candidates below an estimated Jaccard index of .75 are left out, as a user would.
"""

import json
import os
import sys
import time

for name in ("RAYON_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"

LEAST = 0.75


def grams(text):
    """Word 5-grams, as strings."""
    w = text.lower().split()
    if len(w) < 5:
        return [" ".join(w)]
    return [" ".join(g) for g in zip(w, w[1:], w[2:], w[3:], w[4:])]


def rensa(texts, bands, rows):
    from rensa import RMinHash, RMinHashLSH

    sketches = []
    for start in range(0, len(texts), 1000):  # the n-grams of all texts at once would fill the memory
        part = [grams(t) for t in texts[start : start + 1000]]
        sketches += RMinHash.from_token_sets(part, num_perm=bands * rows, seed=42)
    lsh = RMinHashLSH(LEAST, bands * rows, bands)
    lsh.insert_many(sketches)
    for i, found in enumerate(lsh.query_all(sketches)):
        for j in found:
            if j < i and sketches[i].jaccard(sketches[j]) >= LEAST:
                yield j, i


def gaoya(texts, bands, rows):
    from gaoya.minhash import MinHashStringIndex

    index = MinHashStringIndex(32, LEAST, bands, rows, None, "word", True, (5, 5), "smallvec")
    index.par_bulk_insert_docs(list(range(len(texts))), texts)
    for i, found in enumerate(index.par_bulk_query(texts)):
        for j in found:
            if j < i:
                yield j, i


def datasketch(texts, bands, rows):
    from datasketch import MinHash, MinHashLSH

    lsh = MinHashLSH(num_perm=bands * rows, params=(bands, rows))
    sketches = []
    for i, text in enumerate(texts):
        s = MinHash(num_perm=bands * rows)
        s.update_batch([g.encode() for g in grams(text)])
        for j in lsh.query(s):
            if s.jaccard(sketches[j]) >= LEAST:
                yield j, i
        lsh.insert(i, s)
        sketches.append(s)


def main():
    name, bands, rows, path = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    with open(path, encoding="utf-8") as f:
        texts = [json.loads(line) for line in f]
    find = {"rensa": rensa, "gaoya": gaoya, "datasketch": datasketch}[name]
    __import__(name)
    cpu, wall = time.process_time(), time.perf_counter()
    pairs = list(find(texts, bands, rows))
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    with open(f"{path}.found.{name} {bands}×{rows}", "w") as out:
        print(f"# {cpu:.4f} {wall:.4f}", file=out)
        for a, b in pairs:
            print(f"{a}\t{b}", file=out)


main()
