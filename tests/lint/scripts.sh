#!/usr/bin/env bash
# Scripts pass shellcheck.
. tests/lint/tap.bash

for f in $(files '*' | grep -v '^tests/cases/'); do
	case $f in
	*.bats) ok "$f" "$(shellcheck -x -s bats -S warning -e SC2034,SC2154,SC2238 -f gcc "$f")" ;;
	*.bash) ok "$f" "$(shellcheck -x -s bash -f gcc "$f")" ;;
	*)
		read -r line <"$f" 2>/dev/null || continue
		case $line in
		'#!'*bash | '#!/bin/sh'*) ok "$f" "$(shellcheck -x -f gcc "$f")" ;;
		esac
		;;
	esac
done 2> >(grep -v 'ignored null byte' >&2)
done_testing
