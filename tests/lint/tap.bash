# For the lints: TAP and the list of files. `. tests/lint/tap.bash`, from the root of the tree.
set -u
n=0 failed=0

# ok NAME [MESSAGES]: passes when there are no messages; they are shown otherwise.
ok() {
	n=$((n + 1))
	if [ -z "${2-}" ]; then
		echo "ok $n - $1"
	else
		failed=$((failed + 1))
		echo "not ok $n - $1"
		printf '%s\n' "$2" | sed 's/^/# /'
	fi
}

# files [PATTERN]...: our files, by git's patterns; new ones that are not ignored count too.
files() {
	if git rev-parse --git-dir >/dev/null 2>&1; then
		git ls-files -co --exclude-standard -- "$@" | sort -u |
			while read -r f; do [ -e "$f" ] && printf '%s\n' "$f"; done
	else
		local p
		for p in "${@:-*}"; do
			find . -path ./build -prune -o -type f -path "./*${p#\*}" -print | sed 's,^\./,,'
		done | sort -u
	fi
}

done_testing() {
	echo "1..$n"
	exit $((failed > 0))
}
