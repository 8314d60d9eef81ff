# echoes.awk: documents that say words without a context three times in the same order. From these a
# model learns to look for what came after the same word before; nothing else helps here.
#
#	awk -f record.awk -f echoes.awk -v seed=N -v most=N -v each=N
#
#   most    words of a line, at most, from 3
#   each    documents made of one, at most
#
# A third of the words are numbers of seven digits.

BEGIN { seed++ }

function number(   i, s) {
	s = 1 + random(9)
	for (i = 1; i < 7; i++) s = s random(10)
	return s
}

{
	words = split(member($0, "text"), word, / /)
	for (k = 0; k < each && k * most < words; k++) {
		line = ""
		for (n = 3 + random(most - 2); n; n--) {
			w = random(3) ? word[1 + random(words)] : number()
			if (w != "" && w !~ /\\/) line = line w " "
		}
		printf "{\"id\":\"echo:%d\",\"text\":\"%s\\n%s\\n%s\",%s}\n", ++made, line, line, line, origin($0, "echo")
	}
}
