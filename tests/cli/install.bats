#!/usr/bin/env bats
# make install and make uninstall, in a temporary folder, and datasets that use what is installed.
bats_require_minimum_version 1.5.0

load fixtures

setup() {
	cd "$LUCIE_SRC" || return 1
	stage=$BATS_TEST_TMPDIR/stage
	# Install the build under test.
	unset MAKEFLAGS MAKELEVEL
	make=(make --no-print-directory CONFIG="$LUCIE_CONFIG" DESTDIR="$stage" PREFIX=/usr)
}

@test "installed programs run and have a manual page and completions" {
	local p name
	"${make[@]}" install
	[ -f "$stage/usr/share/doc/lucie/LICENSE" ]
	for p in "$LUCIE_BUILD"/bin/*; do
		name=${p##*/}
		env -i "$stage/usr/bin/$name" --version | grep -q "^$name (lucie) "
		mandoc -T ascii "$stage/usr/share/man/man1/$name.1" >/dev/null
		grep -q -e --version "$stage/usr/share/bash-completion/completions/$name"
		head -1 "$stage/usr/share/zsh/site-functions/_$name" | grep -qx "#compdef $name"
	done
	[ "$(echo '{"text":"a"}' | env -i "$stage/usr/bin/lucie-normalize")" = '{"text":"a"}' ]
	env -i "$stage/usr/bin/lucie-plan" -c "$stage/usr/share/lucie/pipelines/lucie-7b/hopper.ini" \
		--cluster dgx-h200 --gpus 64 --phase main -n1 | grep -q '^1 '
	cmp pipelines/mk/train.sbatch "$(env -i PATH="$stage/usr/bin:$PATH" lucie rules)/train.sbatch"
}

@test "uninstall removes everything that install created" {
	"${make[@]}" install
	"${make[@]}" uninstall
	[ -z "$(find "$stage" ! -type d)" ]
}

# outside COMMAND...: run it with the installed programs and nothing of the tree.
outside() { env -i PATH="$stage/usr/bin:/usr/bin:/bin" OMP_WAIT_POLICY=passive "$@"; }

@test "a dataset outside the tree builds with what is installed, by the commands of lucie-pipelines(7)" {
	[ "$LUCIE_CONFIG" = release ] || skip "the same in every configuration"
	local script
	"${make[@]}" install
	[ "$(outside lucie rules)" = "$(realpath "$stage")/usr/share/lucie/pipelines/mk" ]
	mkdir "$BATS_TEST_TMPDIR/outside" "$BATS_TEST_TMPDIR/scripts" && cd "$BATS_TEST_TMPDIR/outside"
	fixtures pages recipe.ini a.jsonl tokenizer.json
	blocks "$LUCIE_SRC/man/man7/lucie-pipelines.7" "$BATS_TEST_TMPDIR/scripts"
	for script in "$BATS_TEST_TMPDIR"/scripts/*.sh; do
		outside bash -euo pipefail "$script" >log 2>&1 || {
			cat "$script" log
			return 1
		}
	done
	[ -s www/build/mix/plan ]
	[ -s mine/work/model/model.safetensors ]
	run ! grep -rlF "$LUCIE_SRC/" www mine --include=Makefile --include='*.html' --include='*.ini'
}

# make_deb FILE: a package with pages in two languages.
make_deb() {
	local lang page
	for lang in en fr; do
		for page in {1..8}; do
			mkdir -p "usr/share/doc/tiny/$lang"
			{
				echo "<html><body><h1>$page $lang</h1><p>"
				[ $lang = en ] || shuf -n 60 --random-source=<(yes "$page") -e la maison est grande \
					et les rues de notre village sont vides pendant tout cet hiver tres froid avec du vent sur nos toits
				[ $lang = fr ] || shuf -n 60 --random-source=<(yes "$page") -e the house is large \
					and streets of our village are empty during all this very cold winter with some wind on our roofs
				seq -s ' water and bread ' "$page" $((page + 20))
				echo '</p></body></html>'
			} >"usr/share/doc/tiny/$lang/$page.html"
		done
	done
	tar -czf data.tar.gz usr && tar -czf control.tar.gz --files-from=/dev/null &&
		echo 2.0 >debian-binary && ar qc "$1" debian-binary control.tar.gz data.tar.gz
}

@test "the demonstration, copied from the installation and changed, builds" {
	[ "$LUCIE_CONFIG" = release ] || skip "the same in every configuration"
	"${make[@]}" install
	cd "$BATS_TEST_TMPDIR" && cp -R "$stage/usr/share/lucie/pipelines/demo" mine
	mkdir -p mine/work/deb && make_deb mine/work/deb/tiny.deb
	# Nothing is to be downloaded.
	: >mine/work/deb/uris
	printf '[group all]\n' >mine/recipe.ini
	sed -i 's/^PACKAGES := .*/PACKAGES := tiny/; s/^CLEAN := .*/CLEAN := $(D)\/filter\/tiny.jsonl.zst/' mine/Makefile
	outside make -C mine D=work FILTER_FLAGS= SHARD_FLAGS="--holdout 'valid-{lang}=0.4'" \
		TRAIN_FLAGS='--set train.steps=3 --set train.warmup=8 --set train.context=16' \
		>log 2>&1 || {
		cat log
		return 1
	}
	[ -s mine/work/report.html ]
	grep -q '^lucie-import ' mine/work/stages.txt
}
