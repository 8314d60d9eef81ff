#!/usr/bin/env bash
# The templates in man5 lucie-wiki are those of the tables in libcommon/wiki.
. tests/lint/tap.bash

# The rows of C as a file for --templates, without those that leave a template out.
rows() {
	sed -n 's/^\t{ "\(.*\)", "\(.*\)" },$/\1\t\2/p' libcommon/wiki/wiki_rows_{common,fr,en}.c |
		grep -vP '\t-$' | sed 's/\\\(["\\]\)/\1/g; s/\xc2\xa0/~/g' | LC_ALL=C sort
}

# The same of the page.
page() {
	sed -n '/^\.Ss Tables/,/^\.Sh SEE ALSO/p' man/man5/lucie-wiki.5 | grep -P '\t' |
		sed 's/^\\&//; s/\\ \\&$/ /; s/\\e/\\/g' | LC_ALL=C sort
}

ok "lucie-wiki(5) lists the rows that are built in" "$(diff <(rows) <(page))"
done_testing
