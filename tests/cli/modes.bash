# Every mode and step of the programs that read documents, one a row, with documents of every kind.
# same_bytes.bats, hostile_steps.bats and tests/faults/modes.bats run all rows.
# shellcheck shell=bash disable=SC2034

load "$LUCIE_SRC/tests/cli/fixtures"

# Command lines; IN is replaced by files of documents, and what they write is in the folder o: o/out
# where no -o is given.
modes=(
	'lucie-normalize --typesetting all --mojibake IN'
	'lucie-lang IN'
	'lucie-lang --paragraphs --labels fra_Latn IN'
	'lucie-filter --preset fr=fineweb2-fr,en=gopher+c4,code=code,*=lucie-web --set min_words=20 IN'
	'lucie-filter --preset c4 --set min_sentences=1 IN'
	'lucie-filter --annotate IN'
	'lucie-filter --expr words>=20 --expr score>1 IN'
	'lucie-filter --pii mask -o o/out.parquet IN'
	'lucie-filter --pii drop IN'
	'lucie-filter --pii spans --pii-spans o/spans IN'
	'lucie-filter --pii apply --pii-spans a.spans IN'
	'lucie-filter --url-list hosts --url-keep keep IN'
	'lucie-filter --robots robots.jsonl --agents CCBot,* IN'
	'lucie-filter --decontaminate test.jsonl --decontaminate-report o/report IN'
	'lucie-filter -t tokenizer.json --tokens-per-char 1 IN'
	'lucie-dedup --exact --removed o/log IN'
	'lucie-dedup --exact --keep newest:date --by lang --removed o/log IN'
	'lucie-dedup --exact --key url --fold --keep longest -z zstd:frames IN'
	'lucie-dedup --near --cluster-size --clusters o/clusters --save-index o/index --removed o/log IN'
	'lucie-dedup --exact --near --keep max:score --verify 0.5 --removed o/log IN'
	'lucie-dedup --near --keep priority:source=books,web --by lang IN'
	'lucie-dedup --near --against a.index --save-index o/index --removed o/log IN'
	'lucie-dedup --near --signatures o/signatures IN'
	'lucie-dedup --near --from-signatures a.signatures IN'
	'lucie-dedup --paragraphs --min-bytes 20 IN'
	'lucie-dedup --within --min-bytes 20 IN'
	'lucie-dedup --paragraphs --within --min-bytes 20 --fold IN'
	'lucie-tok-train --vocab-size 420 IN'
	'lucie-tok-train --preset bytelevel --balance fr=50 --vocab-size 320 IN'
	'lucie-tok-encode -t tokenizer.json IN'
	'lucie-tok-encode -t tokenizer.json --as count IN'
	'lucie-tok-eval -t tokenizer.json IN'
	'lucie-shard -t tokenizer.json -o o/s IN'
	'lucie-shard -t tokenizer.json --max-tokens 900 --holdout valid-{lang}=0.2 -o o/s IN'
	'lucie-check IN'
	'lucie-mix -c recipe.ini --report o/report IN'
	'lucie-mix -c targets.ini --mark-epoch --report o/report IN'
	'lucie-mix -c all.ini --order date --allow CC*,Apache-2.0 IN'
	'lucie-mix -c langs.ini --temperature 3 --total 20000 IN'
	'lucie-mix -c recipe.ini --dry-run IN'
	'lucie-stats --documents --by lang,source,license,domain IN'
	'lucie-stats --documents --json --top 2 --by domain IN'
)
# The same of other files.
modes+=(
	'lucie-import pages'
	'lucie-import tables'
	'lucie-import formats'
	'lucie-import --charset auto --kind lines legacy.txt'
	'lucie-tok-decode -t tokenizer.json ids'
	'lucie-mix -c recipe.ini --plan -o o/plan s1 s2'
	'lucie-stats --shards s1 --shards s2 --by lang,source,license'
	'lucie-check --md5 o/md5 s1 s2'
	'lucie-trace s1 --token 100'
)

# wanted: of the rows on standard input, those of the programs in LUCIE_ONLY, or all.
wanted() {
	local only=${LUCIE_ONLY:-.*}
	grep -E "^(${only// /|}) " || true
}

# exact_steps PARTS FILE...: the rows of exact deduplication in that many parts, a row a task.
exact_steps() {
	local n=$1 f i
	shift
	for f; do echo "lucie-dedup --step keys --keep newest:date --by lang -o $f.keys $f"; done
	for ((i = 1; i <= n; i++)); do
		echo "lucie-dedup --step first --part $i/$n -o $i.first ${*/%/.keys}"
	done
	for f; do
		echo "lucie-dedup --step drop$(seq -f ' --drops %g.first' "$n" | tr -d '\n') --removed $f.exact.log -o $f.exact $f"
	done
}

# near_steps PARTS FILE...: the same of near deduplication.
near_steps() {
	local n=$1 f i met edg
	shift
	met=$(seq -s ' ' -f %g.met "$n")
	edg=$(seq -s ' ' -f %g.edg "$n")
	for f; do echo "lucie-dedup --step sign -o $f.sgn $f"; done
	for ((i = 1; i <= n; i++)); do echo "lucie-dedup --step meet --part $i/$n -o $i.met ${*/%/.sgn}"; done
	for f; do echo "lucie-dedup --step fetch -o $f.gst $f.sgn $met"; done
	for ((i = 1; i <= n; i++)); do echo "lucie-dedup --step edges --part $i/$n -o $i.edg ${*/%/.gst}"; done
	echo "lucie-dedup --step link -o roots $edg"
	for f; do echo "lucie-dedup --step gather -o $f.mbr $f.sgn roots"; done
	for ((i = 1; i <= n; i++)); do echo "lucie-dedup --step settle --part $i/$n -o $i.drop ${*/%/.mbr}"; done
	for f; do
		echo "lucie-dedup --step drop --cluster-size$(seq -f ' --drops %g.drop' "$n" | tr -d '\n') --removed $f.near.log -o $f.near $f"
	done
}

# count_steps PARTS FILE...: the same of a tokenizer; a part is a file that sums some of the counts.
count_steps() {
	local n=$1 f i sums=''
	shift
	for f; do echo "lucie-tok-train --step count -o $f.counts $f"; done
	for ((i = 1; i <= n && i <= $#; i++)); do
		echo "lucie-tok-train --step merge -o $i.sum $(for ((f = i; f <= $#; f += n)); do echo "${!f}.counts"; done | xargs)"
		sums+=" $i.sum"
	done
	echo "lucie-tok-train --step learn --vocab-size 420 -o tok.json$sums"
}

# shard_steps PARTS FILE...: the same of shards; a part is a task with some of the files, in order.
shard_steps() {
	local n=$1 i all=''
	shift
	local each=$((($# + n - 1) / n))
	for ((i = 1; i <= $#; i += each)); do
		echo "lucie-shard -t tokenizer.json --by-file -o part-$i ${*:i:each}"
		all+=" part-$i"
	done
	echo "lucie-shard --merge -o all$all"
}

# kinds: make the files of all rows in the current folder: a.jsonl, and the same in ten files 0.jsonl
# to 9.jsonl.
kinds() {
	fixtures pages tables formats tokenizer.json
	python3 - <<-'END'
	import json
	base = [json.loads(l) for f in ("a.jsonl", "b.jsonl") for l in open(f)]
	docs, n = [], 0
	def add(text, **more):
	    global n
	    n += 1
	    d = {"id": "d%d" % n, "text": text, "source": ("web", "books", "news")[n % 3],
	         "license": ("CC0-1.0", "CC-BY-4.0", "Apache-2.0", "unknown")[n % 4],
	         "date": ("2025", "2026-01-%02d" % (n % 28 + 1), 20260101 + n)[n % 3], "score": n % 5,
	         "url": "https://www%d.example.%s/forum/%d" % (n % 3, ("org", "co.uk")[n % 2], n % 9)}
	    d.update(more)
	    docs.append({k: v for k, v in d.items() if v is not None})
	def changed(text, at):
	    words = text.split(" ")
	    words[at] = words[at] + "x"
	    return " ".join(words)
	for i, b in enumerate(base):
	    add(b["text"], lang=b["lang"])
	    if i % 4 == 0:
	        add(b["text"], lang=b["lang"], id=None)
	    if i % 3 == 0:
	        add(changed(b["text"], 7 + i), lang=b["lang"])
	    if i % 5 == 0:
	        add(b["text"].upper() + "\n", lang=b["lang"])
	    if i % 6 == 1:
	        block = "The same menu stands here, home and contact.\nAll rights are reserved to us.\n"
	        add(block + b["text"] + "\n" + block + base[i - 1]["text"] + "\n", lang="en")
	add("Write to anne.martin@mairie-lyon.fr or 06 12 34 56 78, from 8.8.8.8 or 2a01:e0a:1::1.\n"
	    "FR76 3000 6000 0112 3456 7890 189", lang="fr")
	add("Call +33 6 12 34 56 78 or (415) 555-2671, jean@free.fr", lang="en")
	add("int main(void)\n{\n\treturn 0;\n}\n" * 3, lang="code:c")
	add("e\u0301te\u0301\r\nna\u0308chste\u00a0Woche \u200b " * 8, lang="de")
	add("\u5e8a\u524d\u660e\u6708\u5149\u7591\u662f\u5730\u4e0a\u971c" * 9, lang="zh", url=None)
	add("~|;x]q^ #7_ %k0 }w@ 9$ z*[ \\u" * 40, lang=None, source=None, license=None)
	add("short", lang="en", date=None)
	add("short", lang="en", score=None)
	add("<s> \ud83d\ude00 \u0000 </s>", lang="und")
	# Copies lie in other files.
	docs = [docs[i * 9 % len(docs)] for i in range(len(docs))]
	with open("a.jsonl", "w") as all:
	    for i, d in enumerate(docs):
	        line = json.dumps(d, ensure_ascii=i % 2 == 0) + "\n"
	        all.write(line)
	        with open("%d.jsonl" % (i * 10 // len(docs)), "a") as f:
	            f.write(line)
	with open("test.jsonl", "w") as f:
	    for i in (0, 4, 7):
	        f.write(json.dumps({"id": "q%d" % i, "question": " ".join(base[i]["text"].split()[9:40])}) + "\n")
	END
	printf 'Der Fluß fließt über die Wiesen.\nAuf den Feldern wächst Getreide für das Dorf.\n' |
		iconv -f UTF-8 -t ISO-8859-1 >legacy.txt
	echo www1.example.org >hosts
	printf '%s\n' '{"url":"https://www0.example.org/robots.txt","text":"user-agent: *\ndisallow: /*3$"}' \
		'{"url":"https://www2.example.org/robots.txt","status":503}' >robots.jsonl
	printf '%s\n' example.org https://example.co.uk/forum/1 >keep
	printf '%s\n' '[mix]' 'measure = bytes' '[group french]' 'lang = fr' 'share = 40%' '[group others]' >recipe.ini
	printf '%s\n' '[mix]' 'measure = documents' '[group w]' 'source = web' '[group b]' 'source = books' \
		'max_epochs = 2' '[group rest]' 'as = source news' '[targets]' 'source web = 30%' 'source books = 35%' >targets.ini
	printf '%s\n' '[mix]' 'measure = documents' '[group all]' 'epochs = 1.5' >all.ini
	printf '%s\n' '[mix]' 'measure = characters' '[group fr]' 'lang = fr' '[group en]' 'lang = en' '[group x]' >langs.ini
	lucie-tok-encode -t tokenizer.json a.jsonl >ids
	lucie-filter -q --pii spans --pii-spans a.spans -o /dev/null a.jsonl
	lucie-dedup -q --near --save-index a.index -o /dev/null 0.jsonl 1.jsonl
	lucie-dedup -q --near --signatures a.signatures a.jsonl
	lucie-shard -q -t tokenizer.json -o s1 0.jsonl
	lucie-shard -q -t tokenizer.json -o s2 1.jsonl
}

# takes PROGRAM OPTION: true if the program has the long option.
declare -gA options_of=()
takes() {
	[ -n "${options_of[$1]-}" ] || options_of[$1]=" $("$1" --print-options | cut -f2 | xargs) "
	[[ ${options_of[$1]} = *" $2 "* ]]
}

# These two are called for each run, and start no program where they can do without.
# fresh: an empty folder o.
fresh() {
	local f
	[ -d o ] || mkdir o
	for f in o/* o/.[!.]*; do
		[ ! -e "$f" ] || { rm -rf o && mkdir o && return; }
	done
}

# one_line: true if `err` is one line; sets said to it.
one_line() {
	local lines
	mapfile -t lines <err
	said=${lines[*]}
	[ ${#lines[@]} = 1 ]
}

# The least bound of memory that a program accepts.
declare -gA least=([lucie-tok-train]=80M [lucie-stats]=1M)
