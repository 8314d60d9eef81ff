#!/usr/bin/env bats
# What every program that reads documents does with its operands and with records of other tools:
# members of other names, files without documents, given twice or of another format, the summary on
# a terminal, numbers of one type, and no output without its accounting line.

bats_require_minimum_version 1.5.0

load contract

reads_fields() { reads_documents "$1" && takes "$1" text-field; }
# lucie-stats counts documents with --documents only.
has_stats() { takes "$1" stats && reads_files "$1" && [ "$1" != lucie-stats ]; }

# foreign: a.jsonl with other names, the text in a nested object.
foreign() {
	python3 - <<-'END' >foreign.jsonl
	import json
	for line in open("a.jsonl"):
	    d = json.loads(line)
	    new = {"data": {"body": d.pop("text"), "n": 1}, "code": d.pop("lang", None), "num": d.pop("id")}
	    new["meta"] = {"from": {"where": d.pop("source", None)}}
	    new.update(d)
	    print(json.dumps(new, ensure_ascii=False))
	END
}

@test "--text-field and --map give what the known names give, in every program" {
	foreign
	# What the programs write for records that have the names from the start, in that order.
	lucie-normalize --form none --text-field data.body \
		--map lang=code,id=num --map source=meta.from.where foreign.jsonl >known.jsonl
	python3 - <<-'END'
	import json
	for old, new in zip(open("a.jsonl"), open("known.jsonl")):
	    old, new = json.loads(old), json.loads(new)
	    assert {k: new[k] for k in old} == old, (old, new)
	    assert new["data"] == {"n": 1} and "code" not in new and "num" not in new
	END
	check() {
		result "$1" known.jsonl dir/a || echo "exit $?: $(cat err)"
		cp foreign.jsonl saved && cp foreign.jsonl x.jsonl
		result "$1" foreign.jsonl dir/b --text-field data.body --map \
			lang=code,id=num,source=meta.from.where || echo "exit $?: $(cat err)"
		same dir/a dir/b "mapping"
		# What was renamed passes through the same options.
		result "$1" known.jsonl dir/c --text-field data.body --map \
			lang=code,id=num,source=meta.from.where || echo "again: exit $?: $(cat err)"
		same dir/a dir/c "mapping twice"
	}
	each check reads_fields
}

@test "every program that reads documents takes --text-field, --map and --allow-empty" {
	check() {
		local o
		for o in text-field map allow-empty; do
			takes "$1" $o || echo "--$o is unknown"
		done
	}
	each check reads_documents
}

@test "a record without a text: the message says which members there are and what to try" {
	echo '{"id":"0123456789","content":"abc","meta":{"n":1}}' >no-text.jsonl
	check() {
		local status=0
		to_file "$1" no-text.jsonl || status=$?
		trouble $status dir 'no-text.jsonl:1: no "text" member; it has "id", "content", "meta": try --text-field content$'
		status=0
		to_file "$1" no-text.jsonl --text-field body || status=$?
		trouble $status dir 'no "body" member; it has .*: try --text-field content$'
	}
	needs_text() { [[ " lucie-mix lucie-stats " != *" $1 "* ]]; }
	each check reads_fields needs_text
}

@test "unknown names and wrong values of --map are refused" {
	check() {
		local status=0
		to_file "$1" a.jsonl --map language=l || status=$?
		trouble $status dir "'language' is not one of .*did you mean 'lang'"
		status=0
		to_file "$1" a.jsonl --map lang || status=$?
		trouble $status dir "'lang' is not NAME=MEMBER"
		status=0
		to_file "$1" a.jsonl --text-field a --map text=b || status=$?
		trouble $status dir "'text' is mapped twice, to 'a' and 'b'"
	}
	each check reads_fields
}

@test "rejects and edits of mapped records: the record as read, sixteen names at most" {
	echo '{"content":"","x":1}' >in.jsonl
	run -0 lucie-normalize --text-field content --trim --rejects r in.jsonl
	[ "$(cat r)" = '{"file":"in.jsonl","line":1,"reason":"empty text","value":null,"record":{"content":"","x":1}}' ]
	echo '{"b":"Bonjour le monde, voici une phrase.","i":1,"s":"s","l":"de","c":0.5,"k":"MIT","u":"u","d":"d","y":"y"}' >in.jsonl
	lucie-lang --text-field b --map id=i,source=s,lang=l,lang_score=c,license=k,url=u,date=d,category=y \
		in.jsonl >out
	grep -q '^{"text":"Bonjour le monde, voici une phrase.","id":1,"source":"s","lang":"fr","lang_score":0.[0-9]*,"license":"MIT","url":"u","date":"d","category":"y","lang_declared":"de"}$' out
}

# cut RECORD: each beginning of the record as a file; the program must answer and not die.
@test "mapped records that are cut anywhere are bad, one sentence each" {
	local record='{"m":{"t":"a\u00e9\ud83d\ude00","l":"fr"},"i" : 1, "text":null}' i status
	for ((i = 1; i < ${#record}; i++)); do
		printf '%s\n' "${record:0:i}" >cut.jsonl
		status=0
		lucie-normalize --text-field m.t --map lang=m.l,id=i cut.jsonl >out 2>err || status=$?
		[ "$status" = 2 ] && [ "$(wc -l <err)" = 1 ] && [ ! -s out ]
		status=0
		lucie-normalize --repair --max-bad 1 --text-field m.t --map lang=m.l cut.jsonl >out 2>err || status=$?
		[ "$status" = 0 ] && [ ! -s out ]
	done
	printf '{"m":{"t":"a\\udc00"}}\n{"m":{"t":"\377"}}\n' >lone.jsonl
	run -2 lucie-normalize --text-field m.t lone.jsonl
	[ "$output" = 'lucie-normalize: lone.jsonl:1: lone surrogate' ]
	lucie-normalize --repair --text-field m.t lone.jsonl >out
	[ "$(cat out)" = $'{"m":{},"text":"a\\ufffd"}\n{"m":{},"text":"\xef\xbf\xbd"}' ]
	run -2 lucie-normalize --max-line 8 --text-field m.t lone.jsonl
	[ "$output" = 'lucie-normalize: lone.jsonl:1: longer than --max-line: 21' ]
}

@test "a file without documents is refused by name, and leaves no output" {
	: >empty.jsonl
	printf '\n \r\n' >blank.jsonl
	gzip -c empty.jsonl >packed
	check() {
		local f status
		for f in empty.jsonl blank.jsonl packed; do
			status=0
			to_file "$1" "a.jsonl $f" || status=$?
			trouble $status dir "$f: holds no documents (.*); --allow-empty accepts it"
			status=0
			to_file "$1" "$f b.jsonl" --max-bad 9 || status=$?
			trouble $status dir "$f: holds no documents"
			result "$1" "a.jsonl $f" dir/x --allow-empty || echo "--allow-empty: exit $?: $(cat err)"
			rm -rf dir/*
		done
	}
	each check reads_documents
}

@test "standard input may be empty" {
	check() {
		result "$1" "" dir/a </dev/null || echo "exit $?: $(cat err)"
		result "$1" - dir/b </dev/null || echo "-: exit $?: $(cat err)"
	}
	# A shard of no document is refused by itself.
	may_be_empty() { [[ "$needs_input lucie-shard " != *" $1 "* ]]; }
	each check reads_documents may_be_empty
}

@test "a file in another format is named, also where bad records are skipped" {
	printf 'PAR1\25\4\25' >x.parquet
	printf '%%PDF-1.7\n' >x.pdf
	printf 'PK\3\4' >x.zip
	printf '\211PNG\r\n' >x.png
	tar -cf - a.jsonl | gzip >x.tar.gz
	printf '\n<!DOCTYPE html>' | tail -c +2 >x.html
	echo '<mediawiki xml:lang="fr">' >x.wiki
	echo 'From a@b.example Thu Jan  1 00:00:00 2026' >x.mbox
	check() {
		local f status
		for f in "x.parquet Parquet, which only lucie-import reads; write it as JSON Lines" \
			"x.pdf a PDF file, where JSON Lines are expected" \
			"x.png PNG image, where JSON Lines are expected" \
			"x.zip a zip archive, where JSON Lines are expected" \
			"x.tar.gz a tar archive, where" "x.html an HTML page, where" \
			"x.wiki a dump of a wiki, where" "x.mbox a mailbox, where"; do
			status=0
			to_file "$1" "a.jsonl ${f%% *}" --rejects r || status=$?
			trouble $status dir "${f/ /: }"
		done
	}
	each check reads_documents
}

@test "the same file twice is refused, by whatever name" {
	ln -sf a.jsonl link.jsonl
	check() {
		local second status
		for second in a.jsonl ./a.jsonl link.jsonl; do
			status=0
			to_file "$1" "b.jsonl a.jsonl $second" || status=$?
			trouble $status dir "^$1: $second: given twice"
		done
	}
	each check reads_documents
}

# on_terminal COLUMNS COMMAND: run it on a pseudo-terminal, with what it prints in `screen`.
on_terminal() {
	script -qec "stty cols $1; $2" screen </dev/null >/dev/null
	sed -i '1{/^Script started/d}; /^Script done/d; s/\r$//; s/\r\x1b\[K//g' screen
	sed -i '/^$/d' screen
}

@test "on a terminal each program ends with one summary line that fits; -q has none" {
	check() {
		command_of "$1" a.jsonl dir/out
		on_terminal 80 "${cmd[*]} >dir/data"
		[ "$(tail -n 1 screen | grep -c "^$1: 12 documents in, ")" = 1 ] ||
			echo "no summary: $(tail -n 2 screen)"
		! grep -q '.\{81\}' screen || echo "too wide: $(cat screen)"
		! grep -q 'more than half' screen || echo "a note besides: $(cat screen)"
		rm -rf dir/*
		command_of "$1" a.jsonl dir/out -q
		on_terminal 80 "${cmd[*]} >dir/data"
		! grep -q 'documents in' screen || echo "-q: $(cat screen)"
		result "$1" a.jsonl dir/x || echo "exit $?"
		! grep -q 'documents in' err || echo "off a terminal: $(cat err)"
	}
	each check reads_documents
}

@test "the summary names the reasons, largest first" {
	printf '{"text":"%s"}\n' a '' '' '' x >s.jsonl
	echo bad >>s.jsonl
	on_terminal 80 'lucie-normalize --trim --max-bad 5 s.jsonl >out'
	[ "$(cat screen)" = 'lucie-normalize: 6 documents in, 2 out, 4 dropped: 3 empty text, 1 not JSON' ]
	on_terminal 70 'lucie-normalize --trim --max-bad 5 s.jsonl >out'
	[ "$(cat screen)" = 'lucie-normalize: 6 documents in, 2 out, 4 dropped: 3 empty text, ...' ]
	on_terminal 60 'lucie-normalize --trim --max-bad 5 s.jsonl >out'
	[ "$(cat screen)" = 'lucie-normalize: 6 in, 2 out, 4 dropped: 3 empty text, ...' ]
}

# types FILE: fail where a member is a whole number in one record and a real one in another.
types() {
	python3 - "$1" <<-'END'
	import json, sys
	seen = {}
	def look(path, v):
	    if isinstance(v, dict):
	        for k, x in v.items():
	            look(path + (k,), x)
	    elif isinstance(v, (int, float)) and not isinstance(v, bool):
	        if seen.setdefault(path, type(v)) is not type(v):
	            sys.exit("%s is %s and %s" % (".".join(path), seen[path].__name__, type(v).__name__))
	lines = [json.loads(l) for l in open(sys.argv[1])]
	for l in lines:
	    look((), l)
	assert seen and len(lines) > 1, "nothing to see"
	END
}

@test "a number member is always whole or always real" {
	{
		cat a.jsonl b.jsonl
		printf '{"text":"%s","id":0}\n' '' 'un' '1 2 3' 'le le le le le' '- a' 'The cat. The cat.' \
			'Der Hund schläft heute im Garten, und die Katze liest ein Buch.'
	} >odd.jsonl
	lucie-lang odd.jsonl >langs
	grep -q '"lang_score": *0\.0[,}]' langs
	types <(grep -o '"lang_score": *[^,}]*' langs | sed 's/^/{/; s/$/}/')
	lucie-filter --annotate odd.jsonl | grep -o '"quality.*' | sed 's/^/{/' >quality
	types quality
	lucie-filter -q --preset gopher --rejects r odd.jsonl >/dev/null
	sed 's/,"record":.*/}/' r >values
	types values
	printf '{"text":"%s","id":%d}\n' "$(seq -s ' ' 200)" 1 "$(seq -s ' ' 200)" 2 \
		"$(seq -s ' ' 200) z" 3 "$(seq -s ' ' 2 200)" 4 >near
	lucie-dedup --near --removed removed near >/dev/null
	grep -q '"similarity":1\.0,' removed
	types removed
}

@test "without its accounting line no output appears" {
	check() {
		local status=0
		to_file "$1" "$(fixture_of "$1")" --stats /dev/full || status=$?
		trouble $status dir "/dev/full: No space left on device"
	}
	each check has_stats
	printf '[mix]\nunit = tokens\n[group all]\nepochs = 1\n' >plan.ini
	run -2 lucie-mix -q -c plan.ini --plan --report dir/report --stats /dev/full -o dir/plan shards/demo
	[ -z "$(ls dir)" ]
	run -2 lucie-dedup --exact --removed dir/removed --stats /dev/full -o dir/out a.jsonl
	[ -z "$(ls dir)" ]
}

@test "a full disk for rejects or output: no output and no accounting line" {
	check() {
		local status=0
		{ cat a.jsonl && echo bad; } >bad.jsonl
		rm -f s
		to_file "$1" bad.jsonl --rejects /dev/full --stats s || status=$?
		trouble $status dir "/dev/full: No space left on device"
		[ ! -e s ] || echo "an accounting line: $(cat s)"
	}
	has_rejects() { takes "$1" rejects && takes "$1" stats; }
	each check reads_documents has_rejects
}

@test "documents that are all bad are not dropped without a word" {
	printf '{"content":"a"}\n{"content":"b"}\n' >other.jsonl
	lucie-normalize --rejects r -o n.jsonl other.jsonl 2>err
	[ "$(cat err)" = "lucie-normalize: all 2 documents dropped: no \"text\"" ]
	lucie-normalize -q --max-bad 9 -o n.jsonl other.jsonl 2>err
	[ ! -s err ]
}

@test "a mapped name that no record has is said, and a wrong type by its own name" {
	printf '{"content":"a","meta":{"lang":"fr"}}\n{"content":"b","id":"7"}\n' >named.jsonl
	lucie-normalize --text-field content --map lang=meta.lnag,id=doc -o n.jsonl named.jsonl 2>err
	[ "$(cat err)" = "lucie-normalize: --map lang=meta.lnag: no record has this member" ]
	lucie-normalize --text-field content --map lang=meta.lang -o n.jsonl named.jsonl 2>err
	[ ! -s err ]
	lucie-normalize --map lang=meta.lang -o again.jsonl n.jsonl 2>err
	[ ! -s err ]
	echo '{"content":5}' >number.jsonl
	run -2 lucie-normalize --text-field content -o n.jsonl number.jsonl
	[ "$output" = 'lucie-normalize: number.jsonl:1: "content" is not a string' ]
}
