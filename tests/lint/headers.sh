#!/usr/bin/env bash
# Each header stands alone: it compiles by itself, with the flags of the build.
. tests/lint/tap.bash

for h in $(files '*.h'); do
	case $h in
	kernels/cuda/* | tests/*) continue ;;
	esac
	# shellcheck disable=SC2086 # the flags are words
	ok "$h" "$($CC $CFLAGS -Werror -fsyntax-only -x c "$h" 2>&1 |
		grep -v -e 'pragma once in main' | head -20)"
done
done_testing
