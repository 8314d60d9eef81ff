#!/usr/bin/env bash
# Nothing stands twice: no run of more than ten identical lines, where blank lines and indentation do
# not count, and no function that is another one but for the names of its variables. Golden cases and
# test data are what they are.
. tests/lint/tap.bash

mapfile -t sources < <(files '*.c' '*.h' '*.cc' '*.inc' '*.cu' '*.cuh' '*.sh' '*.bash' '*.bats' '*.py' \
	'*.mk' '*Makefile' | grep -vE '^tests/(cases|data)/')
ok "no run of more than ten lines stands twice" "$(awk '
BEGIN { RUN = 11 }
function flush(   i, k, key) {
	for (i = 1; i + RUN - 1 <= n; i++) {
		key = ""
		for (k = i; k < i + RUN; k++) key = key line[k] "\n"
		if (key in first) {
			# One row for each pair of places, not one for each line of a longer run.
			if (first[key] != before + 1 || file[key] != peer)
				print name ":" at[i] ": as in " file[key] ":" where[key]
			before = first[key]
			peer = file[key]
		} else {
			first[key] = i
			file[key] = name
			where[key] = at[i]
			before = -1
		}
	}
}
FNR == 1 { flush(); n = 0; name = FILENAME; before = -1; peer = "" }
{
	gsub(/^[ \t]+|[ \t]+$/, "")
	if ($0 != "") { line[++n] = $0; at[n] = FNR }
}
END { flush() }' "${sources[@]}")"
# A function is compared by its tokens, each name of a variable replaced by the number of its first
# use. Below 40 tokens two functions are alike by chance: a getter, a comparison for qsort().
# shellcheck disable=SC2016 # perl's variables
ok "no function stands twice under other names" "$(files '*.c' '*.h' '*.cc' '*.inc' '*.cu' | xargs perl -0ne '
	BEGIN { our %first }
	(my $code = $_) =~ s{/\*.*?\*/}{ $& =~ tr/\n//cdr }gse;
	# A body is what stands between { and } in the first column, its head the lines before it.
	my @line = split /\n/, $code;
	for (my $i = 1; $i < @line; $i++) {
		next if $line[$i] ne "{";
		my $from = $i;
		$from-- while $from > 0 && $line[$from - 1] =~ /^[\sa-z]/;
		my ($name, $parameters) = join(" ", @line[$from .. $i - 1]) =~ /(\w+)\((.*)\)/ or next;
		my $end = $i;
		$end++ while $end < $#line && $line[$end] ne "}";
		my $body = join "\n", @line[$i .. $end];
		my $text = "$parameters $body";
		my (%number, $shape, $tokens);
		# Members, functions and types keep their names; so do literals.
		while ($text =~ /("(?:[^"\\]|\\.)*"|\x27(?:[^\x27\\]|\\.)*\x27|(?:->|\.)\s*\w+|[A-Za-z_]\w*(?=\()|(?:struct|enum|union)\s+\w+|[A-Za-z_]\w*|\d\w*|\S)/g) {
			my $token = $1;
			$token = "v" . ($number{$token} //= keys %number) if $token =~ /^[a-z_]\w*$/ &&
				$token !~ /^(if|else|for|while|do|return|sizeof|const|static|inline|int|char|bool|void|unsigned|float|double|size_t|u?int\d+_t|switch|case|default|break|continue|goto|true|false)$/;
			$shape .= "$token ";
			$tokens++;
		}
		next if ($tokens // 0) < 40 || $name eq "main";
		my $at = "$ARGV:$i: $name()";
		if ($first{$shape}) { print "$at: as $first{$shape}\n" } else { $first{$shape} = $at }
	}')"
done_testing
