#!/usr/bin/env bash
# Runs go generate on the given packages (default ./...) and fails when that changes any generated file,
# that is, when what was there before was not fresh. The new files stay: a second run succeeds.
set -euo pipefail

# Lists every generated Go file with its checksum.
state() {
	find . -name '*.go' -not -path './.git/*' -print0 | sort -z |
		xargs -0 grep -lZE '^// Code generated .* DO NOT EDIT\.$' | xargs -0r cksum || true
}

before=$(state)
go generate "${@:-./...}"
after=$(state)

if [[ $before != "$after" ]]; then
	echo "generate: these files were not fresh; they are now, commit them:" >&2
	diff <(printf '%s\n' "$before") <(printf '%s\n' "$after") | awk '/^[<>] ./ { print "  " $4 }' | sort -u >&2
	exit 1
fi
