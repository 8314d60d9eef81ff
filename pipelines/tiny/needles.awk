# needles.awk: documents that say a word and say it again later, between words of the documents read.
#
#	awk -f record.awk -f needles.awk -v seed=N -v least=N -v most=N -v each=N WORDS RECORDS
#
#   least, most   words between the first and the last time: up to least times a power of two, at most
#                 most, each power as often
#   each          documents made of one, at most
#   WORDS         the words that are said, one a line
#
# Two to four times a sentence with the word stands on a line of its own, the last time at the end.

BEGIN {
	seed++
	for (n = least; n < most; n *= 2) spans++
}

FNR == NR { secret[NR - 1] = $0; secrets = NR; next }

# A document of n words from word[at] on, with the sentence in `times` places.
function document(at, n, times,   i, s, out, here) {
	s = sentence(secret[random(secrets)])
	for (i = 1; i < times; i++) here[random(n + 1)]++
	for (i = 0; i <= n; i++) {
		for (; here[i]; here[i]--) out = out (i && out !~ /\\n$/ ? "\\n" : "") s
		if (i < n) out = out word[at + i] (i + 1 < n ? " " : "\\n")
	}
	return out s
}

{
	words = split(member($0, "text"), word, / /)
	k = 0
	for (at = 1; at <= words && k++ < each; at += n) {
		n = least
		for (i = random(spans + 1); i; i--) n *= 2
		n = 1 + random(n < most ? n : most)
		if (at + n > words + 1) break
		printf "{\"id\":\"needle:%d\",\"text\":\"%s\",%s}\n", ++made, document(at, n, 2 + random(3)), \
			origin($0, "needle")
	}
}
