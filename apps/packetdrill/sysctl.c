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
#include "tcp/fastopen.h"
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

	d->core->socks.notsent_lowat =
		(uint32_t)number_of(d, "tcp_notsent_lowat", 0, UINT32_MAX);
	conf->sack = number_of(d, "tcp_sack", 0, conf->sack);
	conf->timestamps = number_of(d, "tcp_timestamps", 0, conf->timestamps);
	conf->window_scale = number_of(d, "tcp_window_scaling", 0, conf->window_scale);
	conf->syn_cookies = number_of(d, "tcp_syncookies", 0, conf->syn_cookies);
	conf->min_burst_segs =
		(uint32_t)number_of(d, "tcp_min_tso_segs", 0, conf->min_burst_segs);
	/* Linux counts those behind the first. */
	conf->syn_tries =
		1 + (uint32_t)number_of(d, "tcp_syn_retries", 0, conf->syn_tries - 1);
	conf->synack_tries = 1 + (uint32_t)number_of(d, "tcp_synack_retries", 0,
						     conf->synack_tries - 1);
}

/* "a0bf63f7-ed803d81-cd641d30-cebc4a90": words, of which the lowest byte is the first. */
static bool read_key(const char *text, struct fo_keys *keys)
{
	unsigned word[FO_KEY_LEN / 4];
	uint8_t bytes[FO_KEY_LEN];

	if (sscanf(text, "%x-%x-%x-%x", &word[0], &word[1], &word[2], &word[3]) != 4)
		return false;
	for (unsigned i = 0; i < FO_KEY_LEN; i++)
		bytes[i] = (uint8_t)(word[i / 4] >> i % 4 * 8);
	return fo_keys_set(keys, bytes, sizeof(bytes)) == 0;
}

void drill_sysctl_fastopen(struct drill *d)
{
	struct tcp *tcp = d->core->tcp;
	struct fo_keys keys;
	char text[TEXT_LEN];
	bool has_key;

	has_key = text_of(d, "tcp_fastopen_key", text) && read_key(text, &keys);
	tcp->conf.timestamps = number_of(d, "tcp_timestamps", 0, tcp->conf.timestamps);
	tcp->opts.ecn = (uint8_t)number_of(d, "tcp_ecn", 0, tcp->conf.ecn);
	tcp_set_fastopen(tcp, (unsigned)number_of(d, "tcp_fastopen", 0, TCP_FO_CLIENT),
			 has_key ? &keys : NULL);
	tcp->fo_cache.pause_s = (uint32_t)number_of(
		d, "tcp_fastopen_blackhole_timeout_sec", 0, tcp->conf.fo_pause_s);
	if (number_of(d, "tcp_metrics_flushed", 0, 0) == d->n_flushed)
		return;
	d->n_flushed = number_of(d, "tcp_metrics_flushed", 0, 0);
	fo_cache_fini(&tcp->fo_cache);
	if (fo_cache_init(&tcp->fo_cache, tcp->conf.fo_cache_max, tcp->conf.fo_pause_s,
			  tcp->key))
		abort();
}
