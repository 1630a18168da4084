#!/bin/bash
# pbperf as its user meets it: wrong arguments, signals, and an end after which nobody is
# left waiting.  In a network namespace of its own.
set -u
[ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }
[ -c /dev/net/tun ] || { echo "there is no /dev/net/tun"; exit 77; }
pbperf=${BUILD:-$PWD/build}/bench/pbperf
ns=pb-pbperf-$$
out=$(mktemp)
failed=0
server=

finish() {
	[ -z "$server" ] || kill "$server"
	ip netns del "$ns" 2>/dev/null
	rm -f "$out"
}
trap finish EXIT

in_ns() {
	ip netns exec "$ns" "$@"
}

# check NAME COMMAND...
check() {
	local name=$1
	shift
	if "$@" >"$out" 2>&1; then
		echo "ok $name"
	else
		echo "not ok $name"
		sed 's/^/    /' "$out"
		failed=1
	fi
}

# refuses STATUS TEXT ARGUMENT...: at once, and the first line has TEXT.
refuses() {
	local expected=$1 text=$2 status=0 said
	shift 2
	said=$(in_ns timeout 10 "$pbperf" "$@" 2>&1) || status=$?
	echo "status $status: $said"
	[ "$status" = "$expected" ] && head -n 1 <<<"$said" | grep -qF -- "$text"
}

# is_ended_by SIGNAL STATUS TEXT ARGUMENT...: by it, with TEXT among what was printed.
is_ended_by() {
	local signal=$1 expected=$2 text=$3 status=0 said
	shift 3
	said=$(in_ns timeout --preserve-status -s "$signal" -k 20 2 "$pbperf" "$@" 2>&1) ||
		status=$?
	echo "status $status: $said"
	[ "$status" = "$expected" ] && grep -qE "$text" <<<"$said"
}

no_connection_left() {
	in_ns "$pbperf" bulk "${on_stack[@]}" -c 192.0.2.1 -P 4 -t 1 "$@" &&
		in_ns ss -Htn state established '( sport = :9009 or sport = :9019 )' |
		tee /dev/stderr | wc -l | grep -qx 0
}

# bounded: of three connections to a server with -m 2 one is closed at once.
bounded() {
	ip netns exec "$ns" timeout 20 "$pbperf" serve -b 20000 -m 2 >/dev/null &
	local bounded=$!
	for _ in $(seq 100); do
		in_ns ss -Htln | grep -q ':20007 ' && break
		sleep 0.05
	done
	in_ns python3 -c '
import socket
c = [socket.create_connection(("127.0.0.1", 20007)) for _ in range(3)]
c[2].settimeout(10)
assert c[2].recv(1) == b"", "the third is served"
for s in c[:2]:
    s.sendall(b"x")
    assert s.recv(1) == b"x", "the first two are not"
c[0].close()
while True:
    c[0] = socket.create_connection(("127.0.0.1", 20007))
    c[0].sendall(b"x")
    try:
        if c[0].recv(1) == b"x":
            break
    except ConnectionResetError:
        pass
'
	local status=$?
	kill "$bounded"
	wait "$bounded"
	return $status
}

# serves_ip6: our stack's server, and the kernel as the client of each family.
serves_ip6() {
	ip netns exec "$ns" timeout 60 "$pbperf" serve "${on_stack6[@]}" >/dev/null &
	local ours=$! status=1
	for _ in $(seq 100); do
		in_ns "$pbperf" crr -c 2001:db8::2 -n 1 >/dev/null 2>&1 && break
		sleep 0.1
	done
	in_ns "$pbperf" bulk -c 2001:db8::2 -P 2 -t 1 &&
		in_ns "$pbperf" bulk -c 2001:db8::2 -t 1 -R &&
		in_ns "$pbperf" crr -c 2001:db8::2 -n 1000 -P 10 &&
		in_ns "$pbperf" crr -c 192.0.2.2 -n 100 && status=0
	kill "$ours"
	wait "$ours"
	return $status
}

ip netns add "$ns" && ip -n "$ns" link set lo up || exit 1
# The host's address on the TAP is of use at once.
in_ns sh -c 'echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad' || exit 1
ip netns exec "$ns" "$pbperf" serve >/dev/null 2>&1 &
server=$!
for _ in $(seq 100); do
	in_ns ss -Htln | grep -q ':9019 ' && break
	sleep 0.05
done
on_stack=(--net stack --port tap:pb0 --addr 192.0.2.2/24 --host-addr 192.0.2.1/24)
on_stack6=("${on_stack[@]}" --addr6 2001:db8::2/64 --host-addr6 2001:db8::1/64)
here=(-c 127.0.0.1)

check "a command that is none is named" refuses 2 'unknown command "nonsense"' nonsense
check "no command" refuses 2 'one command is needed'
check "no server" refuses 2 '-c must name' bulk
check "no time" refuses 2 '-t: read "0", but 1 to' bulk "${here[@]}" -t 0
check "no request" refuses 2 '-s: read "0", but 1 to' crr "${here[@]}" -s 0
check "no number" refuses 2 '-P: read "-1", but 1 to' crr "${here[@]}" -P -1
check "the stack's options without the stack" \
	refuses 2 'are for --net stack' bulk "${here[@]}" --port tap:pb0
check "a congestion control that is none" refuses 1 'No such file' \
	bulk "${here[@]}" --cc nonsense
check "a congestion control that the stack has not" refuses 1 'cannot make the layers' \
	bulk "${on_stack[@]}" "${here[@]}" --cc nonsense
check "a gateway that is nowhere near" refuses 1 'it is not in the subnet of addr' \
	bulk "${on_stack[@]}" "${here[@]}" --gateway 10.0.0.1
check "a server has so many connections" bounded
check "no address" refuses 2 '-c takes an address' bulk -c 2001:db8::g
check "the kernel's server serves IPv6" in_ns "$pbperf" crr -c ::1 -n 100
check "the stack loads the kernel's server over IPv6" \
	in_ns "$pbperf" bulk "${on_stack6[@]}" -c 2001:db8::1 -t 1
check "the stack's server serves IPv6" serves_ip6
check "no warm-up" in_ns "$pbperf" bulk "${here[@]}" -w 0 -t 1
check "SIGINT ends bulk" is_ended_by INT 130 'sending: [1-9]' bulk "${here[@]}" -t 60
check "SIGTERM ends bulk on the stack" is_ended_by TERM 143 'receiving: [0-9]' \
	bulk "${on_stack[@]}" -c 192.0.2.1 -t 60 -R
check "SIGINT ends crr" is_ended_by INT 130 '[1-9][0-9]* connections, 0 failed' \
	crr "${here[@]}" -n 100000000
check "the server of the stack's bulk is left alone" no_connection_left
check "the server of the stack's bulk -R is left alone" no_connection_left -R
in_ns ip addr add 192.0.2.99/28 dev lo
check "a subnet that is on another device" refuses 1 'its subnet is on lo already' \
	serve "${on_stack[@]}"
exit $failed
