"""lucie-shard --chat against transformers: the published chat templates that TRL's package holds, their texts byte for
byte, and the masks of those with generation blocks."""

import datetime
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile

import transformers.utils.chat_template_utils as chat
import trl

BIN = os.path.join(os.environ["LUCIE_BUILD"], "bin")
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": {"x": 1, "y": ["é", None]}}}
TALKS = [
    [{"role": "user", "content": "Quelle est la capitale ?"}, {"role": "assistant", "content": "Paris."}],
    [{"role": "system", "content": "Sois bref."}, {"role": "user", "content": " a "},
     {"role": "assistant", "content": "b\n"}, {"role": "user", "content": "c"}, {"role": "assistant", "content": "ü"}],
    [{"role": "user", "content": "q"}, {"role": "assistant", "content": "", "tool_calls": [CALL]},
     {"role": "tool", "name": "f", "content": "7"}, {"role": "assistant", "content": "sept"}],
]


class Fixed(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls(2026, 11, 30)


chat.datetime = Fixed


def tokenizer(path):
    """One token for each byte, so that ids are the text."""
    keep = [*range(33, 127), *range(161, 173), *range(174, 256)]
    vocab = {chr(b): b for b in keep}
    vocab.update({chr(256 + i): b for i, b in enumerate(b for b in range(256) if b not in keep)})
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
    json.dump({"version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None,
               "pre_tokenizer": level, "post_processor": None, "decoder": level,
               "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                         "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False,
                         "ignore_merges": False, "vocab": vocab, "merges": []}}, open(path, "w"))


def shard(folder, template, talk):
    (folder / "docs.jsonl").write_text(json.dumps({"messages": talk}))
    run = subprocess.run([f"{BIN}/lucie-shard", "-q", "--chat", "-t", folder / "tokenizer.json", "--chat-template",
                          template, "--chat-date", "2026-11-30", "--allow-empty", "--rejects", folder / "rejects", "-o", folder / "s", folder / "docs.jsonl"],
                         capture_output=True, text=True)
    rejected = (folder / "rejects").read_text()
    if run.returncode or rejected:
        return None, None, json.loads(rejected)["value"] if rejected else run.stderr.strip()
    data = (folder / "s.bin").read_bytes()
    mask = (folder / "s.mask").read_bytes()
    ids = struct.unpack(f"<{len(data) // 2}H", data)
    return bytes(ids), [mask[32 + i // 8] >> i % 8 & 1 for i in range(len(ids))], None


def main():
    templates = sorted((pathlib.Path(trl.__file__).parent / "chat_templates").glob("*.jinja"))
    same = refused = differ = masked = 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        tokenizer(folder / "tokenizer.json")
        (folder / "tokenizer_config.json").write_text('{"bos_token": "<s>", "eos_token": "</s>"}')
        for template in templates:
            compiled = chat._compile_jinja_template(template.read_text())
            for number, talk in enumerate(TALKS):
                try:
                    want, spans = chat._render_with_assistant_indices(compiled, talk, None, None, False,
                                                                      bos_token="<s>", eos_token="</s>")
                except Exception:
                    want, spans = None, []
                got, mask, why = shard(folder, template, talk)
                if got is None:
                    refused += 1
                    print(f"# {template.name} {number}: {why}" if want else "", end="\n" if want else "")
                    continue
                bits = [0] * len(got)
                for a, b in spans:
                    for i in range(len(want[:a].encode()), len(want[:b].encode())):
                        bits[i] = 1
                if want is None or got != want.encode() or (spans and bits != mask):
                    differ += 1
                    print(f"not ok - {template.name} {number}: {want!r} {got!r}")
                same += got == (want or "").encode()
                masked += bool(spans)
    print(f"{'ok' if differ == 0 and same > 50 else 'not ok'} 1 - {len(templates)} templates, {same} texts alike, "
          f"{masked} masks, {refused} conversations refused\n1..1")
    return differ


if __name__ == "__main__":
    sys.exit(main())
