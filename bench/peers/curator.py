"""Bespoke Curator: its LLM over a dataset, with its cache in OUT, so that a second start goes on."""
import json
import os
import sys

base, prompts, out = sys.argv[1:4]
os.environ.update({"CURATOR_CACHE_DIR": out, "TELEMETRY_ENABLED": "false", "CURATOR_DISABLE_RICH_DISPLAY": "1",
                   "HF_HUB_OFFLINE": "1", "HF_DATASETS_CACHE": os.path.join(out, "datasets"), "OPENAI_API_KEY": "none"})

from bespokelabs import curator  # noqa: E402  (it reads the environment when imported)

rows = [json.loads(line) for line in open(prompts)]


class Answer(curator.LLM):
    def prompt(self, row):
        return row["question"]

    def parse(self, row, response):
        return {"question": row["question"], "answer": response}


llm = Answer(model_name="test-1", backend="openai", generation_params={"temperature": 0.8, "max_tokens": 400},
             backend_params={"base_url": base, "max_concurrent_requests": 64, "max_requests_per_minute": 10_000_000,
                             "max_tokens_per_minute": 10_000_000_000, "invalid_finish_reasons": [], "request_timeout": 120,
                             "api_key": "none"})
made = llm(rows)
made = getattr(made, "dataset", made)
made.to_parquet(os.path.join(out, "answers.parquet"))
print(json.dumps({"rows": len(made)}))
