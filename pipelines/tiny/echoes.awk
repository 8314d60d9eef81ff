# echoes.awk: documents of random words that stand on three lines in the same order. From these a model
# learns to look for what came after the same word before: nothing else tells the next one.
#
#	awk -f record.awk -f echoes.awk -v seed=N -v count=N WORDS
#
#   WORDS   words, one a line; pieces of the vocabulary, since a word of several says half of itself
#   count   documents

BEGIN { seed++ }

{ word[NR - 1] = $0 }

END {
	for (made = 1; made <= count; made++) {
		line = ""
		for (n = 5 + random(10); n; n--) line = line word[random(NR)] " "
		printf "{\"id\":\"echo:%d\",\"text\":\"%s\\n%s\\n%s\",\"source\":\"echo\"}\n", made, line, line, line
	}
}
