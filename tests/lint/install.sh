#!/bin/bash
# Installs into a folder, and builds a program against what lies there, shared and
# static: headers, libraries and the pkg-config file are all that one needs.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
build=${BUILD:-$PWD/build}
dest=$(mktemp -d)
trap 'rm -rf "$dest"' EXIT

DESTDIR=$dest meson install -C "$build" --no-rebuild --quiet
pc=$(find "$dest" -name packetboat.pc)
export PKG_CONFIG_PATH=${pc%/*}
cat >"$dest/try.c" <<'C'
#include <stack/api/ready.h>
#include <stack/api/sock.h>
#include <stack/api/stack.h>
#include <stack/api/stat.h>
#include <stack/api/zc.h>

int main(void)
{
	struct pb_stack_conf conf;

	pb_stack_conf_init(&conf);
	return conf.n_cores && pb_clock() ? 0 : 1;
}
C
# shellcheck disable=SC2046
gcc -Wall -Werror "$dest/try.c" -o "$dest/shared" $(pkg-config --cflags --libs packetboat)
# shellcheck disable=SC2046
gcc -Wall -Werror "$dest/try.c" -o "$dest/static" \
	$(pkg-config --cflags packetboat) "$(find "$dest" -name libpacketboat.a)" \
	$(pkg-config --static --libs packetboat | tr ' ' '\n' | grep -v '^-lpacketboat')
# Each function has its page.
for name in pb_turn pb_ready_wait pb_zc_send_done pb_drain; do
	page=$(find "$dest" -name "$name.3")
	[ -s "$page" ] || { echo "no manual page $name.3"; exit 1; }
done
LD_LIBRARY_PATH=$(dirname "$(find "$dest" -name libpacketboat.so)") "$dest/shared"
"$dest/static"
