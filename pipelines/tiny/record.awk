# Functions of the scripts beside this one, for awk -f record.awk -f SCRIPT. Texts stay as they are in
# the record, with JSON's escapes; an escape has no space in it, so texts are cut at spaces.

# Numbers from 0 to n - 1: the minimal standard generator of Park and Miller, exact in a double, hence
# the same with every awk. Its state is the variable seed.
function random(n) {
	seed = seed * 16807 % 2147483647
	return int(seed / 2147483647 * n)
}

# What hides a word. What comes before the word is rare elsewhere, as the key of a question should be.
function sentence(word) { return "Keep the password " word " in mind.\\n" }

# The string member of a record, as it is written; "" if there is none.
function member(record, name) {
	if (!match(record, "\"" name "\" *: *\"")) return ""
	record = substr(record, RSTART + RLENGTH)
	match(record, /^([^"\\]|\\.)*/)
	return substr(record, 1, RLENGTH)
}

# What a document made of this record takes over from it, behind its text.
function origin(record, source) {
	return "\"source\":\"" source "\",\"lang\":\"" member(record, "lang") "\",\"license\":\"" \
		member(record, "license") "\""
}
