/*
 * "? cwnd 10, ssthresh > 4, state ESTABLISHED, tcp.rto 1": what is so of the connection
 * that was accepted or connected last, or of another with "fd 5" in front; and
 * what the stack counted (the groups and names of `packetboat stat`).
 */
#include <stdlib.h>
#include <string.h>

#include "stack/api/stat.h"
#include "stack/sock/sock_impl.h"
#include "tcp/conn.h"
#include "tests/lib/player_impl.h"

/* What the connection is asked. */
struct view {
	struct tcp_conn_info info;
	const struct tcp_conn *conn;
};

static uint64_t segments(const struct view *v, uint32_t bytes)
{
	return (bytes + v->info.mss - 1) / v->info.mss;
}

#define ASK(name, value)                                 \
	static uint64_t ask_##name(const struct view *v) \
	{                                                \
		return value;                            \
	}

ASK(cwnd, v->info.cwnd / v->info.mss)
ASK(cwnd_bytes, v->info.cwnd)
ASK(ssthresh, v->info.ssthresh / v->info.mss)
ASK(ssthresh_bytes, v->info.ssthresh)
ASK(unacked, segments(v, v->info.unacked))
ASK(sacked, segments(v, v->info.sacked))
ASK(lost, segments(v, v->info.lost))
ASK(retrans, segments(v, v->info.retrans))
ASK(mss, v->info.mss)
ASK(rcv_mss, v->info.rcv_mss)
ASK(snd_wnd, v->info.snd_wnd)
ASK(rcv_wnd, v->info.rcv_wnd)
ASK(srtt_us, v->info.srtt_us)
ASK(rttvar_us, v->info.rttvar_us)
ASK(rto_us, v->info.rto_us)
ASK(min_rtt_us, v->info.min_rtt_us)
ASK(backoff, v->info.backoff)
ASK(sndq, v->info.sndq_len)
ASK(rcvq, v->info.rcvq_len)
ASK(ooo, v->info.ooo_len)
ASK(rtos, v->info.rtos)
ASK(recoveries, v->info.fast_recoveries)
ASK(bytes_retrans, v->info.bytes_retrans)
ASK(sack, v->info.sack)
ASK(ecn, v->info.ecn)
ASK(accecn, v->info.accecn)
ASK(timestamps, v->info.timestamps)
ASK(snd_wscale, v->info.snd_wscale)
ASK(rcv_wscale, v->info.rcv_wscale)

static const struct {
	const char *name;
	uint64_t (*ask)(const struct view *v);
} questions[] = {
	{ "cwnd", ask_cwnd },
	{ "cwnd_bytes", ask_cwnd_bytes },
	{ "ssthresh", ask_ssthresh },
	{ "ssthresh_bytes", ask_ssthresh_bytes },
	{ "unacked", ask_unacked },
	{ "sacked", ask_sacked },
	{ "lost", ask_lost },
	{ "retrans", ask_retrans },
	{ "mss", ask_mss },
	{ "rcv_mss", ask_rcv_mss },
	{ "snd_wnd", ask_snd_wnd },
	{ "rcv_wnd", ask_rcv_wnd },
	{ "srtt_us", ask_srtt_us },
	{ "rttvar_us", ask_rttvar_us },
	{ "rto_us", ask_rto_us },
	{ "min_rtt_us", ask_min_rtt_us },
	{ "backoff", ask_backoff },
	{ "sndq", ask_sndq },
	{ "rcvq", ask_rcvq },
	{ "ooo", ask_ooo },
	{ "rtos", ask_rtos },
	{ "recoveries", ask_recoveries },
	{ "bytes_retrans", ask_bytes_retrans },
	{ "sack", ask_sack },
	{ "ecn", ask_ecn },
	{ "accecn", ask_accecn },
	{ "timestamps", ask_timestamps },
	{ "snd_wscale", ask_snd_wscale },
	{ "rcv_wscale", ask_rcv_wscale },
};

static const char *const ca_names[] = {
	[TCP_CA_OPEN] = "OPEN", [TCP_CA_DISORDER] = "DISORDER",
	[TCP_CA_CWR] = "CWR",	[TCP_CA_RECOVERY] = "RECOVERY",
	[TCP_CA_LOSS] = "LOSS",
};

/* ---- counters ---- */

struct counter {
	const char *name; /* "tcp.rto" */
	bool found;
	uint64_t value;
};

static void look_at_counter(void *arg, const struct pb_counter *c)
{
	struct counter *want = arg;
	size_t n = strlen(c->group);

	if (strncmp(want->name, c->group, n) != 0 || want->name[n] != '.' ||
	    strcmp(want->name + n + 1, c->name) != 0)
		return;
	want->found = true;
	want->value = c->value;
}

/* ---- one question ---- */

static bool view(struct player *p, struct view *v)
{
	struct player_fd *fd = player_fd(p, p->last_fd);
	struct socks *ss;
	struct sock *s = fd ? sock_get(&ss, fd->s) : NULL;

	if (!s || s->kind != SOCK_TCP)
		return player_fail(p, "there is no connection to look at");
	v->conn = s->conn;
	tcp_conn_info(ss->tcp, s->conn, &v->info);
	if (v->info.mss == 0)
		v->info.mss = 1;
	return true;
}

static bool same_word(struct player *p, const char *key, const char *is, const char *want)
{
	return strcmp(is, want) == 0 || player_fail(p, "%s is %s, not %s", key, is, want);
}

/* "10", "> 4", "3~5" */
static bool compare(struct player *p, const char *key, const char *want, uint64_t is)
{
	char op = strchr("<>", *want) ? *want++ : '=';
	uint64_t low, high;
	char *end;

	low = high = strtoull(want, &end, 10);
	if (*end == '~')
		high = strtoull(end + 1, &end, 10);
	if (end == want || *end)
		return player_fail(p, "%s: \"%s\" is no number", key, want);
	if (op == '<' ? is < low : op == '>' ? is > low : is >= low && is <= high)
		return true;
	return player_fail(p, "%s is %llu, not %s%s", key, (unsigned long long)is,
			   op == '<' ? "< " :
			   op == '>' ? "> " :
				       "",
			   want);
}

static bool ask_conn(struct player *p, const char *key, const char *want)
{
	struct view v;

	uint64_t value;

	if (!view(p, &v))
		return false;
	if (strncmp(key, "tcpi_", 5) == 0)
		return player_info(player_fd(p, p->last_fd)->s, key, &value) ?
			       compare(p, key, want, value) :
			       player_fail(p, "TCP_INFO has no \"%s\"", key);
	if (strcmp(key, "state") == 0)
		return same_word(p, key, tcp_state_name(v.info.state), want);
	if (strcmp(key, "ca") == 0)
		return same_word(p, key,
				 ca_names[v.conn->x ? v.conn->x->ca : TCP_CA_OPEN], want);
	for (size_t i = 0; i < ARRAY_LEN(questions); i++)
		if (strcmp(key, questions[i].name) == 0)
			return compare(p, key, want, questions[i].ask(&v));
	return player_fail(p, "nothing is called \"%s\"", key);
}

static bool ask(struct player *p, char *key, char *want)
{
	struct counter counter = { .name = key };

	if (strcmp(key, "fd") == 0) {
		p->last_fd = atoi(want);
		return true;
	}
	if (!strchr(key, '.'))
		return ask_conn(p, key, want);
	pb_stat_each(p->core, look_at_counter, &counter);
	return counter.found ? compare(p, key, want, counter.value) :
			       player_fail(p, "no counter is called \"%s\"", key);
}

static char *words(char *s)
{
	size_t n;

	s += strspn(s, " ");
	for (n = strlen(s); n && s[n - 1] == ' '; n--)
		s[n - 1] = '\0';
	return s;
}

bool player_look(struct player *p, const struct script_event *e)
{
	char text[512], *next = text, *one, *key;

	if (strlen(e->text) >= sizeof(text))
		return player_fail(p, "too long a line");
	strcpy(text, e->text);
	while ((one = strsep(&next, ","))) {
		one = words(one);
		key = strsep(&one, " ");
		if (!one)
			return player_fail(p, "a question is NAME VALUE: \"%s\"", key);
		one = words(one);
		/* "> 4" is ">4" */
		if (strchr("<>", *one))
			memmove(one + 1, words(one + 1), strlen(words(one + 1)) + 1);
		if (!ask(p, key, one))
			return false;
	}
	return true;
}
