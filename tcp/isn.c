#include "tcp/isn.h"

#include "tcp/secret.h"

enum { TICK_NS = 4000 }; /* RFC 9293 3.4.1 */

struct seq isn_new(const struct hash_key *key, const struct flow *f, uint64_t now_ns)
{
	/* RFC 6528 3: ISN = M + F(localip, localport, remoteip, remoteport, secret) */
	return (struct seq){ (uint32_t)(now_ns / TICK_NS +
					secret_flow(key, SECRET_ISN, f, 0)) };
}

uint32_t isn_ts_offset(const struct hash_key *key, const struct flow *f)
{
	return (uint32_t)secret_flow(key, SECRET_TS_OFFSET, f, 0);
}
