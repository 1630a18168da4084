#!/bin/bash
# The first thing that anybody does with this program must work, and leave nothing: when
# it is through, when it is interrupted, and when somebody removed its files meanwhile.
set -uo pipefail
[ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }
[ -c /dev/net/tun ] || { echo "there is no /dev/net/tun"; exit 77; }

name=pb-quickstart-$$
state=/var/lib/$name-quickstart
out=$(mktemp)
failed=0

finish() {
	apps/quickstart stop --name "$name" >/dev/null 2>&1
	ip netns del "$name-host" 2>/dev/null
	rm -f "$out"
}
trap finish EXIT

# check NAME COMMAND...
check() {
	local what=$1
	shift
	if "$@" >"$out" 2>&1; then
		echo "ok $what"
	else
		echo "not ok $what"
		sed 's/^/    /' "$out"
		failed=1
	fi
}

# says STATUS TEXT COMMAND...
says() {
	local expected=$1 text=$2 status=0 said
	shift 2
	said=$("$@" 2>&1) || status=$?
	echo "status $status: $said"
	[ "$status" = "$expected" ] && grep -qF -- "$text" <<<"$said"
}

daemons() {
	grep -alF "$state/packetboatd.conf" /proc/[0-9]*/cmdline 2>/dev/null |
		while read -r at; do
			[ "$(cat "${at%cmdline}comm" 2>/dev/null)" != packetboatd ] || echo "$at"
		done
}

nothing_is_left() {
	[ ! -e "/run/netns/$name" ] || { echo "namespace $name is left"; return 1; }
	[ ! -e "$state" ] || { echo "its folder is left"; return 1; }
	[ ! -e "/run/$name-quickstart" ] || { echo "its mark is left"; return 1; }
	[ -z "$(daemons)" ] || { echo "its daemon is left"; return 1; }
}

once() {
	says 0 'came back identical; stopped again' apps/quickstart --once --name "$name" &&
		nothing_is_left
}

# It takes about three seconds, the build apart; so it is hit before it made anything, in
# the middle, and when it is through.
interrupted() {
	local after
	for after in 0.3 0.8 1.3 1.8 2.3; do
		says "$2" 'interrupted; nothing is left' timeout --preserve-status -s "$1" \
			"$after" apps/quickstart --name "$name" ||
			says 0 'stopped, and nothing is left' \
				apps/quickstart stop --name "$name" ||
			says 1 'nothing of the name' \
				apps/quickstart stop --name "$name" || return 1
		nothing_is_left || return 1
	done
}

two_at_once() {
	local first status=0
	apps/quickstart --once --name "$name" &
	first=$!
	# Its lock is the first thing that it makes.
	while kill -0 "$first" && [ ! -e "/run/$name-quickstart" ]; do
		sleep 0.01
	done
	sleep 0.1
	says 1 "another quickstart with the name $name is at work" \
		apps/quickstart --name "$name" || status=1
	wait "$first" && [ "$status" = 0 ] && nothing_is_left
}

mail_to_postmaster() {
	ip netns exec "$name" curl -sS --max-time 20 smtp://192.0.2.2 \
		--mail-from bob@example.org --mail-rcpt postmaster --crlf --upload-file "$0"
}

runs() {
	says 0 'came back identical; the appliance runs' apps/quickstart --name "$name" &&
		[ -n "$(daemons)" ]
}

stops_without_its_files() {
	rm -rf "$state"
	says 0 'stopped, and nothing is left' apps/quickstart stop --name "$name" &&
		nothing_is_left
}

on_a_host_that_has() {
	ip netns add "$name-host" && ip -n "$name-host" link set lo up &&
		ip -n "$name-host" addr add "$1" dev lo || return 1
	says 1 'the host uses 192.0.2.0/24 already' ip netns exec "$name-host" \
		apps/quickstart --once --host --name "$name"
	local status=$?
	ip netns del "$name-host"
	[ "$status" = 0 ] && nothing_is_left
}

check "once, and nothing is left" once
check "interrupted by SIGINT, and nothing is left" interrupted INT 130
check "interrupted by SIGTERM, and nothing is left" interrupted TERM 143
check "two at once" two_at_once
check "runs" runs
check "postmaster is somebody" mail_to_postmaster
check "does not end one that runs" says 1 "apps/quickstart stop --name $name" \
	apps/quickstart --once --name "$name"
check "stops without its files" stops_without_its_files
check "nothing to stop" says 1 'nothing of the name' apps/quickstart stop --name "$name"
check "a name is needed" says 1 '--name needs a name' apps/quickstart --name
check "an address of the subnet on the host" on_a_host_that_has 192.0.2.77/32
check "the subnet as part of a bigger one" on_a_host_that_has 192.0.0.9/16
exit $failed
