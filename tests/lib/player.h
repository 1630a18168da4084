/*
 * Plays a script (script.h) with a whole stack: a port that is a queue of IP packets, our
 * socket calls, and a clock that leaps from one event to the next.
 *
 * The stack is 192.0.2.1 or 2001:db8::1; its peers are all at ::2, with ports of their
 * own.  Everything that the stack sends must be expected, in its order and at its time; at
 * the end of the script nothing may wait, and when all sockets are closed nothing of
 * the stack's may be out.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "tests/lib/script.h"

/*
 * True: all went as @s says.  False: @error says where it did not, what was expected and
 * what came.  @trace, when not NULL, hears of every packet and call, as lines of a script.
 */
bool player_play(const struct script *s, enum script_family family, FILE *trace,
		 char error[static SCRIPT_ERROR_LEN]);
