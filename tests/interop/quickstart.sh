#!/bin/bash
# The first thing that anybody does with this program must work, and leave nothing.
set -euo pipefail
[ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }
[ -c /dev/net/tun ] || { echo "there is no /dev/net/tun"; exit 77; }

name=pb-quickstart-$$
apps/quickstart --once --name "$name"
! ip netns list | grep -q "^$name" || { echo "namespace $name is left"; exit 1; }
[ ! -e "/var/lib/$name-quickstart" ] || { echo "its folder is left"; exit 1; }
