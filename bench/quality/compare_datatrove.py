"""Compares the signals with datatrove's filters on the same texts.

    go run ./bench/quality -corpus TEXTS.jsonl -do signals > SIGNALS.jsonl
    python bench/quality/compare_datatrove.py TEXTS.jsonl SIGNALS.jsonl [N]      # needs: pip install datatrove spacy nltk
"""
import json
import sys
import time
from collections import Counter

from datatrove.data import Document
from datatrove.pipeline.filters import FineWebQualityFilter, GopherQualityFilter, GopherRepetitionFilter

GOPHER = {"dup_line_fraction": 0.3, "dup_line_chars": 0.2, "top_2gram_chars": 0.2, "top_3gram_chars": 0.18, "top_4gram_chars": 0.16,
          "dup_5gram_chars": 0.15, "dup_6gram_chars": 0.14, "dup_7gram_chars": 0.13, "dup_8gram_chars": 0.12, "dup_9gram_chars": 0.11,
          "dup_10gram_chars": 0.10}


def repetition(s):
    return all(s.get(k, 0) <= v for k, v in GOPHER.items())


def gopher(s):
    return (50 <= s["words"] <= 100_000 and 3 <= s["mean_word_length"] <= 10 and s["symbol_word_ratio"] <= 0.1
            and s["ellipsis_word_ratio"] <= 0.1 and s["bullet_lines"] <= 0.9 and s["ellipsis_lines"] <= 0.3
            and s["alpha_words"] >= 0.8 and s["stop_words"] >= 2)


def fineweb(s):
    return (s["punct_lines"] >= 0.12 and s["short_lines"] <= 0.67 and s["dup_char_lines"] <= 0.01 and s["newline_ratio"] <= 0.3)


def main():
    n = int(sys.argv[3]) if len(sys.argv) > 3 else 2000
    texts = [json.loads(l)["text"] for l in open(sys.argv[1], encoding="utf-8")][:n]
    signals = [json.loads(l) for l in open(sys.argv[2], encoding="utf-8")][:n]
    for name, f, mine in (("repetition", GopherRepetitionFilter(), repetition), ("quality", GopherQualityFilter(), gopher),
                          ("fineweb", FineWebQualityFilter(), fineweb)):
        start, cpu = time.time(), time.process_time()
        theirs = [f.filter(Document(text=t, id=str(i))) for i, t in enumerate(texts)]
        cpu = time.process_time() - cpu
        kept = [x is True for x in theirs]
        differ = [i for i in range(len(texts)) if kept[i] != mine(signals[i])]
        why = Counter(f"theirs {theirs[i] if theirs[i] is True else theirs[i][1]}" for i in differ)
        print(f"{name}: {len(texts) / cpu:.0f} texts a CPU second, {len(texts) - sum(kept)} dropped, verdicts agree on "
              f"{100 * (1 - len(differ) / len(texts)):.2f}% {dict(why)}")
        for i in differ[:int(sys.argv[4]) if len(sys.argv) > 4 else 0]:
            print("   ", i, theirs[i], {k: round(v, 3) for k, v in signals[i].items() if v}, texts[i][:100])


main()
