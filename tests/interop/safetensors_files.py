"""The files of the trainer read by Hugging Face's safetensors, and the other way round."""

import json
import os
import subprocess
import sys
import tempfile

import numpy as np
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

BIN = os.path.join(os.environ["LUCIE_BUILD"], "bin")
INI = """
[model]
preset = tiny
vocab = 50
[data]
train = shard
[train]
steps = 2
context = 8
micro_batch = 2
global_batch = 2
"""
done = 0


def ok(name, passed, why=""):
    global done
    done += 1
    print(f"{'ok' if passed else 'not ok'} {done} - {name}")
    if not passed and why:
        print(f"# {why}")


def tool(name, *args, check=True):
    return subprocess.run([os.path.join(BIN, name), *args], check=check, capture_output=True, text=True)


def make_shard():
    docs = [[0, *range(4, 4 + n), 1] for n in (9, 20, 3, 30)]
    lengths = np.array([len(d) for d in docs], "<i4")
    offsets = np.array([0, *np.cumsum(2 * lengths)[:-1]], "<i8")
    np.concatenate([np.array(d, "<u2") for d in docs]).tofile("shard.bin")
    with open("shard.idx", "wb") as f:
        f.write(b"MMIDIDX\0\0" + np.array([1], "<u8").tobytes() + b"\x08")
        f.write(np.array([len(docs), len(docs) + 1], "<u8").tobytes())
        f.write(lengths.tobytes() + offsets.tobytes())
        f.write(np.arange(len(docs) + 1).astype("<i8").tobytes())


def bf16(x):
    """Round to nearest even to bfloat16, as float32."""
    u = x.astype("<f4").view("<u4").astype("u8")
    return (((u + 0x7FFF + (u >> 16 & 1)) >> 16) << 16).astype("<u4").view("<f4")


def main():
    make_shard()
    with open("run.ini", "w") as f:
        f.write(INI)
    tool("lucie-train", "-q", "-c", "run.ini", "-o", "run")

    master = load_file("run/latest/weights.safetensors")
    manifest = json.load(open("run/latest/manifest.json"))
    count = sum(t.size for t in master.values())
    ok("a checkpoint opens", count == manifest["parameters"], f"{count} parameters")
    ok("its tensors are fp32", all(t.dtype == np.float32 for t in master.values()))
    q = "model.layers.1.self_attn.q_proj.weight"
    ok("under Hugging Face's names and shapes", master[q].shape == (64, 64)
       and master["model.layers.0.self_attn.k_proj.weight"].shape == (32, 64)
       and master["lm_head.weight"].shape == (50, 64))
    moments = load_file("run/latest/adam-v.safetensors")
    ok("so do the moments", moments.keys() == master.keys() and all((m >= 0).all() for m in moments.values()))

    tool("lucie-export", "--dtype", "f32", "-o", "f32", "run")
    same = load_file("f32/model.safetensors")
    ok("an fp32 export has the same values", all((same[k] == master[k]).all() for k in master))
    tool("lucie-export", "--max-shard", "100K", "-o", "pieces", "run")
    index = json.load(open("pieces/model.safetensors.index.json"))["weight_map"]
    good, files = index.keys() == master.keys(), set(index.values())
    for name in files:
        with safe_open(os.path.join("pieces", name), "np") as f:
            good = good and f.metadata() == {"format": "pt"}
            good = good and set(f.keys()) == {k for k in index if index[k] == name}
            good = good and all(f.get_slice(k).get_dtype() == "BF16" for k in f.keys())
    ok("a bf16 export in pieces opens", good and len(files) > 1, f"{files}")

    # Back again: what safetensors writes, in other types, is read as it was meant.
    rounded = {k: bf16(v) for k, v in master.items()}
    for name, tensors in (("half", {k: v.astype("<f2") for k, v in master.items()}),
                          ("double", {k: v.astype("<f8") for k, v in master.items()})):
        os.mkdir(name)
        subprocess.run(["cp", "f32/config.json", name], check=True)
        save_file(tensors, os.path.join(name, "model.safetensors"))
        tool("lucie-export", "--dtype", "f32", "-o", name + "-again", name)
        again = load_file(name + "-again/model.safetensors")
        ok(f"{name} precision is read", all((again[k] == tensors[k].astype("<f4")).all() for k in master))
    tool("lucie-export", "--dtype", "f32", "-o", "pieces-again", "pieces")
    again = load_file("pieces-again/model.safetensors")
    ok("bf16 is rounded to nearest even", all((again[k] == rounded[k]).all() for k in master))

    del same[q]
    save_file(same, "f32/model.safetensors")
    r = tool("lucie-export", "-o", "less", "f32", check=False)
    ok("a missing tensor is named", r.returncode == 2 and q in r.stderr and not os.path.exists("less"), r.stderr)
    print(f"1..{done}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        main()
        os.chdir("/")
    sys.exit(0)
