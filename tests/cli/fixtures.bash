# Fixtures: small files with the names used in the examples of the manual pages, in the current
# folder: a.jsonl b.jsonl tokenizer.json shards/demo.* recipe.ini train.ini plan.ini run/ pages/, tables/,
# formats/, chat/ and tuned/. The programs make their own files.

# fixtures NAME...: make these and what they are made from.
fixtures() {
	local name
	for name; do
		[ -e "$name" ] || "make_${name%%.*}" || return 1
	done
}

make_a() { cp "$LUCIE_SRC/tests/data/a.jsonl" .; }
make_b() { cp "$LUCIE_SRC/tests/data/b.jsonl" .; }
make_recipe() { cp "$LUCIE_SRC/tests/data/recipe.ini" .; }

make_plan() { cp "$LUCIE_SRC/pipelines/lucie-7b/hopper.ini" plan.ini; }

make_train() { cp "$LUCIE_SRC/tests/data/train.ini" .; }

make_pages() {
	cp -R "$LUCIE_SRC/tests/data/pages" . &&
		tar -C pages --sort=name --mtime=@0 --owner=0 --group=0 -czf pages/all.tar.gz \
			garden.html riviere.txt tyre.1
}

# Files of many documents, an archive of them too.
make_tables() {
	cp -R "$LUCIE_SRC/tests/data/tables" . &&
		tar -C tables --sort=name --mtime=@0 --owner=0 --group=0 -czf tables/all.tar.gz \
			rows.csv lines.jsonl mail.mbox
}

# One file of each format of files, of web archives and of wikis that is not in pages or tables.
make_formats() {
	cp -R "$LUCIE_SRC/tests/data/formats" . && cp "$LUCIE_SRC"/tests/data/coded/*.warc.* formats &&
		cp "$LUCIE_SRC"/tests/data/office/{word.docx,pandoc.odt,book.epub,page.pdf} formats &&
		cp "$LUCIE_SRC"/tests/data/parquet/{datasets,crossing}.parquet formats
}

make_tokenizer() {
	fixtures a.jsonl b.jsonl && lucie-tok-train --vocab-size 400 -o tokenizer.json a.jsonl b.jsonl
}

make_shards() {
	fixtures a.jsonl tokenizer.json && mkdir shards &&
		lucie-shard -t tokenizer.json -o shards/demo a.jsonl
}

# A byte-level tokenizer of 256 bytes and three special tokens, with a template of headers.
make_chat() {
	mkdir chat || return
	python3 - <<-'END'
		import json
		keep = [*range(33, 127), *range(161, 173), *range(174, 256)]
		other = [b for b in range(256) if b not in keep]
		vocab = {chr(b): b for b in keep}
		vocab.update({chr(256 + i): b for i, b in enumerate(other)})
		def added(i, s): return {"id": i, "content": s, "single_word": False, "lstrip": False,
		                         "rstrip": False, "normalized": False, "special": True}
		names = ["<s>", "<|head|>", "<|end|>"]
		json.dump({"version": "1.0", "truncation": None, "padding": None,
		    "added_tokens": [added(256 + i, s) for i, s in enumerate(names)],
		    "normalizer": None, "post_processor": None,
		    "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False,
		                      "trim_offsets": True, "use_regex": False},
		    "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True,
		                "use_regex": True},
		    "model": {"type": "BPE", "dropout": None, "unk_token": None,
		              "continuing_subword_prefix": None, "end_of_word_suffix": None,
		              "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
		              "vocab": vocab, "merges": []}}, open("chat/tokenizer.json", "w"))
		json.dump({"bos_token": "<s>", "chat_template":
		    "{{ bos_token }}{% for m in messages %}{{ m.role }}<|head|>{{ m.content }}<|end|>"
		    "{% endfor %}{% if add_generation_prompt %}assistant<|head|>{% endif %}"},
		    open("chat/tokenizer_config.json", "w"))
	END
}

# A model of conversations that has learnt nothing, with a context of 400 bytes.
make_tuned() {
	fixtures chat && echo '{"prompt":"Is it red?","response":"No."}' |
		lucie-shard -q --chat -t chat/tokenizer.json -o talk && lucie-train -q -o tuned -c /dev/stdin <<-END
			[model]
			preset = tiny
			[data]
			train = talk
			rows = packed
			tokenizer = chat/tokenizer.json
			[train]
			steps = 2
			context = 400
			micro_batch = 1
			global_batch = 1
		END
}

make_run() {
	fixtures shards train.ini && lucie-train -q -c train.ini -o run
}

# opens PREFIX: true if a program that reads shards opens it.
opens() { lucie-trace "$1" --token 0 >/dev/null 2>&1 || lucie-check "$1" >/dev/null 2>&1; }

# records N SEED: N records of token ids that depend on SEED.
records() {
	awk -v n="$1" -v seed="$2" 'BEGIN {
		for (i = 0; i < n; i++)
			printf "{\"id\":%d,\"lang\":\"%s\",\"ids\":[%d,%d,%d]}\n", i,
				i % 2 ? "fr" : "en", (i * 7 + seed) % 1000, i % 1000, seed
	}'
}

# blocks PAGE FOLDER: writes the literal blocks of EXAMPLES to FOLDER/1.sh, 2.sh, ..., with mdoc's
# escapes undone.
blocks() {
	awk -v folder="$2" '
	/^\.Sh / { examples = $2 == "EXAMPLES"; next }
	!examples { next }
	/^\.Bd -literal/ { inside = 1; n++; next }
	/^\.Ed/ { inside = 0; next }
	inside {
		gsub(/\\e/, "\\")
		gsub(/\\\(aq/, "\047")
		gsub(/\\\(dq/, "\"")
		gsub(/\\\(ti/, "~")
		gsub(/\\\(ha/, "^")
		gsub(/\\-/, "-")
		gsub(/\\&/, "")
		print > (folder "/" n ".sh")
	}' "$1"
}

# A run that has learnt a little: it tells some answers of tests/data/tasks from others.
make_answering() {
	fixtures a.jsonl b.jsonl tokenizer.json && lucie-shard -q -t tokenizer.json -o both a.jsonl b.jsonl &&
		lucie-train -q -o answering -c /dev/stdin <<-END
			[model]
			preset = tiny
			init_std = 0.1
			[data]
			train = both
			tokenizer = tokenizer.json
			[train]
			steps = 150
			context = 64
			micro_batch = 4
			global_batch = 8
			lr = 3e-3
			seed = 7
		END
}
