"""Event files of lucie-stats --tensorboard, read by TensorBoard, against the logs as Python reads them."""

import datetime
import hashlib
import json
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_multiplexer import EventMultiplexer

STATS = os.path.join(os.environ["LUCIE_BUILD"], "bin", "lucie-stats")
SETS = ["fr", "en/news", "été"]
done = 0


def ok(name, passed, why=""):
    global done
    done += 1
    print(f"{'ok' if passed else 'not ok'} {done} - {name}")
    if not passed:
        print(f"# {why}")


def export(to, *runs, rc=0):
    args = [STATS, *(a for r in runs for a in ("--metrics", r)), "--tensorboard", to]
    p = subprocess.run(args, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
    assert p.returncode == rc, (args, p.stderr)
    return p.stderr


def files(to):
    return sorted(os.path.join(f, n) for f, _, names in os.walk(to) for n in names)


def read(folder):
    acc = EventAccumulator(folder, size_guidance={"scalars": 0})
    acc.Reload()
    return acc


def scalars(acc):
    points = {tag: [(e.step, e.value) for e in acc.Scalars(tag)] for tag in acc.Tags()["scalars"]}
    return {tag: p for tag, p in points.items() if p}


def single(v):
    return struct.unpack("f", struct.pack("f", v))[0]


class Log:
    """A run that is killed and resumed, and what counts of its logs."""

    def __init__(self, folder, seed):
        self.folder, self.rng, self.step = folder, random.Random(seed), 0
        self.clock = 1_790_000_000
        self.want, self.wall = {}, {}
        os.mkdir(folder)
        self.valid(0)

    def put(self, name, obj):
        with open(os.path.join(self.folder, name), "a") as f:
            print(json.dumps(obj, ensure_ascii=False), file=f)

    def keep(self, tag, value):
        if value is not None:
            self.want.setdefault(tag, {})[self.step] = single(value)

    def valid(self, n):
        for name in SETS[:n]:
            v = {"loss": self.rng.random(), "bits_per_byte": self.rng.choice([None, 1.25])}
            self.put("metrics.jsonl", {"step": self.step, "valid": name, **v, "scored": 9})
            for key, value in v.items():
                self.keep(f"valid/{name}/{key}", value)

    def start(self, back=0):
        self.step -= back
        self.clock += 5000
        self.first = True
        # What was behind is made again, and none of it counts.
        for points in [*self.want.values(), self.wall]:
            for step in [s for s in points if s > self.step]:
                del points[step]
        self.put("metrics.jsonl", {"set": ["train.lr=1"]})

    def train(self, steps):
        for _ in range(steps):
            self.step += 1
            v = {"batch": self.rng.randrange(1, 99), "tokens": self.step * 1000, "lr": self.rng.random(),
                 "loss": self.rng.choice([None, 2.5, self.rng.random()]), "norm": self.rng.random()}
            self.put("metrics.jsonl", {"step": self.step, "phase": "main", "samples": 3, **v, "clip": 1})
            t = {"seconds": self.rng.randrange(1, 9), "tokens_per_s": self.rng.random()}
            if self.first:
                date = datetime.datetime.fromtimestamp(self.clock, datetime.timezone.utc)
                self.put("timing.jsonl", {"date": date.strftime("%Y-%m-%dT%H:%M:%SZ"), "machine": "m"})
            else:
                self.clock += t["seconds"]
            self.first = False
            self.put("timing.jsonl", {"step": self.step, **t})
            self.wall[self.step] = self.clock
            for key in ("batch", "tokens", "lr", "loss", "norm"):
                self.keep("train/" + key, v[key])
            self.keep("train/tokens_per_s", t["tokens_per_s"])
            if self.step % 4 == 0:
                self.valid(len(SETS))

    def check(self, name, acc):
        want = {tag: sorted(p.items()) for tag, p in self.want.items() if p}
        got = scalars(acc)
        ok(name, got == want, f"{got} is not {want}")
        walls = {e.step: e.wall_time for tag in got for e in acc.Scalars(tag) if e.step}
        ok(f"{name}: wall times", walls == self.wall, f"{walls} is not {self.wall}")


def main():
    for seed in range(6):
        log = Log(f"run{seed}", seed)
        log.start()
        log.train(10)
        for _ in range(seed):
            log.start(log.rng.randrange(log.step))
            log.train(log.rng.randrange(1, 12))
        export("tb", log.folder)
        log.check(f"run {seed}, resumed {seed} times", read(f"tb/run{seed}"))

    # A later export takes the place of the earlier, under a name that comes behind its.
    before = files("tb/run5")
    shutil.copytree("tb/run5", "both")
    log.start(3)
    log.train(1)
    export("tb", log.folder)
    log.check("a later export", read("tb/run5"))
    ok("one file, the next of the run", len(files("tb/run5")) == 1 and files("tb/run5") > before, before)
    # Whoever has read the earlier one forgets its steps.
    shutil.copy(files("tb/run5")[0], "both")
    log.check("a later export, read behind the earlier", read("both"))

    # All runs in one call, seen from above.
    export("all", *(f"run{i}" for i in range(6)))
    runs = EventMultiplexer().AddRunsFromDirectory("all").Reload().Runs()
    ok("a folder a run", sorted(runs) == [f"run{i}" for i in range(6)], runs)

    # The bytes and names are those of the logs, wherever and whenever.
    digest = lambda to: [(f[len(to):], hashlib.sha256(open(f, "rb").read()).hexdigest()) for f in files(to)]
    before = digest("all")
    shutil.copytree("run0", "elsewhere/run0")
    os.environ["TZ"] = "Asia/Tokyo"
    export("all", *(f"run{i}" for i in reversed(range(6))))
    export("again", "elsewhere/run0/metrics.jsonl")
    ok("the bytes follow from the logs", digest("all") == before and digest("again")[0] == before[0], before)

    # Runs of one name get folders by their paths; what would be one folder is refused.
    export("names", "run0", "elsewhere/run0")
    ok("runs of one name", sorted(os.listdir("names")) == ["elsewhere_run0", "run0"], os.listdir("names"))
    shutil.copytree("run0", "elsewhere_run0")
    said = export("none", "run0", "elsewhere/run0", "elsewhere_run0", rc=2)
    ok("two runs for one folder are refused", "would both be written to none/elsewhere_run0" in said, said)
    ok("and nothing is written", not os.path.exists("none"))
    os.chdir("run0")
    export("../dots", "../run0/../run0/metrics.jsonl", ".")
    ok("no folder outside", sorted(os.listdir("../dots")) == ["run", "run0"], os.listdir("../dots"))
    os.chdir("..")

    # Without timing.jsonl no time is made up; a line that is being written is none.
    os.remove("run0/timing.jsonl")
    with open("run0/metrics.jsonl", "a") as f:
        f.write('{"step":99,"lo')
    export("bare", "run0")
    got = read("bare/run0")
    ok("without timing: loss", got.Scalars("train/lr")[-1].step == 10)
    ok("without timing: times", {e.wall_time for e in got.Scalars("train/lr")} == {0.0})
    # Killed between the two lines of a step.
    log = Log("between", 1)
    log.start()
    log.train(10)
    log.start(6)
    log.put("metrics.jsonl", {"step": 5, "loss": 1.0, "lr": 1.0})
    export("bare", "between")
    got = scalars(read("bare/between"))
    ok("no speed of a step that is to come", max(s for p in got.values() for s, _ in p) == 5, got)
    print(f"1..{done}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        main()
        os.chdir("/")
    sys.exit(0)
