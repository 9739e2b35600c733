"""Asks the same test teacher the same prompts with Retort and with other tools, and prints a table.

compare.py ENVIRONMENTS BIN [--only a,b] [--short]: ENVIRONMENTS has a virtual environment for each tool, BIN Retort's programs.
"""
import argparse
import glob
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
TOOLS = {  # name → (script, distribution)
    "curator": ("curator.py", "bespokelabs-curator"),
    "datadesigner": ("data_designer_run.py", "data-designer"),
    "distilabel": ("distilabel_run.py", "distilabel"),
    "asyncio": ("asyncio_client.py", "openai"),
}
AT_ONCE = 64


class Teacher:
    """The test teacher, which counts what it is asked."""

    def __init__(self, bin_dir, folder, latency_ms, limited=0.0, errors=0.0):
        ready = os.path.join(folder, "teacher.ready")
        self.process = subprocess.Popen(
            [os.path.join(bin_dir, "retort-local"), "teacher", "--port", "0", "--ready-file", ready, "--latency", f"{latency_ms}ms",
             "--429", str(limited), "--500", str(errors), "--set", '{"max_words": 230}'], stdout=subprocess.DEVNULL)
        while not os.path.exists(ready):
            if self.process.poll() is not None:
                raise RuntimeError("the test teacher ended")
            time.sleep(0.02)
        time.sleep(0.1)
        found = json.load(open(ready))
        self.base = found.get("base_url") or found["url"]

    def stats(self):
        with urllib.request.urlopen(self.base.removesuffix("/v1") + "/stats") as reply:
            return json.load(reply)

    def stop(self):
        self.process.kill()
        self.process.wait()


def when(text):
    from datetime import datetime
    return datetime.fromisoformat(text[:26].rstrip("Z") + "+00:00").timestamp()


def tree_mb(pid):
    """Resident memory of a process and all below it."""
    total, pending = 0, [pid]
    while pending:
        p = pending.pop()
        try:
            with open(f"/proc/{p}/statm") as f:
                total += int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
            for t in os.listdir(f"/proc/{p}/task"):
                with open(f"/proc/{p}/task/{t}/children") as f:
                    pending += [int(c) for c in f.read().split()]
        except (FileNotFoundError, ProcessLookupError):
            pass
    return total / 2**20


def token_table(envs):
    """tiktoken downloads its table from a host that a closed network doesn't reach; LiteLLM, which Curator brings, has it in its package."""
    found = glob.glob(os.path.join(envs, "curator", "lib", "python*", "site-packages", "litellm", "litellm_core_utils", "tokenizers"))
    return {"TIKTOKEN_CACHE_DIR": found[0]} if found else {}


class Run:
    """One start of a tool's script, in a process group of its own."""

    def __init__(self, envs, tool, base, prompts, out, again=False):
        script, _ = TOOLS[tool]
        self.log = open(os.path.join(out, "log.txt"), "ab")
        self.started = time.time()
        env = {**os.environ, **({"AGAIN": "1"} if again else {}), **token_table(envs)}
        self.process = subprocess.Popen([os.path.join(envs, tool, "bin", "python"), os.path.join(HERE, script), base, prompts, out],
                                        stdout=subprocess.PIPE, stderr=self.log, start_new_session=True, cwd=out, env=env)
        self.peak, self.done = 0.0, threading.Event()
        threading.Thread(target=self.watch, daemon=True).start()

    def watch(self):
        while not self.done.wait(0.1):
            self.peak = max(self.peak, tree_mb(self.process.pid))

    def kill(self):
        os.killpg(self.process.pid, signal.SIGKILL)

    def end(self, seconds):
        """Waits; returns rows, CPU seconds of the whole tree, or what went wrong."""
        timer = threading.Timer(seconds, self.kill)
        timer.start()
        printed = self.process.stdout.read()
        _, status, usage = os.wait4(self.process.pid, 0)
        self.process.returncode = status
        hung = not timer.is_alive()
        timer.cancel()
        self.done.set()
        self.wall = time.time() - self.started
        try:
            os.killpg(self.process.pid, signal.SIGKILL)  # what it left behind
        except ProcessLookupError:
            pass
        self.cpu = usage.ru_utime + usage.ru_stime
        last = printed.decode(errors="replace").strip().splitlines()[-1:]
        self.rows = json.loads(last[0])["rows"] if last and last[0].startswith("{") else None
        self.problem = f"hung for {seconds} s" if hung else f"ended with {status}" if status else None


def write_prompts(folder, n):
    path = os.path.join(folder, "prompts.jsonl")
    with open(path, "w") as f:
        for i in range(n):
            f.write(json.dumps({"question": f"What is to be said of thing number {i}, and why does it matter to those who use it?"}) + "\n")
    return path


def measure(envs, bin_dir, tool, n, latency_ms, limited=0.0, errors=0.0, kill=False, seconds=400):
    folder = tempfile.mkdtemp(prefix="retort-peers-")
    teacher = Teacher(bin_dir, folder, latency_ms, limited, errors)
    try:
        prompts = write_prompts(folder, n)
        run = Run(envs, tool, teacher.base, prompts, folder)
        if kill:
            while teacher.stats()["answered"] < n // 2 and run.process.poll() is None:
                time.sleep(0.05)
            run.kill()
            run.end(10)
            seconds = 120
            run = Run(envs, tool, teacher.base, prompts, folder, again=True)
        run.end(seconds)
        stats = teacher.stats()
        span = when(stats["last_request"]) - when(stats["first_request"]) + latency_ms / 1000 if stats.get("last_request") else float("nan")
        return {"rows": run.rows, "wall": run.wall, "span": span, "cpu": run.cpu / n * 1000, "peak": run.peak,
                "again": stats["repeats"], "problem": run.problem, "log": os.path.join(folder, "log.txt")}
    finally:
        teacher.stop()
        if not os.environ.get("KEEP"):
            shutil.rmtree(folder, ignore_errors=True)


def retort(bin_dir, n, latency_ms, limited=0.0, errors=0.0, kill=False):
    command = [os.path.join(bin_dir, "retort-bench"), "--retort", os.path.join(bin_dir, "retort"), "--local", os.path.join(bin_dir, "retort-local"),
               "--prompts", str(n), "--latency", f"{latency_ms}ms", "--rate-limited", str(limited), "--server-error", str(errors)]
    if limited or errors:
        command.append("--no-floor")  # the bare loop gives up at the first fault
    made = json.loads(subprocess.run(command + (["--kill"] if kill else []), stdout=subprocess.PIPE, check=True).stdout)
    counts = made["runs"][0]["final_status"]["counts"]
    decided = counts["admitted"] + sum(counts["rejected"].values())
    return ({"rows": decided, "wall": made["kill"]["complete_after_s"] if kill else made["wall_s"], "span": made["span_s"],
             "cpu": made["cpu_s_per_1000_without_teacher"], "peak": sum(v for k, v in made["peak_mb"].items() if k != "teacher"),
             "worker": made["peak_mb"]["worker"], "again": made["asked_again"], "problem": None}, made.get("floor"))


def row(name, n, latency_ms, r, whole=True):
    rate = n / r["wall"]
    ideal = n / AT_ONCE * latency_ms / 1000
    share = f"{ideal / r['span']:.3f} | {ideal / r['wall']:.3f}" if latency_ms and whole else "– | –"
    rows = f"{r['rows']:,}" if r["rows"] is not None else "none"
    problem = r["problem"] or ""
    print(f"| {name} | {rows} | {rate:,.0f} | {share} | {r['cpu']:.2f} | {r['peak']:,.0f} | {r['again']:,} | {problem} |", flush=True)


def main():
    parse = argparse.ArgumentParser()
    parse.add_argument("envs")
    parse.add_argument("bin")
    parse.add_argument("--only", default=",".join(["retort", *TOOLS]))
    parse.add_argument("--short", action="store_true", help="a tenth of the prompts")
    parse.add_argument("--cases", default="fast,slow,faults,kill")
    args = parse.parse_args()
    only = args.only.split(",")
    args.bin, args.envs = os.path.abspath(args.bin), os.path.abspath(args.envs)
    shrink = 10 if args.short else 1
    print(f"{time.strftime('%Y-%m-%d %H:%M')}, {platform.system()} on {os.cpu_count()} cores, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}")
    for tool in (t for t in TOOLS if t in only):
        python = os.path.join(args.envs, tool, "bin", "python")
        if not os.path.exists(python):
            print(f"- {tool}: isn't installed, so it isn't measured")
            continue
        said = subprocess.run([python, "-c", f"import importlib.metadata as m; print(m.version('{TOOLS[tool][1]}'))"], capture_output=True, text=True)
        print(f"- {tool}: {TOOLS[tool][1]} {said.stdout.strip()}")
    cases = {"fast": (20_000, 0, {}), "slow": (6_400, 200, {}), "faults": (2_000, 200, {"limited": 0.05, "errors": 0.02}), "kill": (2_000, 200, {"kill": True})}
    titles = {"fast": "0 ms", "slow": "200 ms", "faults": "200 ms, 5% 429 with Retry-After 1, 2% 500",
              "kill": "200 ms, kill -9 half-way and started again; wall is from the second start"}
    for case in args.cases.split(","):
        n, latency, how = cases[case]
        n //= shrink
        print(f"\n### {n:,} prompts, {titles[case]}, {AT_ONCE} at once\n")
        print("| | rows | prompts/s, wall | of ideal, span | of ideal, wall | CPU s for 1,000 | peak MB, all processes | asked again | |")
        print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |", flush=True)
        if "retort" in only:
            r, floor = retort(args.bin, n, latency, **how)
            if floor and case in ("fast", "slow"):
                share = f"– | {floor['ideal_share_wall']:.3f}" if latency else "– | –"
                print(f"| bare loop, keeps nothing | {n:,} | {floor['rows_per_s']:,.0f} | {share} | – | – | 0 | |")
            row(f"Retort (worker {r['worker']:.0f} MB, Temporal, S3)", n, latency, r, case != "kill")
        for tool in TOOLS:
            if tool in only and os.path.exists(os.path.join(args.envs, tool, "bin", "python")):
                seconds = 600 if "limited" in how else 400  # one tool slows down for minutes after a 429
                row(tool, n, latency, measure(args.envs, args.bin, tool, n, latency, seconds=seconds, **how), case != "kill")


if __name__ == "__main__":
    sys.exit(main())
