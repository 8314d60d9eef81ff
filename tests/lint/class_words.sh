#!/usr/bin/env bash
# The words of classes are where lu_html_words() looks for them: in the list of their first letter,
# sorted by the first two.
. tests/lint/tap.bash

table=libcommon/html/html_words.c

# A line for each: its list, its first two letters, the word.
words() {
	sed -n '/^static const struct word words_a/,/^static const struct word \*const/p' $table |
		grep -oE 'words_[a-z]\[|[WP]\("[^"]*"' |
		sed -nE 's/words_(.)\[/= \1/p; s/.*"((..)[^"]*)"/\2 \1/p' |
		awk '$1 == "=" { list = $2; next } { print list, $1, $2 }'
}

ok "there are words" "$([ "$(words | wc -l)" -gt 300 ] || echo "few found in $table")"
ok "words are small letters" "$(words | grep -vE '^[a-z] [a-z]{2} [a-z]+$')"
ok "words are in the list of their letter" "$(words | awk 'substr($3, 1, 1) != $1')"
ok "words are sorted" "$(words | LC_ALL=C awk '$1 == list && $2 < last; { list = $1; last = $2 }')"
ok "no word is there twice" "$(words | sort | uniq -d)"
done_testing
