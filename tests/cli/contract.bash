# The table of the contract: how to run each program on small data. IN stands for the input
# files; where OUT appears the program writes to the name after -o, otherwise to standard output.
# Which clauses apply is read from the program's own table of options.
# shellcheck shell=bash disable=SC2034

declare -gA how=(
	[lucie-normalize]='IN'
	[lucie-lang]='IN'
	[lucie-filter]='--preset gopher IN'
	[lucie-dedup]='--exact IN'
	[lucie-mix]='-c recipe.ini IN'
	[lucie-tok-train]='--vocab-size 400 IN'
	[lucie-tok-encode]='-t tokenizer.json IN'
	[lucie-tok-decode]='-t tokenizer.json IN'
	[lucie-shard]='-t tokenizer.json -o OUT IN'
	[lucie-check]='-v shards/demo'
	[lucie-trace]='shards/demo --token 100'
	[lucie-stats]='IN'
	[lucie-import]='IN'
	[lucie-train]='-q -c train.ini -o OUT'
	[lucie-eval]='run IN'
	[lucie-generate]='run'
	[lucie-export]='run -o OUT'
)
# What IN is, where it is not documents.
declare -gA input=(
	[lucie-tok-decode]=ids
	[lucie-stats]=accounts
	[lucie-import]=pages/garden.html
)
# Programs that answer about the whole input: no input, no answer.
needs_input=' lucie-tok-train lucie-eval lucie-stats lucie-mix '
