"""distilabel: a pipeline of a loader and a text generation step, cached in OUT."""
import json
import os
import sys

base, prompts, out = sys.argv[1:4]
os.environ.update({"HF_HUB_OFFLINE": "1", "HF_DATASETS_CACHE": os.path.join(out, "datasets")})

from distilabel.models import OpenAILLM  # noqa: E402
from distilabel.pipeline import Pipeline  # noqa: E402
from distilabel.steps import LoadDataFromDicts  # noqa: E402
from distilabel.steps.tasks import TextGeneration  # noqa: E402

if __name__ == "__main__":
    rows = [{"instruction": json.loads(line)["question"]} for line in open(prompts)]
    with Pipeline(name="bench", cache_dir=os.path.join(out, "cache")) as pipeline:
        load = LoadDataFromDicts(data=rows, batch_size=640)
        answer = TextGeneration(input_batch_size=64, llm=OpenAILLM(
            model="test-1", base_url=base, api_key="none", max_retries=8, timeout=120,
            generation_kwargs={"temperature": 0.8, "max_new_tokens": 400}))
        load >> answer
    made = pipeline.run(use_cache=True)["default"]["train"]
    made.to_parquet(os.path.join(out, "answers.parquet"))
    print(json.dumps({"rows": sum(1 for a in made["generation"] if a)}))
