"""Output bound by random JSON schemas, checked by the package jsonschema.

    tests/interop/schema_random.py [SCHEMAS [RUN]]

RUN is any model, by default a small one that is trained first. At a temperature of 100 its logits count
for next to nothing, so that tokens are drawn nearly at random from those that the schema allows. A value
that is cut off by -n is no value and is counted; every other one has to parse and to be valid. Some 60
schemas by default; 1,000 take a minute.
"""

import json
import os
import random
import subprocess
import sys
import tempfile

import jsonschema

NAMES = ["a", "name", "été", 'x"y', "back\\slash", "", "long_name_of_a_property", "1"]
VALUES = [1, -2.5, "a", "( b [ c", "“x” «y»", "\n\t", None, True, [1, {"k": "v"}], {"a b": []}, "0"]


def simple(r):
    kind = r.choice(["null", "boolean", "integer", "number", "string"])
    s = {"type": kind}
    if kind == "integer" and r.random() < 0.7:
        s["minimum"] = r.randint(-3000, 3000)
        s["maximum"] = s["minimum"] + r.choice([0, 1, 9, 100, 12345])
        if r.random() < 0.3:
            s["exclusiveMinimum"] = s["minimum"] - 1
        if r.random() < 0.3:
            s["exclusiveMaximum"] = s["maximum"] + 1
    if kind == "number" and r.random() < 0.7:
        s["minimum"] = r.randint(-50, 50)
        if r.random() < 0.7:
            s["maximum"] = s["minimum"] + r.choice([0, 1, 30])
    if kind == "string":
        s["minLength"] = r.choice([0, 0, 1, 3])
        s["maxLength"] = s["minLength"] + r.choice([0, 2, 12])
    if r.random() < 0.2:
        s["type"] = [kind, "null"] if kind != "null" else ["null"]
    return s


def schema(r, depth, defs):
    kind = r.random()
    if depth == 0 or kind < 0.3:
        kind = r.random()
        if kind < 0.2:
            return {"enum": r.sample(VALUES, r.randint(1, 4))}
        if kind < 0.3:
            return {"const": r.choice(VALUES)}
        if kind < 0.4 and defs:
            return {"$ref": "#/$defs/" + r.choice(defs)}
        return simple(r)
    if kind < 0.7:
        names = r.sample(NAMES, r.randint(0, 4))
        return {
            "type": "object",
            "properties": {n: schema(r, depth - 1, defs) for n in names},
            "required": [n for n in names if r.random() < 0.5],
            "additionalProperties": False,
            "description": "not read",
        }
    if kind < 0.9:
        least = r.randint(0, 2)
        s = {"type": "array", "items": schema(r, depth - 1, defs), "minItems": least}
        s["maxItems"] = least + r.randint(0, 3)
        return s
    return {"anyOf": [schema(r, depth - 1, defs) for _ in range(r.randint(1, 3))]}


def make_run(folder):
    commands = ". $LUCIE_SRC/tests/cli/fixtures.bash; fixtures answering"
    subprocess.run(["bash", "-ec", commands], check=True, cwd=folder)
    return os.path.join(folder, "answering")


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    generate = os.path.join(os.environ["LUCIE_BUILD"], "bin", "lucie-generate")
    whole = cut = 0
    with tempfile.TemporaryDirectory() as d:
        run = sys.argv[2] if len(sys.argv) > 2 else make_run(d)
        prompts = d + "/prompts"
        with open(prompts, "w") as f:
            f.write('The answer: \n"\n{ \n')
        for seed in range(count):
            r = random.Random(seed)
            s = schema(r, 3, ["n", "o"])
            s["$defs"] = {"n": simple(r), "o": schema(r, 1, [])}
            path = d + "/schema.json"
            with open(path, "w") as f:
                json.dump(s, f, ensure_ascii=r.random() < 0.5, indent=r.choice([None, 1]))
            p = subprocess.run(
                [generate, "-q", "-n", "400", "--temperature", "100", "--top-p", "1"]
                + ["--seed", str(seed), "--schema", path, "--lines", run, prompts],
                capture_output=True,
            )
            assert p.returncode in (0, 1), (s, p.stderr.decode())
            cut_here = 0
            for line in p.stdout.decode().splitlines():
                x = json.loads(line)
                if not x["complete"]:
                    cut_here += 1
                    continue
                value = json.loads(x["continuation"])
                jsonschema.Draft202012Validator(s).validate(value)
                whole += 1
            assert (p.returncode == 1) == (cut_here > 0), p.returncode
            cut += cut_here
    print(f"# {count} schemas: {whole} values valid, {cut} cut off by -n 400")
    print("ok 1 - text bound by a schema is valid" if whole > cut else "not ok 1 - too many are cut off")
    print("1..1")


if __name__ == "__main__":
    main()
