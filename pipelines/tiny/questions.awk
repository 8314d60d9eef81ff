# questions.awk: conversations, preferences and tasks about the documents read.
#
#	awk -f record.awk -f questions.awk -v seed=N -v form=FORM -v each=N
#
#   form    chat         {"messages"}: which language is this, which number is to be remembered, what
#                        does this command do
#           preference   {"prompt","chosen","rejected"}: the short answer about a language before one
#                        that says more than was asked, or says it wrong
#           language     task of lucie-eval, with an answer: as in chat, rendered as the template does
#           number       likewise
#           next         task with choices: which of four lines follows; the others are of documents in
#                        the same language
#   each    lines of each kind that a document is asked for, at most; it gives one of next

BEGIN {
	seed++
	languages = split("de en es fr it", code, " ")
	split("German English Spanish French Italian", name, " ")
	for (i = 1; i <= languages; i++) called[code[i]] = name[i]
	asked = split("Which language is this?|Name the language of this text.|What language is this written in?", ask, "|")
	kinds = split("language number command", kind, " ")
}

# A sentence, or several, on a line of 40 to 160 bytes, without an escape or the signs of commands; "" if a
# few draws find none.
function line(   i, s) {
	for (i = 0; i < 12; i++) {
		s = part[1 + random(parts)]
		if (plain(s, 40, 160) && s ~ /[.:!?]$/ && s !~ /[(){}=_\/<>*#|0-9]/) return s
	}
	return ""
}

function plain(s, least, most) { return length(s) >= least && length(s) <= most && s !~ /\\|  / }

# Set question and answer; false if the document has none of this kind.
function compose(what,   s, n) {
	if (what == "command") {
		# The section NAME, whatever it is called: "ls - list directory contents".
		if (k >= kinds || part[2] != "" || !plain(part[3], 8, 100) || split(part[3], pair, / - /) != 2 || pair[1] ~ / /) return 0
		question = "What does " pair[1] " do?"
		answer = pair[2]
		return 1
	}
	if ((s = line()) == "") return 0
	if (what == "language") {
		question = ask[1 + random(asked)] "\\n" s
		answer = called[lang] "."
	} else {
		n = number()
		question = "The secret number to remember is " n ".\\n" s "\\nWhich number is to be remembered?"
		answer = n "."
	}
	return 1
}

# The question as chat.jinja renders it, up to where the answer begins.
function rendered() { return "<|user|>" question "<|end|><|assistant|>" }

{
	lang = member($0, "lang")
	if (!(lang in called)) next
	parts = split(member($0, "text"), part, /\\n/)
}

form == "chat" {
	for (k = 0; k < each * kinds; k++)
		if (compose(kind[1 + k % kinds]))
			printf "{\"id\":\"chat:%d\",\"messages\":[{\"role\":\"user\",\"content\":\"%s\"},{\"role\":\"assistant\",\"content\":\"%s\"}],%s}\n", \
				++made, question, answer, origin($0, kind[1 + k % kinds])
}

form == "preference" {
	for (k = 0; k < each; k++) {
		if (!compose("language")) continue
		other = code[1 + random(languages)]
		more = part[1 + random(parts)]
		if (other != lang && random(2)) worse = called[other] "."
		else if (plain(more, 20, 200)) worse = answer " " more
		else continue
		printf "{\"id\":\"pair:%d\",\"prompt\":\"%s\",\"chosen\":\"%s\",\"rejected\":\"%s\",%s}\n", \
			++made, question, answer, worse, origin($0, "preference")
	}
}

form == "language" || form == "number" {
	for (k = 0; k < each; k++)
		if (compose(form))
			printf "{\"context\":\"%s\",\"answer\":\"%s\",\"until\":[\"<|end|>\"],\"max_tokens\":16,\"delimiter\":\"\"}\n", \
				rendered(), answer
}

# The three documents before this one in its language give the wrong lines.
form == "next" {
	for (i = 1 + random(parts); i < parts; i++)
		if (plain(part[i], 60, 200) && plain(part[i + 1], 60, 200)) break
	if (i >= parts) next
	right = beginning(part[i + 1])
	if (right in used) next
	used[right]
	n = seen[lang]++
	if (n >= 3) {
		answer = random(4)
		choices = ""
		for (k = 0; k < 4; k++)
			choices = choices (k ? "\",\"" : "") (k == answer ? right : last[lang, (n - (k > answer ? k : k + 1)) % 3])
		printf "{\"context\":\"%s\",\"choices\":[\"%s\"],\"answer\":%d,\"delimiter\":\"\\n\"}\n", part[i], choices, answer
	}
	last[lang, n % 3] = right
}

# The first twelve words.
function beginning(s,   i, n, out, w) {
	n = split(s, w, / /)
	for (i = 1; i <= n && i <= 12; i++) out = out (i > 1 ? " " : "") w[i]
	return out
}
