#!/usr/bin/env bats
# lucie-export: GGUF, read by a reader of its own; types of weights; the model card.
bats_require_minimum_version 1.5.0

load fixtures

setup_file() {
	export OMP_WAIT_POLICY=passive OMP_NUM_THREADS=1
	cd "$BATS_FILE_TMPDIR" || return 1
	fixtures run
	cat >gguf.py <<-'END'
		import json, struct
		def safetensors(f):
		    d = open(f + "/model.safetensors", "rb").read()
		    n, = struct.unpack("<Q", d[:8])
		    h = json.loads(d[8:8 + n])
		    return {k: (v["dtype"], v["shape"], d[8 + n:][slice(*v["data_offsets"])]) for k, v in h.items() if k != "__metadata__"}
		class Reader:
		    def __init__(self, f):
		        self.d, self.at = open(f, "rb").read(), 0
		        magic, version, tensors, pairs = self.take("<4sIQQ")
		        assert (magic, version) == (b"GGUF", 3)
		        self.pairs = {}
		        for _ in range(pairs):
		            k = self.text()
		            assert k not in self.pairs, k
		            self.pairs[k] = self.value(*self.take("<I"))
		        infos = []
		        for _ in range(tensors):
		            name, n = self.text(), self.take("<I")[0]
		            infos.append((name, self.take("<%dQ" % n)[::-1], *self.take("<IQ")))
		        start = (self.at + 31) // 32 * 32
		        assert not any(self.d[self.at:start])
		        self.tensors, end = {}, start
		        for name, shape, kind, offset in infos:
		            bytes = {0: 4, 1: 2, 30: 2}[kind]
		            for x in shape:
		                bytes *= x
		            assert offset % 32 == 0 and start + offset == end, name
		            self.tensors[name] = (kind, list(shape), self.d[end:end + bytes])
		            end = start + (offset + bytes + 31) // 32 * 32
		        assert end == len(self.d)
		    def take(self, form):
		        x = struct.unpack_from(form, self.d, self.at)
		        self.at += struct.calcsize(form)
		        return x
		    def text(self):
		        n, = self.take("<Q")
		        self.at += n
		        return self.d[self.at - n:self.at].decode()
		    def value(self, kind):
		        if kind == 8:
		            return self.text()
		        if kind == 9:
		            of, n = self.take("<IQ")
		            return [self.value(of) for _ in range(n)]
		        return self.take({4: "<I", 5: "<i", 6: "<f", 7: "<?"}[kind])[0]
	END
}

setup() {
	cd "$BATS_FILE_TMPDIR" || return 1
	rm -rf out* made*
}

# reads CODE: run with g, the GGUF file made.gguf, and t, the tensors of `out`.
reads() {
	PYTHONPATH=. python3 -c "
from gguf import *
import os
g, t = Reader('made.gguf'), safetensors('out') if os.path.exists('out') else None
p = g.pairs
$1"
}

@test "a GGUF file has the weights, with the rows of heads as llama.cpp turns them" {
	local type
	for type in f32 bf16 f16; do
		rm -rf out
		lucie-export -q --dtype $type -o out --gguf made.gguf --name 'A b' run
		reads "
names = dict(input_layernorm='attn_norm', post_attention_layernorm='ffn_norm')
for k in 'qkv': names['self_attn.%s_proj' % k] = 'attn_' + k
for k in ('gate', 'up', 'down'): names['mlp.%s_proj' % k] = 'ffn_' + k
names['self_attn.o_proj'] = 'attn_output'
want = {}
for name, (dtype, shape, data) in t.items():
    w = name.split('.')
    new = {'model.embed_tokens.weight': 'token_embd.weight', 'model.norm.weight': 'output_norm.weight',
        'lm_head.weight': 'output.weight'}.get(name) or 'blk.%s.%s.weight' % (w[2], names['.'.join(w[3:-1])])
    if 'attn_q' in new or 'attn_k' in new:
        heads = 4 if 'attn_q' in new else 2
        dim, width = shape[0] // heads, len(data) // shape[0]
        rows = [data[i * width:(i + 1) * width] for i in range(shape[0])]
        data = b''.join(rows[h * dim + k * dim // 2 + i] for h in range(heads) for i in range(dim // 2) for k in (0, 1))
    want[new] = ({'F32': 0, 'F16': 1, 'BF16': 30}[dtype], shape, data)
assert g.tensors.keys() == want.keys()
for k, (kind, shape, data) in g.tensors.items():
    if len(shape) == 1:
        assert kind == 0 and shape == want[k][1]
        if '$type' != 'f32': continue
    assert (kind, shape, data) == want[k], k
assert p['general.architecture'] == 'llama' and p['general.name'] == 'A b'
assert p['general.file_type'] == {'f32': 0, 'f16': 1, 'bf16': 32}['$type']
assert [p['llama.' + k] for k in ('vocab_size', 'context_length', 'embedding_length', 'block_count',
    'feed_forward_length', 'attention.head_count', 'attention.head_count_kv', 'rope.dimension_count',
    'attention.key_length', 'attention.value_length')] == [400, 16, 64, 2, 192, 4, 2, 16, 16, 16]
assert p['llama.rope.freq_base'] == 10000 and abs(p['llama.attention.layer_norm_rms_epsilon'] - 1e-5) < 1e-12"
	done
	cp made.gguf other.gguf
	lucie-export -q --dtype f16 --gguf made.gguf --name 'A b' run
	cmp made.gguf other.gguf
}

@test "a GGUF file has the tokenizer, or refuses what llama.cpp has no name for" {
	lucie-export -q --gguf made.gguf run
	reads "
j = json.load(open('tokenizer.json'))
v = {i: k for k, i in j['model']['vocab'].items()}
assert p['tokenizer.ggml.model'] == 'llama' and p['tokenizer.ggml.tokens'] == [v[i] for i in range(400)]
kind, score = p['tokenizer.ggml.token_type'], p['tokenizer.ggml.scores']
assert kind[:4] == [3, 3, 2, 3] and kind.count(6) == 256 and kind[j['model']['vocab']['<0x0A>']] == 6
assert [p['tokenizer.ggml.%s_token_id' % k] for k in ('bos', 'eos', 'unknown', 'padding')] == [0, 1, 2, 3]
assert p['tokenizer.ggml.add_space_prefix'] is True
before = [x for x in j['post_processor']['single'] if 'SpecialToken' in x] if j['post_processor'] else []
assert p['tokenizer.ggml.add_bos_token'] is bool(before)
first = {}
for i, m in enumerate(j['model']['merges']):
    first.setdefault(''.join(m) if isinstance(m, list) else m.replace(' ', '', 1), -i - 1)
assert first and all(score[j['model']['vocab'][k]] == s for k, s in first.items())"
	lucie-export -q --no-tokenizer --gguf made.gguf run
	reads "assert p['tokenizer.ggml.model'] == 'none' and 'tokenizer.ggml.tokens' not in p"
	# Pieces of bytes, under the name of their expression.
	lucie-tok-train -q --preset bytelevel --vocab-size 380 -o made.json a.jsonl
	lucie-shard -q -t made.json -o made.shard a.jsonl
	lucie-train -q -c train.ini --set data.tokenizer=made.json --set data.train=made.shard \
		--set model.vocab=384 --set train.steps=1 -o made.run
	lucie-export -q --gguf made.gguf made.run
	reads "
j = json.load(open('made.json'))
m = [' '.join(x) if isinstance(x, list) else x for x in j['model']['merges']]
assert p['tokenizer.ggml.model'] == 'gpt2' and p['tokenizer.ggml.pre'] == 'gpt-2'
assert p['tokenizer.ggml.merges'] == m and 6 not in p['tokenizer.ggml.token_type']
assert p['tokenizer.ggml.tokens'][380:] == ['[unused %d]' % i for i in range(380, 384)]
assert p['tokenizer.ggml.token_type'][380:] == [5] * 4"
	sed 's/"use_regex": *true/"use_regex": false/' made.json >made.other.json
	run -1 cmp -s made.json made.other.json
	lucie-shard -q -t made.other.json -o made.shard a.jsonl
	rm -rf made.run made.gguf
	lucie-train -q -c train.ini --set data.tokenizer=made.other.json --set data.train=made.shard \
		--set model.vocab=384 --set train.steps=1 -o made.run
	run -2 lucie-export -q --gguf made.gguf made.run
	[[ ${#lines[@]} = 1 && "$output" == *"made.run/tokenizer.json: llama.cpp has no tokenizer for the way its pre_tokenizer splits texts"* ]]
	[ ! -e made.gguf ]
}

@test "GGUF says how rotary positions are scaled" {
	lucie-train -q -c train.ini --set train.steps=1 --set model.rope_scaling=llama3 --set model.rope_factor=8 \
		--set model.rope_original=8 --set model.rope_theta=100 -o made.run
	lucie-export -q --gguf made.gguf made.run
	reads "
from math import pi
kind, shape, data = g.tensors['rope_freqs.weight']
assert kind == 0 and shape == [8]
for i, x in enumerate(struct.unpack('<8f', data)):
    w = 100 ** (-2 * i / 16)
    l = 2 * pi / w
    s = (8 / l - 1) / 3
    want = w if l < 2 else w / 8 if l > 8 else (1 - s) * w / 8 + s * w
    assert abs(x - w / want) < 1e-6 * x, (i, x, w / want)"
	rm -rf made.run
	lucie-train -q -c train.ini --set train.steps=1 --set model.rope_scaling=linear --set model.rope_factor=2 -o made.run
	lucie-export -q --gguf made.gguf made.run
	reads "assert p['llama.rope.scaling.type'] == 'linear' and p['llama.rope.scaling.factor'] == 2"
}

@test "a value that f16 does not have is refused, and nothing is left" {
	lucie-export -q --dtype f32 -o out run
	python3 - <<-'END'
		import json, struct
		b = bytearray(open("out/model.safetensors", "rb").read())
		n, = struct.unpack("<Q", b[:8])
		at = 8 + n + json.loads(b[8:8 + n])["model.norm.weight"]["data_offsets"][0]
		b[at:at + 4] = struct.pack("<f", 65520)
		open("out/model.safetensors", "wb").write(b)
	END
	run -2 lucie-export -q --dtype f16 -o out2 out
	[[ ${#lines[@]} = 1 && "$output" == *"tensor model.norm.weight has a value beyond the largest of f16"* ]]
	[ ! -e out2 ]
	run -1 compgen -G '.out2*'
	# In GGUF vectors are F32.
	lucie-export -q --dtype f16 --gguf made.gguf out
}

@test "the model card says what the run's files say, and no more" {
	cat >made.results <<-END
		{"results": {"a|b": {"acc,none": 0.25, "acc_stderr,none": 0.0625, "alias": "x"},
		 "c": {"perplexity,none": 3.5}}, "config": {}}
	END
	lucie-export -q -o out --name 'Test | x' --results made.results run
	python3 - <<-'END'
		import json
		card = open("out/README.md").read()
		m = json.load(open("shards/demo.json"))
		last = [json.loads(l) for l in open("run/metrics.jsonl")][-1]
		head = card.split("---")[1]
		assert "license" not in head
		for t in m["langs"]:
		    assert "| %s | %d | %d |" % (t["lang"], t["documents"], t["tokens"]) in card
		    assert "\n- %s\n" % t["lang"] in head
		for t in m["licenses"]:
		    assert "| %s | %d | %d |" % (t["license"] or "not known", t["documents"], t["tokens"]) in card
		for line in ("| main | shards/demo | %d | %d | of the shard |" % (m["documents"], m["tokens"]),
		        "| main | 4 | %d | %.4f |" % (last["tokens"], last["loss"]), "4 steps, %d tokens." % last["tokens"],
		        "# Test \\| x", "| a\\|b | acc | 0.2500 | 0.0625 |", "| c | perplexity | 3.5000 | not known |",
		        "Energy: not known."):
		    assert line in card, line
	END
	lucie-export -q -o out2 --name 'Test | x' --results made.results run
	cmp out/README.md out2/README.md
	# Less is known of an earlier step, of data that have moved, of a folder that was exported before.
	rm -rf out2
	mv shards elsewhere
	lucie-export -q -o out2 --from-step 2 run
	mv elsewhere shards
	grep -q '| main | shards/demo | not known | not known |' out2/README.md
	grep -q '^2 steps, ' out2/README.md
	grep -q '^| main | 2 | ' out2/README.md
	lucie-export -q -o out3 out
	grep -q '^Not known: the model has no record of its data' out3/README.md
	grep -q '^4 steps, ' out3/README.md
	echo '[1]' >made.results
	run -2 lucie-export -q -o out4 --results made.results run
	[[ ${#lines[@]} = 1 && "$output" == *"made.results: "* ]]
	[ ! -e out4 ]
}

@test "the results of lucie-eval stand in the card, of text too, and no file is taken for nothing" {
	printf '{"context":"a","choices":["b","c"],"answer":%d}\n' 0 1 >pick.jsonl
	lucie-eval -q --json run shards/demo >made.text
	lucie-eval -q --json --task pick.jsonl run >made.task
	lucie-export -q -o out --results made.text --results made.task run
	python3 - <<-'END'
		import json
		card = open("out/README.md").read()
		text = json.load(open("made.text"))["languages"]
		assert len(text) > 1
		for name, r in text.items():
		    assert "| %s | %d | %.4f | %.4f | %.4f |\n" % (name, r["scored"], r["loss"],
		        r["perplexity"], r["bits_per_byte"]) in card, name
		for name, v in json.load(open("made.task"))["results"]["pick"].items():
		    if name.endswith(",none") and "_stderr" not in name:
		        assert "| pick | %s | %.4f | " % (name[:-5], v) in card, name
	END
	local text
	for text in '{}' '{"results":{}}' '{"results":3}' '{"results":{"a":{"acc":1}}}'; do
		echo "$text" >made.none
		run -2 lucie-export -q -o out2 --results made.none run
		[[ ${#lines[@]} = 1 && "$output" == "lucie-export: made.none: "*"results"* ]] ||
			[[ "$output" == *"made.none: no result of a task"* ]]
		[ ! -e out2 ]
	done
}

@test "one name for folder and file, and a size that nothing has, are refused" {
	run -2 lucie-export -q -o out --gguf out run
	[[ "${lines[0]}" == "lucie-export: -o and --gguf name the same file" ]]
	[ ! -e out ]
	run -2 lucie-export -q --gguf made.gguf --max-shard 1M run
	[[ "${lines[0]}" == *"--max-shard is for the weight files of a folder"* ]]
	[ ! -e made.gguf ]
	run -2 lucie-export -q -o out --max-shard 0 run
	[[ "${lines[0]}" == *"--max-shard 0 leaves no room"* ]]
}

@test "a chat template beside the tokenizer goes with the run and its exports" {
	mkdir out
	cp tokenizer.json out
	printf '{{ messages }}</s>\n' >out/chat_template.jinja
	lucie-train -q -c train.ini --set train.steps=1 --set data.tokenizer=out/tokenizer.json -o made.run
	cmp out/chat_template.jinja made.run/chat_template.jinja
	rm -rf out
	lucie-export -q -o out --gguf made.gguf made.run/latest
	cmp made.run/chat_template.jinja out/chat_template.jinja
	reads "
assert p['tokenizer.chat_template'] == '{{ messages }}</s>\\n'
assert json.load(open('out/tokenizer_config.json'))['chat_template'] == p['tokenizer.chat_template']"
	# A file that cannot be read is said before the run begins.
	rm out/chat_template.jinja
	echo '{"chat_template": 7}' >out/tokenizer_config.json
	run -2 lucie-train -q -c train.ini --set data.tokenizer=out/tokenizer.json -o made.other
	[[ ${#lines[@]} = 1 && "$output" == *"out/tokenizer_config.json: chat_template is 7"* ]]
	[ ! -e made.other/config.ini ]
}
