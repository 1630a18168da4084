#!/bin/bash
# packetboatd as its administrator meets it, on both networks: starts that fail, a
# message there and back, users that change, the end; and an address that another has.
# In network namespaces of its own.
set -euo pipefail
[ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }
[ -c /dev/net/tun ] || { echo "there is no /dev/net/tun"; exit 77; }
build=${BUILD:-$PWD/build}
ns=pb-appliance-$$
dir=$(mktemp -d /var/tmp/appliance.XXXXXX)
chmod 755 "$dir"
user=nobody

in_ns() {
	ip netns exec "$ns" "$@"
}

daemon() {
	in_ns "$build/apps/packetboatd/packetboatd" -c "$dir/conf" --net "$net" "$@"
}

boat() {
	"$build/apps/packetboat/packetboat" -c "$dir/conf" "$@"
}

gone() {
	for _ in $(seq 100); do
		[ "$(cat "/proc/$1/comm" 2>/dev/null)" = packetboatd ] || return 0
		sleep 0.1
	done
	return 1
}

finish() {
	[ ! -s "$dir/run/pid" ] || kill "$(cat "$dir/run/pid")" 2>/dev/null || true
	ip netns del "$ns" 2>/dev/null || true
	ip netns del "$ns-peer" 2>/dev/null || true
	rm -rf "$dir"
}
trap finish EXIT

# check NAME COMMAND...
check() {
	local name=$1 status=0
	shift
	"$@" >"$dir/said" 2>&1 || status=$?
	if [ "$status" = 0 ]; then
		echo "ok $net: $name"
	else
		echo "not ok $net: $name"
		cat "$dir/said"
		failed=1
	fi
}

# A start that fails with 1 and says just that line.
fails_with() {
	local expected=$1 status=0 said
	shift
	said=$(daemon "$@" 2>&1) || status=$?
	[ "$status" = 1 ] && [ "$said" = "packetboatd: $expected" ] && return
	echo "status $status: $said"
	return 1
}

write_conf() {
	cat >"$dir/conf" <<-CONF
		hostname = mail.example.org
		user = $user
		users = $dir/users
		control = $dir/run/control
		pid_file = $dir/run/pid
		log_file = $dir/log
		[stack]
		probe_addr = no
		[store]
		dir = $dir/mail
		size_max = 256M
		free_min = 1M
		[smtp]
		postmaster = alice
		[pop3]
		login_delay_ms = 0
	CONF
	rm -rf "$dir/mail" "$dir/users" "$dir/log"
	echo secret | boat user add alice alice@example.org --password-stdin
}

runs_as_service_user() {
	local status
	status=/proc/$(cat "$dir/run/pid")/status
	grep -E '^(Uid|Gid|Groups|CapEff|NoNewPrivs)' "$status"
	grep -qE "^Uid:(\s$(id -u $user)){4}$" "$status" &&
		grep -qE '^Groups:\s*$' "$status" &&
		grep -qE '^CapEff:\s0+$' "$status" &&
		grep -qE '^NoNewPrivs:\s1$' "$status"
}

files_are_closed_to_others() {
	local path
	for path in "$dir/mail" "$dir/mail"/* "$dir/users" "$dir/run/control" "$dir/log"; do
		stat -c '%A %U %n' "$path"
		[[ $(stat -c '%A %U' "$path") =~ ^.rw[x-]------\ $user$ ]] || return 1
	done
}

send() {
	in_ns curl -sS --max-time 20 "smtp://$at" --mail-from bob@example.com \
		--mail-rcpt "$1" --upload-file "$dir/message"
}

there_and_back() {
	{
		printf 'From: bob@example.com\r\nSubject: hello\r\n\r\n'
		head -c 700000 /dev/urandom | base64 -w 76 | sed 's/$/\r/'
	} >"$dir/message"
	send alice@example.org
	in_ns curl -sS --max-time 20 "pop3://$at/1" --user alice:secret -o "$dir/back"
	tail -c "$(stat -c %s "$dir/message")" "$dir/back" | cmp - "$dir/message"
}

user_comes_and_goes() {
	! send carol@example.org || return 1
	echo word | boat user add carol carol@example.org --password-stdin
	sleep 3
	send carol@example.org || return 1
	in_ns curl -sS --max-time 20 "pop3://$at/" --user carol:word | grep '^1 ' || return 1
	boat user remove carol
	sleep 3
	! in_ns curl -sS --max-time 20 "pop3://$at/" --user carol:word
}

nothing_is_out() {
	boat out --json >"$dir/out"
	! grep -E '"(packets|buffers|connections|half-open|net connections|.* sessions|.* messages)"' \
		"$dir/out" | grep -v '"out": 0'
}

counts_and_holds() {
	boat stat --json smtp.messages | grep '"value": 2' && boat conns && boat trace ||
		return 1
	for _ in $(seq 50); do
		nothing_is_out && return
		sleep 0.1
	done
	cat "$dir/out"
	return 1
}

refuses_a_second() {
	local what=$1
	fails_with "$what"
}

stops() {
	local pid
	pid=$(cat "$dir/run/pid")
	boat stop && gone "$pid" && [ ! -e "$dir/run/pid" ] && [ ! -e "$dir/run/control" ] &&
		! boat stat
}

one_network() {
	net=$1 at=$2
	write_conf
	check "unknown service user" fails_with \
		"user is 'no-such-user'; allowed: a user of this system" -o user=no-such-user
	check "file of users with a mistake" fails_with \
		"$dir/wrong:1: not three or four parts; allowed: name:hash:address[,address...][:scram]" \
		-o "users=$dir/wrong"
	check "configuration that is not there" fails_with \
		"$dir/none: No such file or directory" -c "$dir/none"
	check "start" daemon
	check "runs as the service user" runs_as_service_user
	check "files are closed to others" files_are_closed_to_others
	check "a message there and back" there_and_back
	check "a user comes and goes" user_comes_and_goes
	check "counters, connections and pools" counts_and_holds
	check "a second one is refused" refuses_a_second "$3"
	check "stop" stops
}

# --- whose the address is: on a veth, behind which a peer has it, or comes to have it ---

ready_means_reachable() {
	daemon "$@" && ip netns exec "$ns-peer" ping -c 1 -W 1 192.0.2.2
}

no_postmaster_is_logged() {
	grep 'postmaster refused=yes why="smtp.postmaster is not set"' "$dir/log"
}

claim_is_logged() {
	ip -n "$ns-peer" addr add 192.0.2.2/24 dev v0
	# Asks with the address, which is what a station does that believes to have it.
	ip netns exec "$ns-peer" ping -c 1 -W 1 -I 192.0.2.2 192.0.2.77 >/dev/null || true
	for _ in $(seq 50); do
		grep -E " address conflict claims=[1-9][0-9]* by=$mac\$" "$dir/log" && return
		sleep 0.1
	done
	cat "$dir/log"
	return 1
}

# The signal comes while the address is being looked for.
start_can_be_ended() {
	local status=0 said
	said=$(in_ns timeout -s INT --preserve-status 1 "$build/apps/packetboatd/packetboatd" \
		-c "$dir/conf" "$@" 2>&1) || status=$?
	[ "$status" = 1 ] && grep 'told to stop before it was ready' <<<"$said"
}

whose_address() {
	local on_veth=(--port packet:v0 -o stack.probe_addr=yes)
	net=stack
	ip netns add "$ns-peer"
	ip -n "$ns" link add v0 type veth peer name v0 netns "$ns-peer"
	ip -n "$ns" link set v0 up
	ip -n "$ns-peer" link set v0 up
	mac=$(ip netns exec "$ns-peer" cat /sys/class/net/v0/address)
	ip -n "$ns-peer" addr add 192.0.2.2/24 dev v0
	write_conf
	check "an address of another is refused" fails_with \
		"stack.addr is '192.0.2.2/24', which another station on packet:v0 has: $mac" \
		"${on_veth[@]}"
	ip -n "$ns-peer" addr del 192.0.2.2/24 dev v0
	ip -n "$ns-peer" addr add 192.0.2.1/24 dev v0
	check "a start can be ended" start_can_be_ended -f "${on_veth[@]}"
	sed -i /postmaster/d "$dir/conf"
	check "ready means reachable" ready_means_reachable "${on_veth[@]}"
	check "a start without a postmaster is logged" no_postmaster_is_logged
	check "a later claim of the address is logged" claim_is_logged
	check "stop" stops
}

failed=0
ip netns add "$ns"
ip -n "$ns" link set lo up
echo alice >"$dir/wrong"
chmod 644 "$dir/wrong"
one_network kernel 127.0.0.1 "*:25: Address already in use"
one_network stack 192.0.2.2 "tap:pb0: in use, or of another kind"
whose_address
exit "$failed"
