/*
 * Echo, discard and character generator for any load (RFC 862, 863, 864; TCP).
 */
#pragma once

#include <signal.h>
#include <stdint.h>

struct perf_net;

/*
 * Serves on ports @base + 7, + 9 and + 19 of every address of both families until *@stop is set; who comes
 * when @conns_max are open is closed at once.  0, or -1 after a line on standard error.
 */
int serve_run(struct perf_net *net, uint16_t base, unsigned conns_max,
	      const volatile sig_atomic_t *stop);
