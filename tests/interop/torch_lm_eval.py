"""lucie-eval's tasks against EleutherAI's lm-evaluation-harness: the same questions, put to the exported model.

With a folder as argument it also writes golden.json there, which tests/cli/tasks.bats compares with:

    build/torch-venv/bin/pip install -r tests/interop/requirements-torch.txt
    LUCIE_SRC=$PWD LUCIE_BUILD=$PWD/build/release build/torch-venv/bin/python tests/interop/torch_lm_eval.py tests/data/tasks
"""

import json
import os
import subprocess
import sys
import tempfile

os.environ["HF_DATASETS_OFFLINE"] = os.environ["HF_HUB_OFFLINE"] = "1"
import lm_eval
import torch
from lm_eval.tasks import TaskManager

BIN = os.path.join(os.environ["LUCIE_BUILD"], "bin")
DATA = os.path.join(os.environ["LUCIE_SRC"], "tests/data")
# Of lucie-eval's metrics, by the harness's task that has them.
METRICS = {
    "choices": {"choices": ("acc", "acc_norm", "acc_bytes"), "choices_likelihood": ("perplexity",)},
    "texts": {"texts": ("exact_match",), "texts_likelihood": ("perplexity",)},
}
done = 0


def ok(name, passed, why=""):
    global done
    done += 1
    print(f"{'ok' if passed else 'not ok'} {done} - {name}")
    if why:
        print(f"# {why}")


def make_model():
    """The model of tests/cli/tasks.bats: the same commands."""
    subprocess.run(["bash", "-ec", ". $LUCIE_SRC/tests/cli/fixtures.bash; fixtures answering"], check=True)


def ours(*args):
    tool = os.path.join(BIN, "lucie-eval")
    tasks = [word for task in METRICS for word in ("--task", os.path.join(DATA, "tasks", f"{task}.jsonl"))]
    return json.loads(subprocess.run([tool, "-q", "--json", *tasks, *args, "answering"], check=True, stdout=subprocess.PIPE).stdout)


def theirs():
    subprocess.run([os.path.join(BIN, "lucie-export"), "-q", "--dtype", "f32", "-o", "exported", "answering"], check=True)
    os.makedirs("yaml", exist_ok=True)
    for name in os.listdir(os.path.join(DATA, "tasks")):
        if name.endswith(".yaml"):
            text = open(os.path.join(DATA, "tasks", name)).read().replace("$DATA", DATA)
            open(os.path.join("yaml", name), "w").write(text)
    # Whole documents: the harness puts the begin token before them itself, and again if it is to be added.
    names = [name for task in METRICS.values() for name in task]
    return {**evaluate(names, True), **evaluate(["documents"], False)}


def evaluate(names, add_bos_token):
    return lm_eval.simple_evaluate(
        model="hf",
        # The cache of logits takes one continuation for another where two contexts are the beginning of one text (0.4.13).
        model_args={"pretrained": "exported", "dtype": "float32", "add_bos_token": add_bos_token, "logits_cache": False},
        tasks=names,
        task_manager=TaskManager(include_path="yaml", include_defaults=False),
        device="cpu",
        batch_size=4,
        bootstrap_iters=2,
    )["results"]


def main():
    torch.set_num_threads(1)
    make_model()
    a, b, golden = ours()["results"], theirs(), {}
    for task, parts in METRICS.items():
        for part, metrics in parts.items():
            for metric in metrics:
                mine = a[task][f"{metric},none"]
                key = next(k for k in b[part] if k.startswith(f"{metric},"))
                golden.setdefault(task, {})[metric] = b[part][key]
                off = abs(mine - b[part][key]) / abs(b[part][key] or 1)
                ok(f"{task}: {metric}", off < 1e-6, f"{mine} and {b[part][key]}")
                error = b[part].get(key.replace(",", "_stderr,"))
                if isinstance(error, float) and metric != "perplexity":
                    golden[task][f"{metric}_stderr"] = error
                    mine = a[task][f"{metric}_stderr,none"]
                    ok(f"{task}: {metric}, standard error", abs(mine - error) < 1e-9, f"{mine} and {error}")
    text = json.loads(subprocess.run([os.path.join(BIN, "lucie-eval"), "-q", "--json", "--windows", "document", "answering",
        "a.jsonl", "b.jsonl"], check=True, stdout=subprocess.PIPE).stdout)
    mine, golden["documents"] = text["all"]["bits_per_byte"], {"bits_per_byte": b["documents"]["bits_per_byte,none"]}
    off = abs(mine / b["documents"]["bits_per_byte,none"] - 1)
    ok("documents: bits per byte", off < 1e-6, f"{mine} and {b['documents']['bits_per_byte,none']}")
    ok("batches change nothing", ours("--batch", "1")["results"] == a == ours("--batch", "64", "-j", "1")["results"])
    print(f"1..{done}")
    return golden


if __name__ == "__main__":
    target = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else None
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        result = main()
        if target:
            with open(os.path.join(target, "golden.json"), "w") as f:
                json.dump(result, f, indent=1)
                f.write("\n")
        os.chdir("/")
