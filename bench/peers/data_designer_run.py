"""NVIDIA Data Designer: a seed dataset and one text column, resumed where a first start ended."""
import json
import os
import sys

base, prompts, out = sys.argv[1:4]
os.environ.update({"NEMO_TELEMETRY_ENABLED": "false", "HF_HUB_OFFLINE": "1", "DATA_DESIGNER_HOME": os.path.join(out, "home")})

import pandas  # noqa: E402
import data_designer.config as dd  # noqa: E402
from data_designer.interface import DataDesigner  # noqa: E402

rows = [json.loads(line) for line in open(prompts)]
seed = os.path.join(out, "seed.parquet")
if not os.path.exists(seed):
    pandas.DataFrame(rows).to_parquet(seed)

provider = dd.ModelProvider(name="test", endpoint=base, provider_type="openai", api_key="none")
model = dd.ModelConfig(alias="tester", model="test-1", provider="test", skip_health_check=True,
                       inference_parameters=dd.ChatCompletionInferenceParams(temperature=0.8, max_tokens=400, max_parallel_requests=64, timeout=120))
designer = DataDesigner(artifact_path=os.path.join(out, "artifacts"), model_providers=[provider])
designer.set_run_config(dd.RunConfig(otel_metrics_port=None, disable_early_shutdown=True))
config = dd.DataDesignerConfigBuilder(model_configs=[model])
config.with_seed_dataset(dd.LocalFileSeedSource(path=seed))
config.add_column(dd.LLMTextColumnConfig(name="answer", model_alias="tester", prompt="{{ question }}"))
resume = {"resume": dd.ResumeMode.IF_POSSIBLE} if os.environ.get("AGAIN") else {}
made = designer.create(config, num_records=len(rows), dataset_name="bench", **resume)
print(json.dumps({"rows": len(made.load_dataset())}))
