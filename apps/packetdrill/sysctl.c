/*
 * Linux's settings, as a script's first line changes them: files below a directory, one
 * each, which whoever runs the tool puts in the place of /proc/sys.
 *
 * Those before the stack opens are its configuration.  The others change what TCP has of
 * its own, which no program can: a program asks a socket for it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/packetdrill/drill_impl.h"
#include "stack/core/core.h"
#include "tcp/tcp_impl.h"

enum { TEXT_LEN = 256 };

/* The text of setting @name.  False: nobody set it. */
static bool text_of(const struct drill *d, const char *name, char text[TEXT_LEN])
{
	char path[TEXT_LEN];
	bool found;
	FILE *f;

	if (!d->sysctl)
		return false;
	snprintf(path, sizeof(path), "%s/net/ipv4/%s", d->sysctl, name);
	f = fopen(path, "r");
	if (!f)
		return false;
	found = fgets(text, TEXT_LEN, f);
	fclose(f);
	return found;
}

/* Number @i of setting @name; @def: nobody set it. */
static long number_of(const struct drill *d, const char *name, unsigned i, long def)
{
	char text[TEXT_LEN], *at = text;
	long n = def;

	if (!text_of(d, name, text))
		return def;
	for (unsigned k = 0; k <= i; k++)
		n = strtol(at, &at, 0);
	return n;
}

void drill_sysctl_before(struct drill *d)
{
	long sndbuf = number_of(d, "tcp_wmem", 1, 0);

	if (sndbuf > 0)
		d->conf.sndbuf = (uint32_t)sndbuf;
}

void drill_sysctl_after(struct drill *d)
{
	struct tcp_conf *conf = &d->core->tcp->conf;

	conf->sack = number_of(d, "tcp_sack", 0, conf->sack);
	conf->timestamps = number_of(d, "tcp_timestamps", 0, conf->timestamps);
	conf->window_scale = number_of(d, "tcp_window_scaling", 0, conf->window_scale);
	conf->syn_cookies = number_of(d, "tcp_syncookies", 0, conf->syn_cookies);
	/* Linux counts those behind the first. */
	conf->syn_tries =
		1 + (uint32_t)number_of(d, "tcp_syn_retries", 0, conf->syn_tries - 1);
	conf->synack_tries = 1 + (uint32_t)number_of(d, "tcp_synack_retries", 0,
						     conf->synack_tries - 1);
}
