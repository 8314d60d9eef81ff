# shellcheck shell=bash
# Sourced by the benchmarks: french FILE makes FILE, about 100 MB of clean French documents, from
# FRENCH (a .jsonl file, compressed or not) when that is set, else from Debian's French manual
# pages, which are fetched and unpacked without being installed.
french() {
	local target=$1 work
	work=$(mktemp -d) || return
	if [ -n "${FRENCH-}" ]; then
		lucie-normalize -o "$work/once" "$FRENCH" || return
	else
		(cd "$work" && apt-get -o APT::Sandbox::User=root download -qq manpages-fr >/dev/null) || return
		dpkg-deb -x "$work"/*.deb "$work/root" || return
		python3 - "$work/root/usr/share/man/fr" >"$work/raw" <<'PY' || return
import json, pathlib, re, subprocess, sys

for page in sorted(pathlib.Path(sys.argv[1]).rglob("*.gz")):
    source = subprocess.run(["zcat", page], stdout=subprocess.PIPE, check=True).stdout
    text = subprocess.run(["mandoc", "-Kutf-8", "-Tutf8"], input=source,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.decode()
    print(json.dumps({"id": page.name, "text": re.sub(".\b", "", text)}, ensure_ascii=False))
PY
		lucie-normalize -o "$work/once" "$work/raw" || return
	fi
	# Repeated to 100 MB, more than any cache holds.
	while [ "$(stat -c %s "$work/once")" -lt 100000000 ]; do
		cat "$work/once" "$work/once" >"$work/twice" && mv "$work/twice" "$work/once" || return
	done
	mv "$work/once" "$target" && rm -rf "$work"
}

# best N COMMAND...: the least seconds of processor time, user and system, in N runs.
best() {
	local n=$1 i
	shift
	for ((i = 0; i < n; i++)); do
		(
			TIMEFORMAT='%U %S'
			time "$@" >/dev/null 2>&3
		) 3>/dev/null 2>&1
	done | awk '{ t = $1 + $2; if (NR == 1 || t < least) least = t } END { printf "%.3f", least }'
}
