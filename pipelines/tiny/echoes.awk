# echoes.awk: documents of random words that stand on three lines in the same order. From these a model
# learns to look for what came after the same word before: nothing else tells the next one.
#
#	awk -f record.awk -f echoes.awk -v seed=N -v count=N [-v numbers=N] WORDS
#
#   WORDS     words, one a line; pieces of the vocabulary, since a word of several says half of itself
#   count     documents
#   numbers   one word of so many is a number of seven digits (0: none)

BEGIN { seed++ }

{ word[NR - 1] = $0 }

END {
	for (made = 1; made <= count; made++) {
		line = ""
		for (n = numbers ? 3 + random(8) : 5 + random(10); n; n--)
			line = line (numbers && !random(numbers) ? number() : word[random(NR)]) " "
		printf "{\"id\":\"echo:%d\",\"text\":\"%s\\n%s\\n%s\",\"source\":\"echo\"}\n", made, line, line, line
	}
}
