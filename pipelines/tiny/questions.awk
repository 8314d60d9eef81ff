# questions.awk: conversations, preferences and tasks about the documents read.
#
#	awk -f record.awk -f questions.awk -v seed=N -v form=FORM -v each=N WORDS RECORDS
#
#   form    chat         {"messages"}: which language is this, which word was said, what does this
#                        command do
#           preference   {"prompt","chosen","rejected"}: the short answer about a language before one
#                        that says more than was asked, or says it wrong
#           language     task of lucie-eval, with an answer: as in chat, rendered as the template does
#           password     likewise
#           needle       a text of `most` words with the sentence of needles.awk near its beginning, and
#                        that sentence begun again at the end
#           next         task with choices: which of four lines follows; the others are of documents in
#                        the same language
#           tongue       likewise; the others are in other languages
#   each    lines of each kind that a document is asked for, at most; it gives one needle
#   WORDS   the words that are said, one a line

BEGIN {
	seed++
	languages = split("de en es fr it", code, " ")
	split("German English Spanish French Italian", name, " ")
	for (i = 1; i <= languages; i++) {
		called[code[i]] = name[i]
		place[code[i]] = i
	}
	asked = split("Which language is this?|Name the language of this text.|What language is this written in?", ask, "|")
	kinds = split("language password command", kind, " ")
}

FNR == NR { secret[NR - 1] = $0; secrets = NR; next }

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
		w = secret[random(secrets)]
		question = sentence(w) s "\\nWhat is to be kept in mind?"
		answer = "The password " w "."
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

form == "language" || form == "password" {
	for (k = 0; k < each; k++)
		if (compose(form))
			printf "{\"context\":\"%s\",\"answer\":\"%s\",\"until\":[\"<|end|>\"],\"max_tokens\":16,\"delimiter\":\"\"}\n", \
				rendered(), answer
}

# The word is said within the first twenty words.
form == "needle" {
	words = split(member($0, "text"), word, / /)
	if (words < most) next
	w = secret[random(secrets)]
	n = 1 + random(20)
	text = ""
	for (i = 1; i <= most; i++) text = text (i == n ? "\\n" sentence(w) : "") word[i] " "
	answer = sentence(w)
	split(answer, half, w)
	printf "{\"context\":\"%s\\n%s\",\"answer\":\"%s\",\"until\":[\" in\",\".\"],\"max_tokens\":8}\n", \
		text, substr(half[1], 1, length(half[1]) - 1), w
}

# The k-th wrong line of a question: of the last three in its language, or the last in another one.
function wrong(k) {
	return form == "next" ? last[lang, (seen[lang] - k) % 3] : last[code[1 + (place[lang] + k - 1) % languages], 0]
}

form == "next" || form == "tongue" {
	for (n = 0; n < each; n++) {
		for (i = 1 + random(parts); i < parts; i++)
			if (plain(part[i], 40, 200) && plain(part[i + 1], 40, 200)) break
		if (i >= parts || (right = beginning(part[i + 1])) in used) continue
		used[right]
		at = random(4)
		choices = ""
		for (c = k = 0; c < 4; c++) {
			if (c != at && (text = wrong(++k)) == "") break
			choices = choices (c ? "\",\"" : "") (c == at ? right : text)
		}
		if (c == 4)
			printf "{\"context\":\"%s\",\"choices\":[\"%s\"],\"answer\":%d,\"delimiter\":\"\\n\"}\n", \
				part[i], choices, at
		last[lang, form == "next" ? seen[lang]++ % 3 : 0] = right
	}
}

# The first twelve words.
function beginning(s,   i, n, out, w) {
	n = split(s, w, / /)
	for (i = 1; i <= n && i <= 12; i++) out = out (i > 1 ? " " : "") w[i]
	return out
}
