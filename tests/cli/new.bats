#!/usr/bin/env bats
# A dataset that `lucie new` begins builds on whatever is put into raw/.
bats_require_minimum_version 1.5.0

setup() { cd "$BATS_TEST_TMPDIR" || return 1; }

# put_raw: files of every kind in raw/, with what must be made of them in the text.
put_raw() {
	mkdir -p "raw/my books/deeper" raw/web
	printf 'The mill stands at the bend of the river, plain.\n' >raw/plain.txt
	printf '# Title\n\nSome *Markdown* about a garden, marked.\n' >raw/notes.md
	printf 'A letter that was packed, gzipped.\n' | gzip >raw/letter.txt.gz
	printf 'A chapter about the harbour, folded.\n' | zstd -q >"raw/my books/deeper/a b.txt.zst"
	printf '<html><body><p>A page about the village, paged.</p></body></html>\n' >raw/web/page.html
	printf '{"id":1,"text":"A record about the weather, recorded."}\n' >raw/plain.jsonl
	printf '{"id":2,"text":"A record in a folder, nested."}\n' | gzip >"raw/my books/r.jsonl.gz"
	printf '{"id":3,"text":"A record of zstd, squeezed."}\n' | zstd -q >raw/other.jsonl.zst
	printf 'A text in an archive, archived.\n' >inner.txt
	tar -cf raw/pages.tar inner.txt
	printf '\211PNG\0\0\0' >raw/picture.png
}
words='plain marked gzipped folded paged recorded nested squeezed archived'

# texts_of FILE...: the texts of documents.
texts_of() { zstd -dcq "$@"; }

@test "from mixed files to a model that generates" {
	lucie -q new mine && cd mine
	run -2 make
	[[ $output == *"no files in raw/"* ]]
	put_raw
	make -j2 >log 2>&1 || {
		cat log
		return 1
	}
	texts_of work/filter/*.zst >texts
	local word
	for word in $words; do
		[ "$(grep -c "$word" texts)" = 1 ] || { echo "not once: $word"; return 1; }
	done
	grep -q '"source":"my_books"' texts
	grep -q '"lang":"en"' texts
	# It says what there is too little text for.
	grep -q 'too little for a good tokenizer' log
	grep -q 'too few to hold any out' log
	lucie generate -q -n 5 -p The work/model | grep -q .
	[ -s work/report.html ]
	run -0 make -q
	run -0 make
	# A changed file rebuilds its source, no other.
	sleep 0.1
	echo 'It was rebuilt after the flood.' >>raw/plain.txt
	make filtered >log
	[ "$(grep -cE '^  import ' log)" = 1 ]
	texts_of work/filter/files.jsonl.zst | grep -q 'after the flood'
	# A source that is gone.
	rm -r raw/web
	make -j2 >log 2>&1
	[ "$(lucie stats --documents --json work/dedup/near.jsonl.zst | grep -c paged)" = 0 ]
	run ! grep -q paged <(texts_of work/dedup/near.jsonl.zst)
}

@test "the text of records under another name" {
	lucie -q new mine && cd mine
	printf '{"id":1,"content":"A record about the weather, found."}\n' >raw/a.jsonl
	printf '{"id":2,"body":{"de":"Ein Satz im Satz, gefunden."}}\n' | gzip >raw/b.jsonl.gz
	printf 'One text beside the records.\n' >raw/c.txt
	make -j2 >log 2>&1 || {
		cat log
		return 1
	}
	grep -q 'the text of the records is "content"' log
	grep -q 'the text of the records is "body.de"' log
	[ "$(texts_of work/dedup/near.jsonl.zst | grep -cE '"text":.*(found|gefunden|beside)')" = 3 ]
	# A setting says otherwise.
	printf '{"id":1,"content":"Not this, which is longer than the other.","body":"But this one."}\n' >raw/a.jsonl
	rm raw/b.jsonl.gz
	make filtered RECORD_FLAGS='--text-field body' >log
	texts_of work/filter/a+jsonl.jsonl.zst | grep -q '"text":"But this one."'
}

@test "one short file is enough, and none is said" {
	lucie -q new mine && cd mine
	printf 'Hello, world. These are two short sentences.\n' >raw/short.txt
	make >log 2>&1 || {
		cat log
		return 1
	}
	grep -q 'so the context is' log
	lucie generate -q -n 2 work/model >/dev/null
	printf 'BM\0\0' >raw/short.txt
	run -2 make
	[[ $output != *"Traceback"* && $output == *[Nn]"o document"* ]]
	[ ! -e work/tokenizer.json ] || [ work/tokenizer.json -ot raw/short.txt ]
}

@test "a change of train.ini or of a setting counts" {
	lucie -q new mine && cd mine
	# Enough documents to hold some out.
	cp "$LUCIE_SRC"/tests/data/[ab].jsonl raw
	sed -i 's/^\[train\]/&\nsteps = 3\ncontext = 16/' train.ini
	make >log 2>&1
	[ "$(grep -c '"lr"' work/run/metrics.jsonl)" = 3 ]
	grep -q '^context = 16' work/run/config.ini
	# Documents are held out and scored.
	[ -s work/shards/all-valid.json ]
	grep -q 'bits/byte before' work/eval/scores.jsonl
	sleep 0.1
	sed -i 's/^steps = 3/steps = 4/' train.ini
	make >log 2>&1
	[ "$(grep -c '"lr"' work/run/metrics.jsonl)" = 4 ]
	run ! grep -qE '^  (normalize|shard|mix)' log
	make filtered FILTER_FLAGS='--set min_words=100' >log 2>&1
	grep -q '^  filter ' log
}
