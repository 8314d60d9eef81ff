#!/usr/bin/env python3
"""Train random configurations in one go on one process, and again in random layouts with kills and stops:
the metrics, the checkpoints and the exports are the same bytes.

usage: random_runs.py FIRST COUNT, in the folder that nightly_random.bats sets up. A case is a function of its
number; what fails is said with the commands that were run, and its folders are left.
"""
import json, os, random, shutil, signal, subprocess, sys, time
from pathlib import Path

# Seconds until a start counts as hanging.
DEADLINE = 120


class Failed(Exception):
    pass


def divisors(n):
    return [d for d in range(1, n + 1) if n % d == 0]


def power_of_two(n):
    return n & (n - 1) == 0


class Case:
    """One configuration: its file, the phases with their settings, what is given besides."""

    def __init__(self, number, tensor):
        self.rng = r = random.Random(number)
        self.number, self.tensor = number, tensor
        self.layers = r.choice([2, 3, 4])
        self.lanes = r.choice([1, 2, 3, 4, 4, 6])
        dtype = "fp32" if tensor else r.choice(["fp32", "fp32", "bf16"])
        low = dtype == "bf16" and r.random() < 0.4
        self.tied = not low and r.random() < 0.3
        self.phases = ["p%d" % i for i in range(r.choice([1, 1, 2, 3]))]
        self.config = {
            "model.vocab": 400, "model.hidden": 32, "model.layers": self.layers, "model.heads": 4,
            "model.kv_heads": 2, "model.ffn": 64, "model.tied": "yes" if self.tied else "no",
            "data.tokenizer": "tokenizer.json", "train.dtype": dtype,
            "train.memory": "low" if low else "standard", "train.lanes": self.lanes,
            "train.seed": r.randrange(99), "train.lr": "3e-3", "train.eps": "1e-2",
            "parallel.hash_every": r.choice([0, 1, 3]), "parallel.deadline": 60,
            "checkpoint.every": r.choice([1, 2, 3, 5]), "checkpoint.keep": 0,
        }
        self.skips = []
        self.generated = False
        self.of_phase = {name: self.phase(name) for name in self.phases}

    def phase(self, name):
        r, s = self.rng, {}
        kind = r.choice(["text", "text", "chat", "dpo", "teacher"])
        micro = 2 if kind == "dpo" else r.choice([1, 2, 3])
        batch = micro * r.choice([1, 2, 3, 4, 5])
        steps = r.choice([3, 5, 8, 12])
        s["train.context"] = r.choice([16, 24, 40])
        s["train.micro_batch"], s["train.global_batch"] = micro, batch
        s["data.rows"] = "document" if kind == "dpo" else r.choice(["stream", "packed", "document"])
        s["data.shuffle"] = r.choice(["yes", "yes", "no"])
        if kind == "text":
            switch = r.randrange(1, steps * batch)
            s["data.train"] = r.choice([
                "shards/three", "shards/two", "shards/one shards/three", "shards/all.plan",
                "shards/three @ %d shards/two" % switch,
                "shards/all.plan @ %d shards/two @ %d shards/three" % (switch, switch + 5),
            ])
        elif kind == "dpo":
            s["data.train"], s["train.objective"] = "pref", "dpo"
            s["train.beta"] = r.choice([0.1, 0.5])
            s["train.length_normalized"] = r.choice(["yes", "no"])
        elif kind == "chat":
            s["data.train"] = r.choice(["chat", "chat shards/one"])
        else:
            s["data.train"], s["train.teacher"] = "shards/one", "big"
            s["train.teacher_weight"] = r.choice([0.3, 1])
        if kind != "dpo" and r.random() < 0.4:
            s["data.goldfish"] = r.choice([2, 3, 7])
        if s["data.rows"] == "stream" and r.random() < 0.4:
            s["train.reset_documents"] = "yes"
        if r.random() < 0.3 and "@" not in s["data.train"]:
            s["train.spike"] = 1.05
            steps = 45
        samples = steps * batch + r.randrange(0, batch)
        if r.random() < 0.5:
            s["train.steps"] = steps
            # At least as many, in the smallest batches.
            samples = steps * micro
        else:
            s["train.samples"] = samples
        if r.random() < 0.3 and batch > micro:
            s["train.ramp"] = "%d %d %d" % (micro, micro, max(1, samples // 2))
        s["train.schedule"] = r.choice(["constant", "linear", "cosine", "wsd"])
        if s["train.schedule"] == "wsd":
            s["train.cooldown"] = samples // 2
            s["train.decay_type"] = r.choice(["linear", "cosine", "1-sqrt"])
        s["train.warmup"] = r.choice([0, samples // 3])
        s["train.clip"] = r.choice([0, 1, 0.3])
        if name != self.phases[0]:
            s["train.reset_optimizer"] = r.choice(["yes", "no"])
        if r.random() < 0.3:
            s["model.rope_theta"] = 50000
        if r.random() < 0.2:
            s.update({"model.rope_scaling": "llama3", "model.rope_factor": 4, "model.rope_original": 16})
        if r.random() < 0.6:
            valid = ["chat"] if kind == "chat" else ["pref"] if kind == "dpo" else ["shards/two", "chat"]
            s["data.valid"] = r.choice(valid)
            s["train.valid_every"] = r.choice([0, 2, 5])
            s["train.valid_samples"] = r.choice([2, 3, 7])
        if r.random() < 0.4 and not self.tensor:
            tasks = r.choice(["", "choices.jsonl", "choices.jsonl texts.jsonl"])
            shards = r.choice(["shards/two", "chat", ""])
            if tasks:
                s["train.context"] = 48
            if tasks or shards:
                s["eval.every"] = r.choice([0, 3, 10])
                s["eval.tasks"], s["eval.shards"] = tasks, shards
                self.generated |= "texts" in tasks
        # The end of what is left out need not be that of a batch, nor of the samples that there are.
        if r.random() < 0.3:
            a = r.randrange(0, max(1, samples // 2)) // 2 * 2
            b = a + r.randrange(1, 9) * 2
            self.skips += ["--skip-samples", "%s:%d:%d" % (name, a, b)]
        return s

    def write(self, path):
        sections = {}
        for key, value in self.config.items():
            section, name = key.split(".", 1)
            sections.setdefault(section, []).append("%s = %s" % (name, value))
        with open(path, "w") as f:
            for name, lines in sections.items():
                print("[%s]" % name, *lines, sep="\n", file=f)
            for name in self.phases:
                print("[phase %s]" % name, file=f)
                for key, value in self.of_phase[name].items():
                    if value != "":
                        print("%s = %s" % (key, value), file=f)

    def layout(self):
        """A number of ranks, and the settings of a layout of them for each phase."""
        r = self.rng
        n = r.choice([1, 2, 2, 3, 4, 4])
        out = []
        for name in self.phases:
            fit = []
            for pp in divisors(n):
                for tp in [1, 2] if self.tensor else [1]:
                    if n % (pp * tp):
                        continue
                    dp = n // pp // tp
                    if self.lanes % dp or not power_of_two(self.lanes // dp) or pp > self.layers:
                        continue
                    if (self.generated or self.tied) and pp > 1:
                        continue
                    fit.append((pp, tp, dp))
            if not fit:
                return self.layout()
            pp, tp, dp = r.choice(fit)
            s = {"tp": tp, "pp": pp, "dp": r.choice([0, dp]), "interleave": 1, "zero": r.choice([0, 1]),
                 "recompute": r.choice(["none", "norms", "layer"]), "sequence": "no",
                 "order": r.choice(["tp cp dp pp", "dp pp tp cp", "cp pp dp tp"])}
            if pp == 2 and self.layers >= 4 and r.random() < 0.5:
                s["interleave"] = 2
            rows = self.of_phase[name]
            if tp == 2 and rows["train.micro_batch"] * rows["train.context"] % 2 == 0:
                s["sequence"] = r.choice(["yes", "no"])
            for key, value in s.items():
                out += ["--set", "phase.%s.parallel.%s=%s" % (name, key, value)]
        return n, out


class Runs:
    def __init__(self, case):
        self.case, self.rng = case, case.rng
        self.said = []
        self.attempt = 0

    def start(self, n, args):
        self.attempt += 1
        self.said.append("%d ranks: %s" % (n, " ".join(a.replace("parallel.", "") for a in args if a != "--set")))
        self.procs = []
        self.err = []
        for rank in range(n):
            err = open("err.%d" % rank, "w+")
            env = dict(os.environ)
            if n > 1:
                env.update(LUCIE_RANK=str(rank), LUCIE_SIZE=str(n), LUCIE_RENDEZVOUS="127.0.0.1",
                           LUCIE_ATTEMPT="%d-%d" % (os.getpid(), self.attempt))
            self.err.append(err)
            self.procs.append(subprocess.Popen(["lucie-train", *args], stderr=err, env=env))

    def give_up(self, victim):
        """Kill all if the victim has gone before it met the others, which wait five minutes for it."""
        end = time.time() + 20
        while time.time() < end and any(p.poll() is None for p in self.procs):
            time.sleep(0.01)
        if (self.procs[victim].poll() or 0) < 0 and not self.errors():
            for p in self.procs:
                p.kill()

    def finish(self):
        end = time.time() + DEADLINE
        for p in self.procs:
            try:
                p.wait(max(0.1, end - time.time()))
            except subprocess.TimeoutExpired:
                for q in self.procs:
                    q.kill()
                raise Failed("hangs: " + self.errors())
        for err in self.err:
            err.seek(0)
        text = "".join(e.read() for e in self.err)
        self.text = text
        self.said.append("   exit %s %s" % (sorted({p.returncode for p in self.procs}), text.strip()[-300:]))
        return {p.returncode for p in self.procs}

    def errors(self):
        return "".join(Path("err.%d" % i).read_text() for i in range(len(self.procs)))

    def last(self):
        try:
            return Path("run/metrics.jsonl").read_bytes().count(b'"batch"')
        except FileNotFoundError:
            return 0

    def interrupted(self):
        """Start, and kill or stop; True if the run came to its end."""
        n, layout = self.case.layout()
        skips = self.case.skips
        if os.path.exists("run/latest") and self.rng.random() < 0.3:
            skips = []
        self.start(n, ["-q", "-c", "case.ini", *layout, *skips, "-o", "run"])
        want = self.last() + self.rng.choice([0, 1, 2, 3, 5, 9, 20])
        end = time.time() + DEADLINE
        pause = self.rng.choice([0, 0, 0.01, 0.03])
        how = self.rng.choice(["kill", "kill", "term", "term", "one"])
        victim = self.rng.randrange(n)
        if want == self.last():
            time.sleep(self.rng.random() * 0.3)
        while self.last() < want and time.time() < end and all(p.poll() is None for p in self.procs):
            time.sleep(0.002)
        time.sleep(pause)
        self.said.append("   %s at %d" % (how, self.last()))
        if how == "kill":
            for p in self.procs:
                p.kill()
        elif how == "term":
            self.procs[victim].send_signal(self.rng.choice([signal.SIGTERM, signal.SIGUSR1]))
        else:
            self.procs[victim].kill()
        self.give_up(victim)
        codes = self.finish()
        if codes == {0}:
            return True
        if "the run is complete" in self.text or "is complete" in self.text:
            return True
        # A rank that is terminated before it listens for signals takes the others with it.
        allowed = {"kill": {-9, 0, 2}, "term": {0, 75, -15, -10, -9, 2}, "one": {-9, 0, 2}}[how]
        if not codes <= allowed or (how == "term" and 2 in codes and not codes & {-15, -10}):
            raise Failed("%s: exit %s: %s" % (how, codes, self.text))
        return False

    def to_the_end(self):
        for _ in range(9):
            n, layout = self.case.layout()
            self.start(n, ["-q", "-c", "case.ini", *layout, *self.case.skips, "-o", "run"])
            codes = self.finish()
            if codes == {0} or "complete" in self.text:
                return
            if codes != {75}:
                raise Failed("exit %s: %s" % (codes, self.text))
        raise Failed("stopped nine times")


def steps(run):
    seen, out = set(), []
    for line in Path(run, "metrics.jsonl").read_text().splitlines():
        if not line.startswith(('{"set"', '{"left_out"', '{"skip')) and line not in seen:
            seen.add(line)
            out.append(line)
    return out


def manifest(folder):
    m = json.loads(Path(folder, "manifest.json").read_text())
    for key in ("layout", "fnv1a64"):
        m.pop(key, None)
    return m


def compare(a, b):
    x, y = steps(a), steps(b)
    for i, (p, q) in enumerate(zip(x, y)):
        if p != q:
            raise Failed("metrics differ:\n  %s\n  %s" % (p, q))
    if len(x) != len(y):
        raise Failed("metrics: %d and %d lines, after\n%s" % (len(x), len(y), (x if len(x) > len(y) else y)[min(len(x), len(y))]))
    common = {p.name for p in Path(a).glob("step-*")} & {p.name for p in Path(b).glob("step-*")}
    if os.readlink(a + "/latest") != os.readlink(b + "/latest") or os.readlink(a + "/latest") not in common:
        raise Failed("latest differs")
    for name in sorted(common):
        left = {p.name for p in Path(a, name).iterdir()}
        if left != {p.name for p in Path(b, name).iterdir()}:
            raise Failed("%s: other files" % name)
        for file in left - {"manifest.json"}:
            if Path(a, name, file).read_bytes() != Path(b, name, file).read_bytes():
                raise Failed("%s/%s differs" % (name, file))
        m, n = manifest(a + "/" + name), manifest(b + "/" + name)
        if m != n:
            raise Failed("%s/manifest.json: %s" % (name, [(k, m.get(k), n.get(k)) for k in m.keys() | n.keys() if m.get(k) != n.get(k)]))
    left = [p.name for p in Path(b).iterdir() if p.name.startswith(".")]
    if left:
        raise Failed("left over: %s" % left)
    for run in a, b:
        subprocess.run(["lucie-export", "-q", "--dtype", "f32", "-o", run + ".out", run], check=True)
    subprocess.run(["diff", "-r", "-x", "README.md", a + ".out", b + ".out"], check=True)


def near(a, b):
    def lines(run):
        # What a kill has made repeat differs by rounding.
        found = (json.loads(line) for line in steps(run))
        return list({(l.get("step"), "batch" in l, l.get("valid"), l.get("eval"), l.get("lang")): l for l in found}.values())

    x, y = lines(a), lines(b)
    if len(x) != len(y):
        raise Failed("metrics: %d and %d lines" % (len(x), len(y)))
    for p, q in zip(x, y):
        if p.keys() != q.keys():
            raise Failed("metrics differ:\n  %s\n  %s" % (p, q))
        for k in p:
            if k in ("loss",) and abs(p[k] - q[k]) > 1e-5 * max(1, abs(p[k])):
                raise Failed("%s differs:\n  %s\n  %s" % (k, p, q))
            if k in ("step", "phase", "samples", "tokens", "targets", "lr", "batch", "skipped", "scored") and p[k] != q[k]:
                raise Failed("%s differs:\n  %s\n  %s" % (k, p, q))


def clean():
    for name in ("whole", "run", "whole.out", "run.out"):
        shutil.rmtree(name, ignore_errors=True)
    for p in Path(".").glob("*pref.logp-*"):
        p.unlink()


def one(number, tensor):
    case = Case(number, tensor)
    clean()
    case.write("case.ini")
    runs = Runs(case)
    try:
        runs.start(1, ["-q", "-c", "case.ini", *case.skips, "-o", "whole"])
        if runs.finish() != {0}:
            raise Failed(runs.text)
        for p in Path(".").glob("pref.logp-*"):
            p.rename("kept." + p.name)
        for _ in range(case.rng.randrange(1, 6)):
            if runs.interrupted():
                break
        runs.to_the_end()
        (near if tensor else compare)("whole", "run")
        for p in Path(".").glob("kept.pref.logp-*"):
            other = Path(p.name[5:])
            if not tensor and (not other.exists() or other.read_bytes() != p.read_bytes()):
                raise Failed("%s differs" % other)
            p.unlink()
        if list(Path(".").glob(".*lu-tmp*")):
            raise Failed("left over: %s" % list(Path(".").glob(".*lu-tmp*")))
    except (Failed, subprocess.CalledProcessError) as e:
        return "case %d: %s\n%s" % (number, e, "\n".join(runs.said))
    return None


def main():
    first, count = int(sys.argv[1]), int(sys.argv[2])
    tensor = sys.argv[3:] == ["tensor"]
    failed = 0
    for number in range(first, first + count):
        what = one(number, tensor)
        if what:
            failed += 1
            print("not", what, flush=True)
            keep = Path("failed-%d" % number)
            shutil.rmtree(keep, ignore_errors=True)
            keep.mkdir()
            for name in ("whole", "run", "case.ini"):
                if Path(name).exists():
                    shutil.move(name, keep / name)
    print("#", count - failed, "of", count, "the same", flush=True)
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
