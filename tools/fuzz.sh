#!/usr/bin/env bash
# Runs every fuzz target of the given packages (default ./...), as many at once as there are processors. Each
# package's test binary is built once, with fuzzing instrumentation, and serves all targets of that package.
#
#   FUZZTIME      how long each target runs (default 30s)
#   FUZZPARALLEL  worker processes of a target (default 1)
set -euo pipefail

fuzztime=${FUZZTIME:-30s}
parallel=${FUZZPARALLEL:-1}
atonce=$(getconf _NPROCESSORS_ONLN)
cache=$(go env GOCACHE)/fuzz
bin=$(mktemp -d)
trap 'wait; rm -rf "$bin"' EXIT

targets=0
touch "$bin/failed"

# run_target PACKAGE DIR BINARY TARGET
run_target() {
	local pkg=$1 dir=$2 test=$3 target=$4 result
	local out=$test.$target
	if (cd "$dir" && "$test" -test.run='^$' -test.fuzz="^$target\$" -test.fuzztime="$fuzztime" \
		-test.fuzzminimizetime=1x -test.parallel="$parallel" -test.fuzzcachedir="$cache/$pkg") >"$out" 2>&1; then
		result=$(tail -n 2 "$out" | head -n 1)
	# A worker that is cut off by the end of the fuzzing time may report just that as a failure. Nothing
	# was found then: a finding names its input, or the seed that it came from.
	elif grep -q 'context deadline exceeded' "$out" && ! grep -Eq 'Failing input|failure while testing seed|panic:' "$out"; then
		result="    time is up"
	else
		result=$(<"$out")
		echo "$pkg $target" >>"$bin/failed"
	fi
	printf -- '--- %s %s (%s)\n%s\n' "$pkg" "$target" "$fuzztime" "$result"
}

while read -r pkg dir; do
	compgen -G "$dir/*_test.go" >/dev/null || continue
	grep -qE '^func Fuzz[A-Z0-9_]' "$dir"/*_test.go || continue
	test=$bin/${pkg//\//-}.test
	go test -c -fuzz=. -o "$test" "$pkg"
	for target in $(cd "$dir" && "$test" -test.list='^Fuzz'); do
		while (($(jobs -rp | wc -l) >= atonce)); do wait -n; done
		targets=$((targets + 1))
		run_target "$pkg" "$dir" "$test" "$target" &
	done
done < <(go list -f '{{.ImportPath}} {{.Dir}}' "${@:-./...}")
wait

if [[ -s $bin/failed ]]; then
	sed 's/^/fuzz: failed: /' "$bin/failed" >&2
	exit 1
fi
echo "fuzz: $targets targets, no failure"
