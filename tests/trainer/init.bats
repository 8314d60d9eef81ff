#!/usr/bin/env bats
# Models of other programs: a run begins with a folder in the form of Hugging Face, in every layout, and
# exports it again bit for bit; folders that cannot be followed are refused with one sentence.
bats_require_minimum_version 1.5.0

load ../cli/fixtures
load ranks

setup_file() {
	export OMP_WAIT_POLICY=passive OMP_NUM_THREADS=1
	cd "$BATS_FILE_TMPDIR" || return 1
	fixtures shards
	config() {
		cat <<-END
			$1
			[data]
			train = shards/demo
			[train]
			steps = 2
			context = 16
			micro_batch = 1
			global_batch = 4
			lanes = 4
			[checkpoint]
			every = 0
		END
	}
	config "$(sizes 2)" >first.ini
	config "" >base.ini
	lucie-train -q -c first.ini --set data.tokenizer=tokenizer.json --set train.seed=9 -o first
	lucie-export -q --dtype f32 -o model first
	lucie-export -q --dtype f32 --max-shard 40K -o parts first
	[ -e parts/model.safetensors.index.json ]
}

setup() {
	cd "$BATS_FILE_TMPDIR" || return 1
	rm -rf run* again* bad*
	pid=()
}

teardown() { kill_ranks; }

# edit FILE CODE: change a JSON file, as `x`.
edit() {
	python3 - "$@" <<-'END'
		import json, sys
		x = json.load(open(sys.argv[1]))
		exec(sys.argv[2])
		json.dump(x, open(sys.argv[1], "w"))
	END
}

# returns FOLDER DTYPE OPTION...: what a run that begins with the folder exports before its first step
# are the folder's bytes.
returns() {
	local folder=$1 dtype=$2 f
	shift 2
	rm -rf run again
	lucie-train -q -c base.ini --set train.steps=1 --init "$folder" -o run
	lucie-export -q --init --dtype "$dtype" "$@" -o again run
	for f in "$folder"/*.safetensors "$folder"/tokenizer*.json "$folder"/*.index.json; do
		[ ! -e "$f" ] || cmp "$f" "again/${f##*/}" || return 1
	done
	diff <(grep -v '"training_' "$folder/config.json") <(grep -v '"training_' again/config.json)
}

@test "a model that is read and exported again is the same, bit for bit" {
	returns model f32
	returns parts f32 --max-shard 40K
	lucie-export -q --dtype bf16 -o bad16 first
	returns bad16 bf16
	lucie-train -q -c first.ini --set model.tied=yes --set train.steps=1 -o runtied
	lucie-export -q --dtype f32 -o badtied runtied
	returns badtied f32
	# And directly from folder to folder, of which the card knows less.
	lucie-export -q --dtype f32 -o again2 model
	diff -r -x README.md model again2
	# A run, and its checkpoint, can be begun with too.
	lucie-train -q -c base.ini --init first -o run2
	lucie-train -q -c base.ini --init first/latest -o run3
	same_run run2 run3
}

@test "rotary positions are read in both spellings and written in both" {
	local rope='"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,
		"high_freq_factor": 4.0, "original_max_position_embeddings": 8'
	for kind in five old; do
		rm -rf badrope
		cp -R model badrope
		case $kind in
		five) edit badrope/config.json "del x['rope_theta'], x['rope_scaling']; x['rope_parameters'] = {$rope, 'rope_theta': 5e5}" ;;
		old) edit badrope/config.json "del x['rope_parameters']; x['rope_scaling'] = {'type': 'linear', 'factor': 2.0}" ;;
		esac
		rm -rf run again
		lucie-train -q -c base.ini --set train.steps=1 --init badrope -o run
		lucie-export -q -o again run
		python3 - $kind <<-'END'
			import json, sys
			x = json.load(open("again/config.json"))
			scaling, five = x["rope_scaling"], dict(x["rope_parameters"])
			theta = 5e5 if sys.argv[1] == "five" else 1e4
			assert x["rope_theta"] == five.pop("rope_theta") == theta
			assert scaling == five
			if theta == 5e5:
			    assert scaling == {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0,
			        "high_freq_factor": 4.0, "original_max_position_embeddings": 8}
			else:
			    assert scaling == {"rope_type": "linear", "factor": 2.0}
		END
	done
}

@test "training goes on from it in every layout" {
	local layout
	lucie-train -q -c base.ini --init parts -o run
	run -1 cmp -s run/latest/weights.safetensors first/latest/weights.safetensors
	for layout in dp=2 pp=2 tp=2; do
		rm -rf run2
		ranks 2 -q -c base.ini --init parts --set parallel.$layout -o run2
		if [ $layout = tp=2 ]; then
			export_run run && export_run run2
			near run run2 1e-5 && near_weights run.out run2.out 1e-4
		else
			same_run run run2
		fi
	done
	# Once begun, a run needs the folder no more.
	cp -R parts badgone
	lucie-train -q -c base.ini --init badgone --set checkpoint.every=1 -o run3
	rm -rf badgone run3/step-00000002
	ln -sfn step-00000001 run3/latest
	lucie-train -q -o run3
	cmp run/latest/weights.safetensors run3/latest/weights.safetensors
}

@test "new tokens get new rows, in every layout" {
	lucie-train -q -c base.ini --init model --set model.vocab=416 --set train.steps=1 -o run
	lucie-export -q --init --dtype f32 -o again run
	python3 - <<-'END'
		import json, struct
		def read(f):
		    d = open(f + "/model.safetensors", "rb").read()
		    n, = struct.unpack("<Q", d[:8])
		    h = json.loads(d[8:8 + n])
		    return {k: d[8 + n:][slice(*v["data_offsets"])] for k, v in h.items() if k != "__metadata__"}
		a, b = read("model"), read("again")
		for k in a:
		    assert b[k][:len(a[k])] == a[k], k
		    more = len(b[k]) - len(a[k])
		    assert more == (16 * 32 * 4 if k in ("model.embed_tokens.weight", "lm_head.weight") else 0), k
		    rows = struct.unpack("<%df" % (more // 4), b[k][len(a[k]):])
		    assert all(rows) and all(abs(x) < 0.2 for x in rows)
	END
	ranks 2 -q -c base.ini --init model --set model.vocab=416 --set train.steps=1 --set parallel.pp=2 -o run2
	same_run run run2
	ranks 2 -q -c base.ini --init model --set model.vocab=416 --set train.steps=1 --set parallel.tp=2 -o run3
	export_run run && export_run run3 && near_weights run.out run3.out 1e-4
}

# refused SENTENCE [COMMAND]...: no program follows the folder `bad`, which is removed; each says so in
# one line with this in it.
refused() {
	local says=$1 c
	shift
	for c in "${@:-lucie-export -o again bad}"; do
		# shellcheck disable=SC2086 # words
		run -2 timeout 60 $c
		[[ ${#lines[@]} = 1 && "$output" == *"$says"* ]] || {
			echo "$c: $output"
			return 1
		}
		[ ! -e run ] && [ ! -e again ]
	done
	rm -rf bad
}

# everyone SENTENCE: the same of all that read such folders.
everyone() {
	refused "$1" "lucie-train -c base.ini --init bad -o run" "lucie-eval bad shards/demo" \
		"lucie-generate bad" "lucie-export -o again bad"
}

@test "a configuration that cannot be followed is refused, whoever reads it" {
	# All others in test_hugging_face.c.
	cp -R model bad
	edit bad/config.json "x['attention_bias'] = True"
	everyone 'bad/config.json: attention_bias is true: biases'
	cp -R model bad
	printf '{' >bad/config.json
	refused 'bad/config.json'
	# Sizes that the weights do not have, however large, take no memory.
	cp -R model bad
	edit bad/config.json "x['vocab_size'] = 2**31; x['num_hidden_layers'] = 30000"
	everyone 'bad/model.safetensors: tensor '
}

# tensors FILE CODE: change a safetensors file, as the dictionaries `h` of heads and `d` of data.
tensors() {
	python3 - "$@" <<-'END'
		import json, struct, sys
		b = open(sys.argv[1], "rb").read()
		n, = struct.unpack("<Q", b[:8])
		h = json.loads(b[8:8 + n])
		h.pop("__metadata__", None)
		d = {k: b[8 + n:][slice(*v["data_offsets"])] for k, v in h.items()}
		exec(sys.argv[2])
		at = 0
		for k in h:
		    h[k]["data_offsets"] = [at, at + len(d[k])]
		    at += len(d[k])
		t = json.dumps(h).encode()
		open(sys.argv[1], "wb").write(struct.pack("<Q", len(t)) + t + b"".join(d[k] for k in h))
	END
}

@test "weights that do not fit are refused by tensor and file" {
	local norm=model.norm.weight file
	cp -R model bad
	tensors bad/model.safetensors "del h['$norm'], d['$norm']"
	refused "bad/model.safetensors: tensor $norm is missing"
	cp -R model bad
	tensors bad/model.safetensors "h['a.bias'] = dict(h['$norm']); d['a.bias'] = d['$norm']"
	refused "the model has no tensor a.bias"
	cp -R model bad
	tensors bad/model.safetensors "h['$norm']['shape'] = [2, 16]"
	refused "tensor $norm is 2 x 16, the model's is 32 x 1"
	cp -R model bad
	tensors bad/model.safetensors "h['$norm']['dtype'] = 'I32'"
	refused "tensor $norm has the unsupported type I32"
	for value in nan inf; do
		cp -R model bad
		tensors bad/model.safetensors "d['$norm'] = struct.pack('<f', float('$value')) + d['$norm'][4:]"
		everyone "tensor $norm has a value that is not finite"
	done
	cp -R model bad
	truncate -s -5 bad/model.safetensors
	refused "bad/model.safetensors: "
	cp -R model bad
	rm bad/model.safetensors
	refused "bad: no weights"
	# What older versions of transformers saved is left aside.
	cp -R model bad
	tensors bad/model.safetensors \
		"h['model.layers.0.self_attn.rotary_emb.inv_freq'] = {'dtype': 'F32', 'shape': [4]}; d['model.layers.0.self_attn.rotary_emb.inv_freq'] = bytes(16)"
	lucie-export -q --dtype f32 -o again bad
	cmp model/model.safetensors again/model.safetensors
}

@test "an index that does not fit is refused" {
	local norm=model.norm.weight last
	last=$(basename "$(printf '%s\n' parts/model-*.safetensors | tail -n 1)")
	cp -R parts bad
	edit bad/model.safetensors.index.json "x['weight_map']['$norm'] = '../model/model.safetensors'"
	everyone 'weight_map has "../model/model.safetensors", not the name of a file'
	cp -R parts bad
	edit bad/model.safetensors.index.json "x['weight_map']['$norm'] = '..'"
	refused 'weight_map has "..", not the name of a file'
	cp -R parts bad
	edit bad/model.safetensors.index.json "x['weight_map']['$norm'] = 7"
	refused "the file of tensor $norm is no text"
	cp -R parts bad
	edit bad/model.safetensors.index.json "del x['weight_map']['$norm']"
	refused "index.json: tensor $norm is missing"
	cp -R parts bad
	edit bad/model.safetensors.index.json "x['weight_map']['more'] = '$last'"
	refused "index.json: the model has no tensor more"
	cp -R parts bad
	rm "bad/$last"
	everyone "index.json lists a file that is missing: bad/$last"
	# The same tensor in two files.
	cp -R parts bad
	tensors "bad/model-00001-of-${last#*-of-}" "h['$norm'] = {'dtype': 'F32', 'shape': [32]}; d['$norm'] = bytes(128)"
	refused "tensor $norm is here, but bad/model.safetensors.index.json has it in another file"
	cp -R parts bad
	printf '[]' >bad/model.safetensors.index.json
	refused 'index.json'
	# A head beside an embedding that is the head.
	cp -R model bad
	edit bad/config.json "x['tie_word_embeddings'] = True"
	refused 'lm_head.weight is not the embedding'
	cp -R model bad
	edit bad/config.json "x['tie_word_embeddings'] = True"
	tensors bad/model.safetensors "d['lm_head.weight'] = d['model.embed_tokens.weight']"
	lucie-export -q -o again bad
	run -1 grep -q lm_head again/model.safetensors
}

# disagrees SENTENCE SET...: a [model] section that says something else is refused.
disagrees() {
	run -2 lucie-train -c base.ini --init model "${@:2}" -o run
	[[ ${#lines[@]} = 1 && "$output" == *"$1"* ]] || { echo "$output"; return 1; }
	[ ! -e run ]
}

@test "the sizes of [model] may be left out, or must agree" {
	disagrees 'model.hidden is 64, and 32 in the model' --set model.hidden=64
	disagrees 'model.vocab is 300, and 400' --set model.vocab=300
	disagrees 'model.rope_theta is 500000, and 10000' --set model.rope_theta=5e5
	disagrees 'model.tied is yes, and no' --set model.tied=yes
	disagrees 'model.rope_scaling is linear, and none' --set model.rope_scaling=linear \
		--set model.rope_factor=2
	disagrees 'model.hidden is 64, and 32' --set model.preset=tiny
	run -2 lucie-train -c base.ini --init nowhere -o run
	[[ ${#lines[@]} = 1 && "$output" == *"train.init: nowhere has no config.json"* ]]
	# A phase may change what phases may change.
	cp base.ini two.ini
	printf '[phase extension]\nmodel.rope_theta = 5e5\ntrain.context = 32\n' >>two.ini
	lucie-train -q -c two.ini --init model -o run
	grep -q '^hidden = 32$' run/config.ini
	lucie-export -q -o again run
	grep -q '"rope_theta": 500000.0' again/config.json
}

@test "a class that makes transformers 5 pass over tokenizer.json is named, and not written" {
	cp -R model bad
	edit bad/tokenizer_config.json "x['tokenizer_class'] = 'LlamaTokenizer'; x['chat_template'] = [{'name': 'rag', 'template': 'no'}, {'name': 'default', 'template': '{{ x }}é<|eot_id|>'}]"
	run -0 lucie-train -c base.ini --init bad --set train.steps=1 --set train.log_every=0 -o run
	[[ "$output" == *'bad/tokenizer_config.json: transformers 5 does not follow'*'"LlamaTokenizer"'* ]]
	cmp run/tokenizer.json model/tokenizer.json
	[[ "$output" != *"another tokenizer"* ]]
	# So are other ids.
	rm -rf run
	sed 's/<unused1>/<turn>/' model/tokenizer.json >bad/tokenizer.json
	run -0 lucie-train -c base.ini --init bad --set data.tokenizer=tokenizer.json \
		--set train.steps=1 --set train.log_every=0 -o run
	[[ "$output" == *"lucie-train: bad/tokenizer.json: is another tokenizer than tokenizer.json"* ]]
	rm -rf run
	cp model/tokenizer.json bad
	lucie-train -q -c base.ini --init bad --set train.steps=1 --set train.log_every=0 -o run
	printf '{{ x }}é<|eot_id|>' | cmp - run/chat_template.jinja
	run -0 lucie-eval bad shards/demo
	[[ "$output" == *'"LlamaTokenizer"'* ]]
	lucie-export -q -o again run
	cmp run/chat_template.jinja again/chat_template.jinja
	python3 - <<-'END'
		import json
		x = json.load(open("again/tokenizer_config.json"))
		assert x["tokenizer_class"] == "PreTrainedTokenizerFast"
		assert x["chat_template"] == "{{ x }}é<|eot_id|>"
	END
	# Of a template that writes it out, the end of a turn ends a generation, if the tokenizer has it.
	grep -q '"eos_token_id": 1,' again/generation_config.json
	rm -rf bad again
	lucie-tok-train -q --vocab-size 400 --special-token '<|eot_id|>' -o badtok.json a.jsonl
	lucie-shard -q -t badtok.json -o badshard a.jsonl
	lucie-train -q -c first.ini --set data.train=badshard --set data.tokenizer=badtok.json \
		--set train.steps=1 -o run4
	printf '{{ m }}<|eot_id|>' >badchat.jinja
	lucie-export -q --chat-template badchat.jinja -o again run4
	python3 - <<-'END'
		import json
		eot = [a["id"] for a in json.load(open("badtok.json"))["added_tokens"] if a["content"] == "<|eot_id|>"]
		assert json.load(open("again/generation_config.json"))["eos_token_id"] == [1] + eot
		assert json.load(open("again/config.json"))["eos_token_id"] == 1
	END
	lucie-export -q -o again2 again
	diff -x README.md -r again again2
}

# context FOLDER: what a model can be used with
context() {
	python3 -c 'import json, sys; print(json.load(open(sys.argv[1] + "/config.json"))["max_position_embeddings"])' "$1"
}

@test "a model keeps the longest context that it was trained on with its rotary positions" {
	{
		cat base.ini
		printf '%s\n' '[phase a]' 'train.steps = 1' '[phase b]' 'train.steps = 1' 'train.context = 24' \
			'model.rope_theta = 50000' '[phase c]' 'train.steps = 1' 'train.context = 8' \
			'model.rope_theta = 50000' '[phase d]' 'train.steps = 1' 'train.context = 12'
	} >run.ini
	lucie-train -q -c run.ini --init model --until c -o run
	lucie-export -q -o runc run
	[ "$(context runc)" = 24 ]
	lucie-generate --context 24 -n 2 run >again
	# The card counts the tokens of each phase with the context of the phase.
	grep '^Compute: .* in the context of each phase' runc/README.md | python3 -c '
import json, sys
c = json.load(open("runc/config.json"))
h, kv = c["hidden_size"], c["num_key_value_heads"] * c["head_dim"]
q, layers = c["num_attention_heads"] * c["head_dim"], c["num_hidden_layers"]
matrices = layers * (2 * h * q + 2 * h * kv + 3 * h * c["intermediate_size"]) + c["vocab_size"] * h
norms = (2 * layers + 1) * h
found, want = float(sys.stdin.read().split()[1]), sum(4 * t * 12 * layers * q * t for t in (16, 24, 8))
assert any(abs(found / (want + 6 * n * 4 * 48) - 1) < 5e-3 for n in (matrices, matrices + norms)), found'
	# With other positions the context is that of the phase.
	lucie-train -q -c run.ini --init model -o run
	lucie-export -q -o rund run
	[ "$(context rund)" = 12 ]
	# So with a model that a run begins with.
	lucie-train -q -c base.ini --init runc --set train.context=8 -o run8
	lucie-export -q -o again8 run8
	[ "$(context again8)" = 24 ]
	{
		cat base.ini
		printf '%s\n' '[phase a]' 'train.context = 8' 'model.rope_theta = 7000'
	} >run.ini
	lucie-train -q -c run.ini --init runc -o run9
	lucie-export -q -o again9 run9
	[ "$(context again9)" = 8 ]
}
