#!/usr/bin/env bats
# What the assembler made of the kernels, for sm_90: registers, spills and widths of accesses, from its
# report beside each object and from the disassembly. `make check-cuda` compiles and runs this.
bats_require_minimum_version 1.5.0

setup_file() {
	cd "$LUCIE_SRC" || return 1
	export kernels=$BATS_FILE_TMPDIR/kernels loads=$BATS_FILE_TMPDIR/loads
	# KERNEL<ARGUMENTS>, registers, stack, bytes spilled; a kernel a line.
	for report in "$LUCIE_BUILD"/kernels/cuda/*.ptxas; do
		awk '
		/Compiling entry function/ { split($0, part, "\047"); name = part[2] }
		/bytes stack frame/ { stack = $1; spilled = $5 + $9 }
		/Used [0-9]+ registers/ {
			match($0, /Used [0-9]+/)
			print name "\t" substr($0, RSTART + 5, RLENGTH - 5) "\t" stack "\t" spilled
		}' "$report"
	done | c++filt | sed 's/^void //; s/([^\t]*//' | sort >"$kernels"
	# KERNEL<ARGUMENTS>, loads and stores of 16 bytes, copies to shared memory, products of tensor cores.
	for object in "$LUCIE_BUILD"/kernels/cuda/*.o; do
		if [ ! -e "${object%.o}.ptxas" ] || [ -z "$LUCIE_CUOBJDUMP" ]; then continue; fi
		PATH=${LUCIE_CUOBJDUMP%/*}:$PATH "$LUCIE_CUOBJDUMP" --dump-sass "$object" | awk '
		function put() { if (name != "") print name "\t" load "\t" store "\t" copy "\t" mma }
		/Function :/ { put(); name = $3; load = store = copy = mma = 0 }
		/LDG\.E[A-Z0-9.]*\.128/ { load++ }
		/STG\.E[A-Z0-9.]*\.128/ { store++ }
		/LDGSTS\.E[A-Z0-9.]*\.128/ { copy++ }
		/HMMA|HGMMA/ { mma++ }
		END { put() }'
	done | c++filt | sed 's/^void //; s/([^\t]*//' | sort >"$loads"
}

setup() { [ -n "$LUCIE_BUILD" ] || return 1; }

# none TEXT: passes if there is none.
none() { [ -z "$1" ] || { printf '%s\n' "$1"; return 1; }; }

@test "each file of kernels has a report, and there is a kernel in most" {
	for f in "$LUCIE_SRC"/kernels/cuda/*.cu; do
		[ -e "$LUCIE_BUILD/kernels/cuda/$(basename "$f" .cu).ptxas" ] || { echo "$f"; return 1; }
	done
	[ "$(wc -l <"$kernels")" -gt 60 ]
}

# Not hot: attention in float, which is for comparisons, and what reads unaligned matrices element by
# element (an argument of the template is false).
@test "no hot kernel spills registers or has its variables in memory" {
	none "$(awk -F '\t' '/^(attn_f32|rope_table)/ || /false/ { next }
		$3 > 0 || $4 > 0 { print $1 ": " $3 " bytes of stack, " $4 " bytes spilled" }' "$kernels")"
}

# 65,536 registers are for 2,048 threads: memory-bound kernels need many of them in flight.
@test "memory-bound kernels leave room for half of the threads that a processor holds" {
	none "$(awk -F '\t' '/^(attn_|norm_back_kernel<[^>]*, 4,)/ || /false/ { next }
		$2 > 72 { print $1 ": " $2 " registers" }' "$kernels")"
}

# low_join_each makes 32 bits of two numbers of 16: four of each are 8 bytes.
@test "memory-bound kernels read 16 bytes at a time where their rows are aligned" {
	[ -n "$LUCIE_CUOBJDUMP" ] || skip "no cuobjdump: make cuda-deps"
	[ "$(grep -c 'true' "$loads")" -gt 30 ]
	none "$(awk -F '\t' '/^(attn_(forward|back|stat)|embed_zero)|low_join_each/ { next }
		/true/ && $2 == 0 { print $1 ": no load of 16 bytes" }' "$loads")"
}

@test "those that write what they read, of the same type, write 16 bytes at a time" {
	[ -n "$LUCIE_CUOBJDUMP" ] || skip "no cuobjdump: make cuda-deps"
	none "$(awk -F '\t' '!/^(norm_|swiglu_|rope_kernel|embed_(kernel|back|zero)|adamw|attn_merging|lk_each_kernel<true, add)/ { next }
		/true/ && $3 == 0 { print $1 ": no store of 16 bytes" }' "$loads")"
}

@test "attention copies 16 bytes at a time and multiplies on tensor cores" {
	[ -n "$LUCIE_CUOBJDUMP" ] || skip "no cuobjdump: make cuda-deps"
	[ "$(grep -cE '^attn_(forward|back).*true' "$loads")" -ge 9 ]
	none "$(awk -F '\t' '!/^attn_(forward|back_)/ { next }
		/true/ && $4 == 0 { print $1 ": no copy of 16 bytes" }
		$5 == 0 { print $1 ": no product on tensor cores" }' "$loads")"
}
