#!/bin/bash
# The stack against the kernel: ping, nmap, many connections, bulk, fragments and ICMP
# errors, over TAP and over a raw socket on a veth.  Prints "ok" or "not ok" for each.
# Takes the build folder as argument; needs root.
set -u
build=${1:-build}
pbperf=$build/bench/pbperf
[ "$(id -u)" = 0 ] || { echo "needs root to make network namespaces"; exit 77; }
[ -x "$pbperf" ] || { echo "$pbperf is not built"; exit 1; }

ns=pbtest-$$-peers
work=$(mktemp -d)
failed=0
server=

stop_server() {
	[ -n "$server" ] || return 0
	kill -TERM "$server" 2>/dev/null
	wait "$server" 2>/dev/null
	server=
}

clean() {
	stop_server
	ip netns del "$ns" 2>/dev/null
	ip netns del "$ns-b" 2>/dev/null
	rm -rf "$work"
}
trap clean EXIT

in_ns() { ip netns exec "$ns" "$@"; }

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

serve() {
	ip netns exec "$1" "$pbperf" serve --net stack --port "$2" --addr 192.0.2.2/24 \
		"${@:3}" >"$work/serve" 2>&1 &
	server=$!
	for _ in $(seq 100); do
		grep -q 'echo on' "$work/serve" && return 0
		kill -0 "$server" 2>/dev/null || break
		sleep 0.05
	done
	cat "$work/serve"
	return 1
}

no_loss() { in_ns ping -f -q -c "$1" -s "$2" 192.0.2.2 | tee /dev/stderr | grep -q ' 0% packet loss'; }

ports_seen() {
	in_ns nmap -n -Pn -sS -p- -T5 --max-retries 2 192.0.2.2 | tee /dev/stderr |
		grep -c '/tcp  *open' | grep -qx 3
}

os_guess() { in_ns nmap -n -Pn -O -p 9007,1 --max-os-tries 2 192.0.2.2 | tee /dev/stderr | grep -q 'OS detection performed'; }

udp_refused() {
	in_ns python3 - <<-'PY'
	import socket
	s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
	s.settimeout(2)
	s.connect(('192.0.2.2', 9999))
	s.send(b'anybody?')
	try:
	    s.recv(10)
	except ConnectionRefusedError:
	    raise SystemExit(0)
	raise SystemExit('no port unreachable came')
	PY
}

tcp_refused() {
	in_ns python3 - <<-'PY'
	import socket
	try:
	    socket.create_connection(('192.0.2.2', 1), timeout=2)
	except ConnectionRefusedError:
	    raise SystemExit(0)
	raise SystemExit('not refused')
	PY
}

# The server closes everything and says what is still out of its pools.
nothing_out() {
	sleep 1
	stop_server
	cat "$work/serve"
	grep -q '^pbperf: out: 0 packets, 0 buffers, 0 connections, 0 sockets, 0 half-open' "$work/serve"
}

# At least so many milliseconds, and not twice as many.
# The median: ping, which reads its packets before anybody has looked at their sums, takes a
# bit that was turned in one for its time.
round_trip() {
	in_ns ping -n -i 0.01 -c 50 192.0.2.2 | sed -n 's/.* time=\([0-9.]*\) ms.*/\1/p' | sort -n |
		tee /dev/stderr | awk -v ms="$1" '{ t[NR] = $1 }
			END { m = t[int((NR + 1) / 2)]; exit !(m >= ms && m < 2 * ms) }'
}

no_queue() { tc -n "$ns" qdisc show dev pb0 root | tee /dev/stderr | grep -q '^qdisc noqueue'; }

common() {
	check "$1: ping" no_loss 100 56
	check "$1: ping of 8000 bytes, in fragments" no_loss 20 8000
	check "$1: 2000 connections opened, used, closed" \
		in_ns "$pbperf" crr -c 192.0.2.2 -n 2000 -P 32 -s 512
	check "$1: bulk to us" in_ns "$pbperf" bulk -c 192.0.2.2 -t 1 -P 2
	check "$1: bulk from us" in_ns "$pbperf" bulk -c 192.0.2.2 -t 1 -P 2 -R
	check "$1: a closed TCP port refuses" tcp_refused
	check "$1: a closed UDP port is unreachable" udp_refused
}

ip netns add "$ns" && ip -n "$ns" link set lo up || exit 1

check "tap: starts" serve "$ns" tap:pb0 --host-addr 192.0.2.1/24
check "tap: no queue of the kernel's in front of ours" no_queue
common tap
check "tap: ping -f -c 10000 without loss" no_loss 10000 56
check "tap: nmap -sS -p- finds our three ports" ports_seen
check "tap: nmap -O" os_guess
check "tap: 10000 connections after all that" \
	in_ns "$pbperf" crr -c 192.0.2.2 -n 10000 -P 64
check "tap: nothing is out in the pools" nothing_out

check "plain tap: starts" serve "$ns" tap:pb0 \
	--host-addr 192.0.2.1/24 --no-offload
common "plain tap"
check "plain tap: nothing is out in the pools" nothing_out

check "tun: starts" serve "$ns" tun:pb0 --host-addr 192.0.2.1/24
common tun
check "tun: nothing is out in the pools" nothing_out

check "bad wire: starts" serve "$ns" \
	fault:delay=5ms,loss=2%,duplicate=1%,reorder=2%,late=1ms,corrupt=1%:tun:pb0 \
	--host-addr 192.0.2.1/24
check "bad wire: 200 connections opened, used, closed" \
	in_ns "$pbperf" crr -c 192.0.2.2 -n 200 -P 16 -s 512
check "bad wire: bulk to us" in_ns "$pbperf" bulk -c 192.0.2.2 -t 2 -P 2
check "bad wire: bulk from us" in_ns "$pbperf" bulk -c 192.0.2.2 -t 2 -P 2 -R
check "bad wire: it takes 10 ms to us and back" round_trip 10
check "bad wire: nothing is out in the pools" nothing_out

ip netns add "$ns-b" && ip -n "$ns" link add v0 type veth peer name v0 netns "$ns-b"
ip -n "$ns" addr add 192.0.2.1/24 dev v0 && ip -n "$ns" link set v0 up
ip -n "$ns-b" link set v0 up
check "packet on veth: starts" serve "$ns-b" packet:v0
common "packet on veth"
check "packet on veth: nothing is out in the pools" nothing_out
exit $failed
