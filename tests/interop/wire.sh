#!/bin/bash
# Our TCP and Linux's through the same bad wire: the same bytes are sent and the same bytes
# come back, whoever is at which end, while frames are lost, doubled, damaged and late.
# Says how fast each was; nothing is asked of that.  Takes the build folder as argument.
set -u
build=${1:-build}
pbperf=$build/bench/pbperf
wire=$build/bench/wire/wire
[ "$(id -u)" = 0 ] || { echo "needs root to make network namespaces"; exit 77; }
[ -c /dev/net/tun ] || { echo "there is no /dev/net/tun"; exit 77; }
[ -x "$pbperf" ] && [ -x "$wire" ] || { echo "$pbperf or $wire is not built"; exit 1; }

ns=pbtest-$$-wire
work=$(mktemp -d)
failed=0
jobs=()

# The last first: connections end over a wire that is still there.
stop_jobs() {
	local i
	for ((i = ${#jobs[@]} - 1; i >= 0; i--)); do
		kill -TERM "${jobs[i]}" 2>/dev/null
		wait "${jobs[i]}" 2>/dev/null
	done
	jobs=()
}

clean() {
	stop_jobs
	ip netns del "$ns-a" 2>/dev/null
	ip netns del "$ns-b" 2>/dev/null
	rm -rf "$work"
}
trap clean EXIT

# start FILE TEXT COMMAND...: until its output, in FILE, has TEXT.
start() {
	local out=$work/$1 text=$2
	shift 2
	: >"$out" # what the last one said is no sign
	"$@" >>"$out" 2>&1 &
	jobs+=($!)
	for _ in $(seq 100); do
		grep -q "$text" "$out" && return 0
		kill -0 "${jobs[-1]}" 2>/dev/null || break
		sleep 0.05
	done
	cat "$out"
	return 1
}

declare -A addr=([a]=192.0.2.1 [b]=192.0.2.2)

# attach END KIND: with an address when the kernel is to answer there.
attach() {
	[ "$2" = stack ] || ip -n "$ns-$1" addr add "${addr[$1]}/24" dev "$1"
	ip -n "$ns-$1" link set dev "$1" up
}

# options END KIND: of pbperf there.
options() {
	echo --net "$2" --cc cubic
	[ "$2" = kernel ] || echo --port "packet:$1" --no-offload --addr "${addr[$1]}/24"
}

# between SERVER CLIENT WHAT: kernel or stack each, and the wire.
between() {
	start wire 'wire: up' ip netns exec "$ns-b" "$wire" "$3" a b || return 1
	ip -n "$ns-b" link set dev a netns "$ns-a"
	attach a "$1"
	attach b "$2"
	start serve 'echo on' ip netns exec "$ns-a" "$pbperf" serve $(options a "$1")
}

in_b() { ip netns exec "$ns-b" "$@"; }

# a_megabyte ADDRESS: sent to echo by the kernel and compared, on one connection.
a_megabyte() {
	in_b timeout 120 python3 - "$1" <<-'PY'
	import random, socket, sys, threading
	text = random.Random(1).randbytes(1 << 20)
	got = bytearray()
	with socket.create_connection((sys.argv[1], 9007), timeout=60) as s:
	    threading.Thread(target=s.sendall, args=(text,), daemon=True).start()
	    while len(got) < len(text):
	        part = s.recv(65536)
	        if not part:
	            break
	        got += part
	if got != text:
	    raise SystemExit(f'{len(got)} bytes came back, and not those that were sent')
	PY
}

# Echoed whole and compared: by many connections and, from the kernel, by a long one.
same_bytes() {
	in_b timeout 120 "$pbperf" crr $(options b "$1") -c 192.0.2.1 -n 100 -P 20 -s 4096 ||
		return 1
	[ "$1" = stack ] || a_megabyte 192.0.2.1
}

goodput() {
	in_b timeout 60 "$pbperf" bulk $(options b "$1") -c 192.0.2.1 -R -t 2 -w 0 |
		sed 's/.*: \([0-9.]* Gbit\/s\);.*/\1/; /^pbperf: out/d'
}

# nothing_out SERVER CLIENT: a client on our stack is gone with it, and its last word may be
# lost; the kernel says again that it knows of no connection.
nothing_out() {
	stop_jobs
	[ "$1" = kernel ] || [ "$2" = stack ] ||
		grep -q '^pbperf: out: 0 packets, 0 buffers, 0 connections' "$work/serve"
}

# check NAME COMMAND...: its output is shown only when it fails.
check() {
	local name=$1
	shift
	if "$@" >"$work/out" 2>&1; then
		echo "ok $name"
	else
		echo "not ok $name"
		sed 's/^/    /' "$work/out" | tail -15
		failed=1
	fi
}

ip netns add "$ns-a" && ip netns add "$ns-b" || exit 1
for end in a b; do
	ip netns exec "$ns-$end" sysctl -qw net.ipv6.conf.default.disable_ipv6=1
done
clean_wire=rate=100M,queue=64000,delay=2ms
for fault in loss=2% duplicate=5% corrupt=2% reorder=5%,late=3ms,jitter=1ms \
	loss=1%,duplicate=1%,corrupt=1%,reorder=2%,late=2ms; do
	for pair in "kernel kernel" "stack kernel" "kernel stack" "stack stack"; do
		read -r server client <<<"$pair"
		check "$fault, $server serves $client: starts" \
			between "$server" "$client" "$clean_wire,$fault"
		check "$fault, $server serves $client: the same bytes" same_bytes "$client"
		echo "# $fault, $server to $client: $(goodput "$client" 2>&1)"
		check "$fault, $server serves $client: nothing is out" nothing_out "$server" "$client"
	done
done
exit $failed
