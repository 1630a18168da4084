#include "tests/lib/imap_test.h"

#include <dirent.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apps/lib/tls.h"
#include "apps/lib/worker.h"
#include "apps/mail/imapd/imapd_impl.h"
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

static void give_verdict(struct imap_test *t, struct verify_job *job)
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
	struct imap_test *t = arg;

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
	struct imap_test *t = arg;

	if (t->verifier.job != job)
		return;
	t->verifier.job = NULL;
	job->verdict = VERIFY_UNSURE;
	job->done(job);
}

static void answer(struct imap_test *t)
{
	struct verify_job *job = t->verifier.job;

	t->verifier.job = NULL;
	if (job)
		give_verdict(t, job);
}

static uint64_t wall_s(void *arg)
{
	(void)arg;
	return 1000000000;
}

struct waited {
	struct store_op op;
	sem_t answered;
};

static void answered(struct store_op *op)
{
	sem_post(&container_of(op, struct waited, op)->answered);
}

int imap_test_store(struct imap_test *t, struct store_op *op)
{
	struct waited w = { .op = *op };

	sem_init(&w.answered, 0, 0);
	w.op.done = answered;
	ASSERT(store_submit(t->store, &w.op));
	while (sem_wait(&w.answered))
		;
	sem_destroy(&w.answered);
	*op = w.op;
	return op->result;
}

void imap_test_mail(struct imap_test *t, const char *user, struct str head,
		    struct str text)
{
	struct str name = str_of(user);
	struct store_op op = { .kind = STORE_DELIVER,
			       .deliver = { .users = &name,
					    .n_users = 1,
					    .head = &head,
					    .parts = &text,
					    .n_parts = 1,
					    .date_s = 77 } };

	ASSERT(imap_test_store(t, &op) == 0);
}

void imap_test_init(struct imap_test *t)
{
	const char *parent = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	char error[STORE_ERROR_LEN];
	struct store_conf conf = { .map_len = 64 << 20, .now_s = 1000000 };

	*t = (struct imap_test){ .net = NULL };
	snprintf(t->dir, sizeof(t->dir), "%s/imap.XXXXXX", parent);
	ASSERT(mkdtemp(t->dir));
	conf.dir = t->dir;
	ASSERT(store_open(&conf, &t->store, error) == 0);
	ASSERT(net_mem_new(&t->net) == 0);
	ASSERT(worker_new(1, 4, &t->worker) == 0);
	imapd_conf_init(&t->conf);
	t->conf.host = "mx.b.example";
	t->conf.allow_plain = true;
}

static void accept_alice(void *imapd, struct io *io)
{
	imapd_accept_user(imapd, io, "alice");
}

void imap_test_start(struct imap_test *t)
{
	static const struct imapd_ops ops = { verify, cancel, wall_s };

	ASSERT(imapd_new(t->net, &t->conf, &ops, t, &t->imapd) == 0);
	imapd_open(t->imapd, t->store, t->worker);
	t->sasl = login_test_sasl();
	imapd_set_sasl(t->imapd, t->sasl);
	imapd_set_tls(t->imapd, t->tls);
	ASSERT(net_listen(t->net, IMAP_TEST_WHERE, IMAP_TEST_CONNS, imapd_accept,
			  t->imapd, &t->listener) == 0);
	ASSERT(net_listen(t->net, IMAP_TEST_WHERE_TLS, IMAP_TEST_CONNS, imapd_accept_tls,
			  t->imapd, &t->tls_listener) == 0);
	ASSERT(net_listen(t->net, IMAP_TEST_LOCAL, IMAP_TEST_CONNS, accept_alice,
			  t->imapd, &t->local_listener) == 0);
}

bool imap_test_busy(struct imap_test *t)
{
	const struct imapd *d = t->imapd;

	return d && ((d->checks.n_out > 0 && !t->verifier.job) || d->writes.n_out > 0 ||
		     d->works.n_out > 0);
}

void imap_test_settle(struct imap_test *t)
{
	mem_settle(t->net);
	while (imap_test_busy(t))
		ASSERT(mem_wait(t->net));
}

static void remove_folder(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *d;

	ASSERT(dir);
	while ((d = readdir(dir)))
		unlinkat(dirfd(dir), d->d_name, 0);
	closedir(dir);
	ASSERT(rmdir(path) == 0);
}

static void say(void *arg, const char *line)
{
	(void)arg;
	fprintf(stderr, "# %s\n", line);
}

bool imap_test_fini(struct imap_test *t)
{
	/* One that is not lazy takes those along that are. */
	struct store_op last = { .kind = STORE_CREATE,
				 .create = { STR("nobody"), STR("end"), 0 } };
	bool clean = true;

	if (t->imapd) {
		answer(t);
		imap_test_settle(t);
		imapd_stop(t->imapd);
		ASSERT(imap_test_store(t, &last) == 0);
		while (imapd_busy(t->imapd))
			mem_settle(t->net);
		net_listener_close(t->listener);
		net_listener_close(t->tls_listener);
		net_listener_close(t->local_listener);
		imapd_free(t->imapd);
		mem_settle(t->net);
		/* Closed connections wait for the client's FIN for a while. */
		mem_advance(t->net, UINT64_C(120000000000));
		clean = mem_n_open(t->net) == 0;
	}
	sasl_free(t->sasl);
	net_free(t->net);
	tls_put(t->tls);
	worker_free(t->worker);
	clean &= store_check(t->store, say, NULL) == 0;
	store_close(t->store);
	remove_folder(t->dir);
	return clean;
}

static bool set_limit(struct imap_test *t, const char *name, uint64_t value)
{
#define L(limit, initial, least, most, text)  \
	if (strcmp(name, #limit) == 0) {      \
		t->conf.limits.limit = value; \
		return !t->imapd;             \
	}
	IMAPD_LIMITS(L)
#undef L
	return false;
}

static bool has_counter(const struct imap_test *t, const char *name, uint64_t value)
{
	const struct imapd_stats *stats = imapd_stats(t->imapd);

#define C(counter, text)                 \
	if (strcmp(name, #counter) == 0) \
		return stats->counter == value;
	IMAPD_COUNTERS(C)
#undef C
	return false;
}

static bool add_mail(struct imap_test *t, const char *words)
{
	char user[16], text[8192], head[64];
	int at, head_len;

	if (sscanf(words, "%15s %n", user, &at) != 1 || !user_of(str_of(user)))
		return false;
	snprintf(text, sizeof(text), "%s", words + at);
	head_len = snprintf(head, sizeof(head), "Delivered-To: %s\r\n", user);
	imap_test_mail(t, user, (struct str){ head, (size_t)head_len },
		       (struct str){ text, dialog_unescape(text) });
	return true;
}

static void add_big(struct imap_test *t, const char *user, uint64_t n_lines)
{
	size_t len = n_lines * 64;
	char *text = malloc(len);

	for (size_t i = 0; i < n_lines; i++) {
		char line[65];

		snprintf(line, sizeof(line), "x%061zu\r\n", i);
		memcpy(text + i * 64, line, 64);
	}
	memcpy(text, "Subject: big\r\n\r\n", 16);
	imap_test_mail(t, user, STR(""), (struct str){ text, len });
	free(text);
}

static bool change(struct imap_test *t, const char *user, uint32_t uid, bool expunge)
{
	struct store_op op = { .kind = expunge ? STORE_EXPUNGE : STORE_FLAGS };

	if (expunge)
		op.expunge = (struct store_expunge){ .user = str_of(user),
						     .mailbox = STR("INBOX"),
						     .uids = &uid,
						     .n_uids = 1 };
	else
		op.flags = (struct store_flags){ .user = str_of(user),
						 .mailbox = STR("INBOX"),
						 .uids = &uid,
						 .n_uids = 1,
						 .add = STORE_FLAGGED };
	return imap_test_store(t, &op) == 0;
}

static bool delete (struct imap_test *t, const char *user, const char *mailbox)
{
	struct store_op op = { .kind = STORE_DELETE,
			       .delete = { str_of(user), str_of(mailbox) } };

	return imap_test_store(t, &op) == 0;
}

static bool set_verifier(struct imap_test *t, const char *how)
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
	struct imap_test *t = d->arg;

	if (strcmp(words, "tls") == 0)
		t->tls = login_test_tls();
	else if (strcmp(words, "private") == 0)
		t->conf.allow_plain = false;
	else if (strcmp(words, "port 143") == 0)
		d->where = IMAP_TEST_WHERE;
	else if (strcmp(words, "port 993") == 0)
		d->where = IMAP_TEST_WHERE_TLS;
	else if (strcmp(words, "port local") == 0)
		d->where = IMAP_TEST_LOCAL;
	else
		return false;
	return true;
}

bool imap_test_hook(struct dialog *d, const char *words)
{
	struct imap_test *t = d->arg;
	char name[64], mailbox[64];
	uint64_t value;

	if (sscanf(words, "limit %63s %lu", name, &value) == 2)
		return set_limit(t, name, value);
	if (sscanf(words, "counter %63s %lu", name, &value) == 2)
		return has_counter(t, name, value);
	if (strncmp(words, "verifier ", 9) == 0)
		return set_verifier(t, words + 9);
	if (strncmp(words, "mail ", 5) == 0)
		return add_mail(t, words + 5);
	if (sscanf(words, "expunge %63s %lu", name, &value) == 2)
		return change(t, name, (uint32_t)value, true);
	if (sscanf(words, "flag %63s %lu", name, &value) == 2)
		return change(t, name, (uint32_t)value, false);
	if (sscanf(words, "delete %63s %63s", name, mailbox) == 2)
		return delete (t, name, mailbox);
	if (sscanf(words, "big %63s %lu", name, &value) == 2)
		add_big(t, name, value);
	else if (strcmp(words, "start") == 0)
		imap_test_start(t);
	else if (strcmp(words, "answer") == 0)
		answer(t);
	else if (strcmp(words, "stop") == 0)
		imapd_stop(t->imapd);
	else
		return login_hook(d, words);
	return true;
}
