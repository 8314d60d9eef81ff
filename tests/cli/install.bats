#!/usr/bin/env bats
# make install and make uninstall, in a temporary folder.
bats_require_minimum_version 1.5.0

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
}

@test "uninstall removes everything that install created" {
	"${make[@]}" install
	"${make[@]}" uninstall
	[ -z "$(find "$stage" ! -type d)" ]
}
