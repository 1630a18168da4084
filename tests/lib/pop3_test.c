#include "tests/lib/pop3_test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/lib/tls.h"
#include "apps/mail/auth/sasl.h"
#include "apps/mail/auth/verify.h"
#include "stack/base/check.h"
#include "tests/lib/login_test.h"
#include "tests/lib/net_mem.h"

static const char *user_of(struct str name)
{
	static const char *const users[] = { "alice", "bob" };

	for (size_t i = 0; i < ARRAY_LEN(users); i++)
		if (str_eq(name, str_of(users[i])))
			return users[i];
	return NULL;
}

static void give_verdict(struct pop3_test *t, struct verify_job *job)
{
	const char *user = user_of(job->name);
	char right[64];

	snprintf(right, sizeof(right), "secret %s", user ? user : "");
	job->verdict = t->verifier.unsure			    ? VERIFY_UNSURE :
		       user && str_eq(job->password, str_of(right)) ? VERIFY_RIGHT :
								      VERIFY_WRONG;
	job->done(job);
}

static bool verify(void *arg, struct verify_job *job)
{
	struct pop3_test *t = arg;

	if (t->verifier.refuses || (t->verifier.holds && t->verifier.job))
		return false;
	if (t->verifier.holds)
		t->verifier.job = job;
	else
		give_verdict(t, job);
	return true;
}

static void cancel(void *arg, struct verify_job *job)
{
	struct pop3_test *t = arg;

	if (t->verifier.job != job)
		return;
	t->verifier.job = NULL;
	job->verdict = VERIFY_UNSURE;
	job->done(job);
}

static int list(void *arg, struct str user, uint32_t *uid_validity,
		struct store_msg **msgs, size_t *n)
{
	struct pop3_test *t = arg;
	struct store_msg *list = calloc(t->n_mails + 1, sizeof(*list));

	if (t->store.list_fails) {
		free(list);
		return -EIO;
	}
	*n = 0;
	for (uint32_t i = 0; i < t->n_mails; i++) {
		const struct pop3_mail *m = &t->mails[i];

		if (m->uid == 0 || !str_eq(user, str_of(m->user)))
			continue;
		list[*n].msg = i;
		list[*n].uid = m->uid;
		list[(*n)++].size = m->hold.pieces[0].len + m->hold.pieces[1].len;
	}
	*uid_validity = 0x12345678;
	*msgs = list;
	return 0;
}

static int hold(void *arg, const struct store_msg *msg, struct store_hold **held)
{
	struct pop3_test *t = arg;

	if (t->mails[msg->msg].uid == 0)
		return -ENOENT;
	t->n_holds++;
	t->mails[msg->msg].n_checked = 0;
	*held = &t->mails[msg->msg].hold;
	return 0;
}

static int check(void *arg, struct store_hold *held, size_t n)
{
	struct pop3_mail *m = container_of(held, struct pop3_mail, hold);

	(void)arg;
	m->n_checked += n;
	if (m->n_checked < held->pieces[1].len)
		return 0;
	return m->is_damaged ? -EIO : 1;
}

static void release(void *arg, struct store_hold *held)
{
	(void)held;
	((struct pop3_test *)arg)->n_holds--;
}

static void expunge(struct pop3_test *t, struct store_op *op)
{
	op->result = t->store.result;
	for (size_t k = 0; op->result == 0 && k < op->expunge.n_uids; k++)
		for (uint32_t i = 0; i < t->n_mails; i++)
			if (t->mails[i].uid == op->expunge.uids[k] &&
			    str_eq(op->expunge.user, str_of(t->mails[i].user)))
				t->mails[i].uid = 0;
	op->done(op);
}

static bool submit(void *arg, struct store_op *op)
{
	struct pop3_test *t = arg;

	if (t->store.refuses || (t->store.holds && t->store.op))
		return false;
	if (t->store.holds)
		t->store.op = op;
	else
		expunge(t, op);
	return true;
}

void pop3_test_answer(struct pop3_test *t)
{
	struct store_op *op = t->store.op;
	struct verify_job *job = t->verifier.job;

	t->store.op = NULL;
	t->verifier.job = NULL;
	if (op)
		expunge(t, op);
	if (job)
		give_verdict(t, job);
}

void pop3_test_init(struct pop3_test *t)
{
	*t = (struct pop3_test){ .net = NULL };
	ASSERT(net_mem_new(&t->net) == 0);
	pop3d_conf_init(&t->conf);
	t->conf.host = "mx.b.example";
	t->conf.allow_plain = true;
	ASSERT(pop3d_locks_new(POP3_TEST_CONNS, &t->conf.locks) == 0);
}

void pop3_test_start(struct pop3_test *t)
{
	static const struct pop3d_ops ops = { verify, cancel,  list,  hold,
					      check,  release, submit };

	ASSERT(pop3d_new(t->net, &t->conf, &ops, t, &t->pop3d) == 0);
	t->sasl = login_test_sasl();
	pop3d_set_sasl(t->pop3d, t->sasl);
	pop3d_set_tls(t->pop3d, t->tls);
	ASSERT(net_listen(t->net, POP3_TEST_WHERE, POP3_TEST_CONNS, pop3d_accept,
			  t->pop3d, &t->listener) == 0);
	ASSERT(net_listen(t->net, POP3_TEST_WHERE_TLS, POP3_TEST_CONNS, pop3d_accept_tls,
			  t->pop3d, &t->tls_listener) == 0);
}

void pop3_test_mail(struct pop3_test *t, const char *user, struct str head,
		    struct str text)
{
	struct pop3_mail *m = &t->mails[t->n_mails++];

	ASSERT(t->n_mails <= POP3_TEST_MAILS);
	m->user = user_of(str_of(user));
	m->uid = t->n_mails;
	m->hold.pieces[0] = (struct str){ str_dup(head), head.len };
	m->hold.pieces[1] = (struct str){ str_dup(text), text.len };
}

bool pop3_test_fini(struct pop3_test *t)
{
	bool clean = true;

	if (t->pop3d) {
		pop3_test_answer(t);
		mem_settle(t->net);
		pop3_test_answer(t);
		mem_settle(t->net);
		clean = !pop3d_busy(t->pop3d);
		net_listener_close(t->listener);
		net_listener_close(t->tls_listener);
		pop3d_free(t->pop3d);
		mem_settle(t->net);
		/* Closed connections wait for the client's FIN for a while. */
		mem_advance(t->net, UINT64_C(120000000000));
		clean &= mem_n_open(t->net) == 0 && t->n_holds == 0;
	}
	sasl_free(t->sasl);
	net_free(t->net);
	tls_put(t->tls);
	pop3d_locks_free(t->conf.locks);
	for (uint32_t i = 0; i < t->n_mails; i++)
		for (int k = 0; k < 2; k++)
			free((void *)(uintptr_t)t->mails[i].hold.pieces[k].p);
	return clean;
}

static bool set_limit(struct pop3_test *t, const char *name, uint64_t value)
{
#define L(limit, initial, least, most, text)  \
	if (strcmp(name, #limit) == 0) {      \
		t->conf.limits.limit = value; \
		return !t->pop3d;             \
	}
	POP3D_LIMITS(L)
#undef L
	return false;
}

static bool has_counter(const struct pop3_test *t, const char *name, uint64_t value)
{
	const struct pop3d_stats *stats = pop3d_stats(t->pop3d);

#define C(counter, text)                 \
	if (strcmp(name, #counter) == 0) \
		return stats->counter == value;
	POP3D_COUNTERS(C)
#undef C
	return false;
}

static bool add_mail(struct pop3_test *t, const char *words)
{
	char user[16], text[4096], head[64];
	int at, head_len;

	if (sscanf(words, "%15s %n", user, &at) != 1 || !user_of(str_of(user)))
		return false;
	snprintf(text, sizeof(text), "%s", words + at);
	head_len = snprintf(head, sizeof(head), "Delivered-To: %s\r\n", user);
	pop3_test_mail(t, user, (struct str){ head, (size_t)head_len },
		       (struct str){ text, dialog_unescape(text) });
	return true;
}

static void add_big(struct pop3_test *t, const char *user, uint64_t n_lines)
{
	size_t len = n_lines * 64;
	char *text = malloc(len);

	for (size_t i = 0; i < n_lines; i++) {
		char line[65];

		snprintf(line, sizeof(line), "%c%061zu\r\n", i % 7 ? 'x' : '.', i);
		memcpy(text + i * 64, line, 64);
	}
	memcpy(text, "Subject: big\r\n\r\n", 16);
	pop3_test_mail(t, user, STR(""), (struct str){ text, len });
	free(text);
}

static bool set_store(struct pop3_test *t, const char *how)
{
	t->store.holds = strcmp(how, "holds") == 0;
	t->store.refuses = strcmp(how, "refuses") == 0;
	t->store.list_fails = strcmp(how, "list_fails") == 0;
	t->store.result = strcmp(how, "fails") == 0 ? -EIO : 0;
	return t->store.holds || t->store.refuses || t->store.list_fails ||
	       t->store.result || strcmp(how, "commits") == 0;
}

static bool set_verifier(struct pop3_test *t, const char *how)
{
	t->verifier.holds = strcmp(how, "holds") == 0;
	t->verifier.refuses = strcmp(how, "refuses") == 0;
	t->verifier.unsure = strcmp(how, "unsure") == 0;
	return t->verifier.holds || t->verifier.refuses || t->verifier.unsure ||
	       strcmp(how, "works") == 0;
}

static size_t n_left(const struct pop3_test *t)
{
	size_t n = 0;

	for (uint32_t i = 0; i < t->n_mails; i++)
		n += t->mails[i].uid != 0;
	return n;
}

/* About TLS and logins. */
static bool login_hook(struct dialog *d, const char *words)
{
	struct pop3_test *t = d->arg;

	if (strcmp(words, "tls") == 0)
		t->tls = login_test_tls();
	else if (strcmp(words, "private") == 0)
		t->conf.allow_plain = false;
	else if (strcmp(words, "port 110") == 0)
		d->where = POP3_TEST_WHERE;
	else if (strcmp(words, "port 995") == 0)
		d->where = POP3_TEST_WHERE_TLS;
	else
		return false;
	return true;
}

bool pop3_test_hook(struct dialog *d, const char *words)
{
	struct pop3_test *t = d->arg;
	char name[64];
	uint64_t value;

	if (sscanf(words, "limit %63s %lu", name, &value) == 2)
		return set_limit(t, name, value);
	if (sscanf(words, "counter %63s %lu", name, &value) == 2)
		return has_counter(t, name, value);
	if (sscanf(words, "count %lu", &value) == 1)
		return n_left(t) == value;
	if (sscanf(words, "holds %lu", &value) == 1)
		return t->n_holds == value;
	if (strncmp(words, "store ", 6) == 0)
		return set_store(t, words + 6);
	if (strncmp(words, "verifier ", 9) == 0)
		return set_verifier(t, words + 9);
	if (strncmp(words, "mail ", 5) == 0)
		return add_mail(t, words + 5);
	if (sscanf(words, "big %63s %lu", name, &value) == 2)
		add_big(t, name, value);
	else if (sscanf(words, "damaged %lu", &value) == 1)
		t->mails[value - 1].is_damaged = true;
	else if (sscanf(words, "gone %lu", &value) == 1)
		t->mails[value - 1].uid = 0;
	else if (strcmp(words, "start") == 0)
		pop3_test_start(t);
	else if (strcmp(words, "answer") == 0)
		pop3_test_answer(t);
	else if (strcmp(words, "stop") == 0)
		pop3d_stop(t->pop3d);
	else
		return login_hook(d, words);
	return true;
}
