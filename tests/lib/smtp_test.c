#include "tests/lib/smtp_test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/lib/io.h"
#include "apps/lib/tls.h"
#include "apps/mail/auth/sasl.h"
#include "apps/mail/auth/verify.h"
#include "apps/mail/queue/envelope.h"
#include "apps/mail/store/spool.h"
#include "stack/base/check.h"
#include "tests/lib/login_test.h"
#include "tests/lib/net_mem.h"

static const char *const users[] = { "alice", "bob" };

/* Aliases: their names, and whom they lead to. */
static const struct {
	const char *local;
	enum smtpd_whose whose;
	const char *moved_to;
	struct mail_to to[3];
	size_t n_to;
} aliases[] = {
	{ "sales",
	  SMTPD_OURS,
	  "",
	  { { .user = { "alice", 5 }, .addr = { "alice@b.example", 15 } },
	    { .user = { "bob", 3 }, .addr = { "bob@b.example", 13 } },
	    { .addr = { "helper@far.example", 18 } } },
	  3 },
	{ "dev",
	  SMTPD_OURS,
	  "",
	  { { { "bob", 3 }, { "bob@b.example", 13 }, { "alice@b.example", 15 } },
	    { { "", 0 }, { "x@far.example", 13 }, { "alice@b.example", 15 } } },
	  2 },
	{ "smith",
	  SMTPD_OURS,
	  "smith@new.example",
	  { { .addr = { "smith@new.example", 17 } } },
	  1 },
	{ .local = "jones", .whose = SMTPD_AWAY, .moved_to = "jones@new.example" },
	{ .local = "loop", .whose = SMTPD_LOOP, .moved_to = "" },
	{ .local = "deep", .whose = SMTPD_TOO_FAR, .moved_to = "" },
};

/* MANY addresses at far.example. */
static void find_many(struct smtp_test *t, struct smtpd_found *found)
{
	for (size_t i = 0; i < SMTP_TEST_MANY; i++) {
		snprintf(t->many_text[i], sizeof(t->many_text[i]), "m%zu@far.example", i);
		t->many[i] = (struct mail_to){ .addr = str_of(t->many_text[i]) };
	}
	found->is_alias = true;
	found->to = t->many;
	found->n_to = SMTP_TEST_MANY;
}

static enum smtpd_whose find_user(struct str name, struct str addr,
				  struct smtpd_found *found)
{
	found->one = (struct mail_to){ .user = name, .addr = addr };
	found->to = &found->one;
	found->n_to = 1;
	return SMTPD_OURS;
}

static enum smtpd_whose find(void *arg, struct str addr, struct smtpd_found *found)
{
	const char *at = memrchr(addr.p, '@', addr.len);
	struct str local = { addr.p, (size_t)(at - addr.p) };
	struct str domain = { at + 1, addr.len - local.len - 1 };

	if (str_eq_nocase(domain, STR("unsure.example")))
		return SMTPD_UNSURE;
	if (!str_eq_nocase(domain, STR("b.example")) &&
	    !str_eq_nocase(domain, STR("mx.b.example")))
		return SMTPD_NOT_OURS;
	for (size_t i = 0; i < ARRAY_LEN(aliases); i++)
		if (str_eq_nocase(local, str_of(aliases[i].local))) {
			found->is_alias = true;
			found->moved_to = str_of(aliases[i].moved_to);
			found->to = aliases[i].to;
			found->n_to = aliases[i].n_to;
			return aliases[i].whose;
		}
	if (str_eq_nocase(local, STR("many"))) {
		find_many(arg, found);
		return SMTPD_OURS;
	}
	for (size_t i = 0; i < ARRAY_LEN(users); i++)
		if (str_starts_nocase(local, str_of(users[i])))
			return find_user(str_of(users[i]), addr, found);
	/* u1, u2, ...: as many users as a test wants */
	if (local.len < 8 && str_starts_nocase(local, STR("u")))
		return find_user(local, addr, found);
	return SMTPD_NOBODY;
}

static bool has_user(void *arg, struct str name)
{
	(void)arg;
	for (size_t i = 0; i < ARRAY_LEN(users); i++)
		if (str_eq(name, str_of(users[i])))
			return true;
	return false;
}

static void keep(struct smtp_test *t, const struct store_op *op, struct str user,
		 struct str head)
{
	struct stored *s = calloc(1, sizeof(*s));
	size_t len = head.len;

	for (size_t k = 0; k < op->deliver.n_parts; k++)
		len += op->deliver.parts[k].len;
	s->user = str_dup(user);
	s->text = malloc(len + 1);
	memcpy(s->text, head.p, head.len);
	s->len = head.len;
	for (size_t k = 0; k < op->deliver.n_parts; k++) {
		const struct str *part = &op->deliver.parts[k];

		if (part->len > 0)
			memcpy(s->text + s->len, part->p, part->len);
		s->len += part->len;
	}
	s->text[s->len] = '\0';
	s->next = t->store.stored;
	t->store.stored = s;
}

static void keep_item(struct smtp_test *t, const struct store_op *op,
		      const struct spool_new *item)
{
	struct envelope *e = malloc(sizeof(*e));

	keep(t, op, item->dest, STR(""));
	ASSERT(e && envelope_parse(item->bytes, e));
	snprintf(t->store.stored->sender, sizeof(t->store.stored->sender), "%.*s",
		 (int)e->from.len, e->from.p);
	free(e);
}

/* The store knows the last mark. */
static void note_mark(struct smtp_test *t, struct store_op *op)
{
	if (!op->spool->mark)
		return;
	op->spool->came_before =
		memcmp(t->store.mark, op->spool->mark, SPOOL_MARK_LEN) == 0;
	memcpy(t->store.mark, op->spool->mark, SPOOL_MARK_LEN);
}

static bool submit(void *arg, struct store_op *op)
{
	struct smtp_test *t = arg;

	if (t->store.refuses)
		return false;
	op->next = NULL;
	*t->store.ops_end = op;
	t->store.ops_end = &op->next;
	if (!t->store.holds)
		smtp_test_commit(t);
	return true;
}

void smtp_test_commit(struct smtp_test *t)
{
	struct store_op *op = t->store.ops;

	t->store.ops = NULL;
	t->store.ops_end = &t->store.ops;
	while (op) {
		struct store_op *next = op->next;

		op->result = t->store.result;
		if (op->result == 0)
			note_mark(t, op);
		for (size_t i = 0; op->result == 0 && i < op->deliver.n_users &&
				   !op->spool->came_before;
		     i++)
			keep(t, op, op->deliver.users[i], op->deliver.head[i]);
		for (size_t i = 0; op->result == 0 && op->spool && i < op->spool->n_add;
		     i++)
			keep_item(t, op, &op->spool->add[i]);
		op->done(op);
		op = next;
	}
}

static uint64_t room(void *arg)
{
	return ((struct smtp_test *)arg)->store.room;
}

static uint64_t wall_s(void *arg)
{
	(void)arg;
	return SMTP_TEST_NOW_S;
}

static bool may_relay(void *arg, const char *peer_addr)
{
	return ((struct smtp_test *)arg)->relays && strcmp(peer_addr, "192.0.2.9") == 0;
}

static bool relays_to(void *arg, struct str domain)
{
	return ((struct smtp_test *)arg)->calls &&
	       str_eq_nocase(domain, STR("d.example"));
}

/* b.example has 3 messages, and those below it 2; of c.example it cannot be told. */
static enum smtpd_etrn etrn(void *arg, const char *peer_addr, bool is_user,
			    struct str node, bool below, uint64_t *n)
{
	struct smtp_test *t = arg;

	ASSERT(peer_addr[0] != '\0');
	if (str_eq_nocase(node, STR("b.example")))
		*n = below ? 5 : 3;
	if (str_eq_nocase(node, STR("c.example")))
		return SMTPD_ETRN_LATER;
	return is_user || t->relays ? SMTPD_ETRN_STARTED : SMTPD_ETRN_DENIED;
}

/* For alice there is mail for b.example and none for d.example; c.example is busy.  The
 * connection ends behind the line. */
static enum smtpd_turned turn(void *arg, struct io *io, const struct smtpd_turn *turn)
{
	struct str last = turn->n_domains > 0 ? turn->domains[turn->n_domains - 1] :
						STR("b.example");

	(void)arg;
	if (!str_eq(turn->user, STR("alice")) || str_eq(last, STR("e.example")))
		return SMTPD_TURN_DENIED;
	if (str_eq(last, STR("c.example")))
		return SMTPD_TURN_LATER;
	if (str_eq(last, STR("d.example")) && !turn->at_once)
		return SMTPD_TURN_EMPTY;
	io_printf(io, "%s\r\n", turn->line);
	io_close(io);
	return SMTPD_TURN_DONE;
}

static void spooled(void *arg, const struct spool_op *op)
{
	((struct smtp_test *)arg)->n_spooled += (unsigned)op->n_add;
}

static bool owns(void *arg, struct str user, struct str addr)
{
	struct smtpd_found found = { .n_to = 0 };

	return find(arg, addr, &found) == SMTPD_OURS && !found.is_alias &&
	       str_eq(user, found.to->user);
}

static void answer(struct smtp_test *t)
{
	struct verify_job *job = t->verifier.job;

	t->verifier.job = NULL;
	if (!job)
		return;
	login_test_verify(job);
	if (t->verifier.unsure)
		job->verdict = VERIFY_UNSURE;
	job->done(job);
}

static bool verify(void *arg, struct verify_job *job)
{
	struct smtp_test *t = arg;

	ASSERT(!t->verifier.job && job->client[0] != '\0');
	if (t->verifier.refuses)
		return false;
	t->verifier.job = job;
	if (!t->verifier.holds)
		answer(t);
	return true;
}

static void cancel(void *arg, struct verify_job *job)
{
	struct smtp_test *t = arg;

	if (t->verifier.job != job)
		return;
	t->verifier.job = NULL;
	job->verdict = VERIFY_UNSURE;
	job->done(job);
}

void smtp_test_init(struct smtp_test *t)
{
	*t = (struct smtp_test){ .store.room = UINT64_MAX };
	t->store.ops_end = &t->store.ops;
	ASSERT(net_mem_new(&t->net) == 0);
	smtpd_conf_init(&t->conf);
	t->conf.host = "mx.b.example";
	t->conf.postmaster = "alice";
}

static void accept_alice(void *smtpd, struct io *io)
{
	smtpd_accept_user(smtpd, io, "alice");
}

void smtp_test_start(struct smtp_test *t)
{
	struct smtpd_ops ops = {
		.find = find,
		.has_user = has_user,
		.submit = submit,
		.room = room,
		.wall_s = wall_s,
		.may_relay = may_relay,
		.relays_to = relays_to,
		.owns = owns,
		.verify = verify,
		.cancel = cancel,
		.spooled = spooled,
		.etrn = t->calls ? etrn : NULL,
		.turn = t->calls ? turn : NULL,
	};
	static const struct {
		const char *where;
		net_accept *accept;
	} all[] = { { SMTP_TEST_WHERE, smtpd_accept },
		    { SMTP_TEST_MSA, smtpd_accept_msa },
		    { SMTP_TEST_MSA_TLS, smtpd_accept_msa_tls },
		    { SMTP_TEST_ODMR, smtpd_accept_odmr },
		    { SMTP_TEST_LOCAL, accept_alice } };

	ASSERT(smtpd_new(t->net, &t->conf, &ops, t, &t->smtpd) == 0);
	t->sasl = login_test_sasl();
	smtpd_set_sasl(t->smtpd, t->sasl);
	smtpd_set_tls(t->smtpd, t->tls);
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		ASSERT(net_listen(t->net, all[i].where, SMTP_TEST_CONNS, all[i].accept,
				  t->smtpd, &t->listeners[i]) == 0);
}

bool smtp_test_fini(struct smtp_test *t)
{
	bool clean = true;

	if (t->smtpd) {
		t->store.holds = false;
		smtp_test_commit(t);
		answer(t);
		mem_settle(t->net);
		clean = !smtpd_busy(t->smtpd);
		for (size_t i = 0; i < ARRAY_LEN(t->listeners); i++)
			net_listener_close(t->listeners[i]);
		smtpd_free(t->smtpd);
		mem_settle(t->net);
		/* Closed connections wait for the client's FIN for a while. */
		mem_advance(t->net, UINT64_C(120000000000));
		clean &= mem_n_open(t->net) == 0;
	}
	sasl_free(t->sasl);
	net_free(t->net);
	tls_put(t->tls);
	while (t->store.stored) {
		struct stored *next = t->store.stored->next;

		free(t->store.stored->user);
		free(t->store.stored->text);
		free(t->store.stored);
		t->store.stored = next;
	}
	return clean;
}

size_t smtp_test_n_stored(const struct smtp_test *t)
{
	size_t n = 0;

	for (const struct stored *s = t->store.stored; s; s = s->next)
		n++;
	return n;
}

static bool set_limit(struct smtp_test *t, const char *name, uint64_t value)
{
#define L(limit, initial, least, most, text)  \
	if (strcmp(name, #limit) == 0) {      \
		t->conf.limits.limit = value; \
		return !t->smtpd;             \
	}
	SMTPD_LIMITS(L)
#undef L
	return false;
}

static bool has_counter(const struct smtp_test *t, const char *name, uint64_t value)
{
	const struct smtpd_stats *stats = smtpd_stats(t->smtpd);

#define C(counter, text)                 \
	if (strcmp(name, #counter) == 0) \
		return stats->counter == value;
	SMTPD_COUNTERS(C)
#undef C
	return false;
}

static bool set_store(struct smtp_test *t, const char *how)
{
	t->store.holds = strcmp(how, "holds") == 0;
	t->store.refuses = strcmp(how, "refuses") == 0;
	t->store.result = 0;
	if (strcmp(how, "fails ENOSPC") == 0)
		t->store.result = -ENOSPC;
	else if (strcmp(how, "fails EIO") == 0)
		t->store.result = -EIO;
	else
		return t->store.holds || t->store.refuses || strcmp(how, "commits") == 0;
	return true;
}

static bool set_postmaster(struct smtp_test *t, const char *name)
{
	static const char *const known[] = { "alice", "nosuch" };

	t->conf.postmaster = NULL;
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (strcmp(name, known[i]) == 0)
			t->conf.postmaster = known[i];
	return !t->smtpd && (t->conf.postmaster || strcmp(name, "none") == 0);
}

/* "far.example a@b.example": the sender of the last item for that host; "<>": none. */
static bool has_sender(const struct smtp_test *t, const char *words)
{
	struct str sender, host = str_cut(str_of(words), ' ', &sender);
	const struct stored *s = t->store.stored;

	while (s && !str_eq(str_of(s->user), host))
		s = s->next;
	if (str_eq(sender, STR("<>")))
		sender.len = 0;
	return s && str_eq(str_of(s->sender), sender);
}

static bool find_stored(struct dialog *d, const char *user)
{
	struct smtp_test *t = d->arg;
	const struct stored *s = t->store.stored;

	while (s && strcmp(s->user, user) != 0)
		s = s->next;
	if (s)
		d->found = strdup(s->text);
	return s != NULL;
}

static bool set_verifier(struct smtp_test *t, const char *how)
{
	t->verifier.holds = strcmp(how, "holds") == 0;
	t->verifier.refuses = strcmp(how, "refuses") == 0;
	t->verifier.unsure = strcmp(how, "unsure") == 0;
	return t->verifier.holds || t->verifier.refuses || t->verifier.unsure ||
	       strcmp(how, "works") == 0;
}

/* About TLS and logins. */
static bool login_hook(struct dialog *d, const char *words)
{
	struct smtp_test *t = d->arg;

	if (strncmp(words, "verifier ", 9) == 0)
		return set_verifier(t, words + 9);
	if (strcmp(words, "tls") == 0)
		t->tls = login_test_tls();
	else if (strcmp(words, "auth") == 0)
		t->conf.auth = true;
	else if (strcmp(words, "plain") == 0)
		t->conf.allow_plain = true;
	else if (strcmp(words, "answer") == 0)
		answer(t);
	else if (strcmp(words, "port 25") == 0)
		d->where = SMTP_TEST_WHERE;
	else if (strcmp(words, "port 587") == 0)
		d->where = SMTP_TEST_MSA;
	else if (strcmp(words, "port 465") == 0)
		d->where = SMTP_TEST_MSA_TLS;
	else if (strcmp(words, "port 366") == 0)
		d->where = SMTP_TEST_ODMR;
	else if (strcmp(words, "port local") == 0)
		d->where = SMTP_TEST_LOCAL;
	else
		return false;
	return true;
}

bool smtp_test_hook(struct dialog *d, const char *words)
{
	struct smtp_test *t = d->arg;
	char name[64];
	uint64_t value;

	if (sscanf(words, "limit %63s %lu", name, &value) == 2)
		return set_limit(t, name, value);
	if (strcmp(words, "start") == 0) {
		smtp_test_start(t);
		return true;
	}
	if (sscanf(words, "counter %63s %lu", name, &value) == 2)
		return has_counter(t, name, value);
	if (sscanf(words, "count %lu", &value) == 1)
		return smtp_test_n_stored(t) == value;
	if (sscanf(words, "room %lu", &value) == 1) {
		t->store.room = value;
		return true;
	}
	if (strncmp(words, "store ", 6) == 0)
		return set_store(t, words + 6);
	if (sscanf(words, "postmaster %63s", name) == 1)
		return set_postmaster(t, name);
	if (strncmp(words, "sender ", 7) == 0)
		return has_sender(t, words + 7);
	if (strncmp(words, "stored ", 7) == 0)
		return find_stored(d, words + 7);
	if (sscanf(words, "spooled %lu", &value) == 1)
		return t->n_spooled == value;
	if (strcmp(words, "etrn") == 0)
		t->calls = true;
	else if (strcmp(words, "vrfy") == 0)
		t->conf.vrfy = true;
	else if (strcmp(words, "expn") == 0)
		t->conf.expn = true;
	else if (strcmp(words, "relays") == 0)
		t->relays = true;
	else if (strcmp(words, "commit") == 0)
		smtp_test_commit(t);
	else if (strcmp(words, "stop") == 0)
		smtpd_stop(t->smtpd);
	else
		return login_hook(d, words);
	return true;
}
