# Small files under the names that the manual pages' examples use, in the current folder:
# a.jsonl b.jsonl tokenizer.json shards/demo.* recipe.ini run/ pages/. What a program makes is
# made by the program.

# fixtures NAME...: makes these, and what they are made from.
fixtures() {
	local name
	for name; do
		[ -e "$name" ] || "make_${name%%.*}" || return 1
	done
}

make_a() { cp "$LUCIE_SRC/tests/data/a.jsonl" .; }
make_b() { cp "$LUCIE_SRC/tests/data/b.jsonl" .; }
make_recipe() { cp "$LUCIE_SRC/tests/data/recipe.ini" .; }

make_train() { cp "$LUCIE_SRC/tests/data/train.ini" .; }

make_pages() {
	cp -R "$LUCIE_SRC/tests/data/pages" . &&
		tar -C pages --sort=name --mtime=@0 --owner=0 --group=0 -czf pages/all.tar.gz \
			garden.html riviere.txt tyre.1
}

make_tokenizer() {
	fixtures a.jsonl b.jsonl && lucie-tok-train --vocab-size 400 -o tokenizer.json a.jsonl b.jsonl
}

make_shards() {
	fixtures a.jsonl tokenizer.json && mkdir shards &&
		lucie-shard -t tokenizer.json -o shards/demo a.jsonl
}

make_run() {
	fixtures shards train.ini && lucie-train -q -c train.ini -o run
}

# opens PREFIX: whether it is a shard for a program that reads one.
opens() { lucie-trace "$1" --token 0 >/dev/null 2>&1 || lucie-check "$1" >/dev/null 2>&1; }

# Records of ids: a SEED gives other ones.
records() {
	awk -v n="$1" -v seed="$2" 'BEGIN {
		for (i = 0; i < n; i++)
			printf "{\"id\":%d,\"lang\":\"%s\",\"ids\":[%d,%d,%d]}\n", i,
				i % 2 ? "fr" : "en", (i * 7 + seed) % 1000, i % 1000, seed
	}'
}
