#include "apps/packetboatd/glue.h"

#include <errno.h>

#include "apps/mail/auth/sasl.h"
#include "apps/mail/auth/verify.h"
#include "apps/mail/store/store.h"
#include "apps/packetboatd/appliance.h"
#include "apps/packetboatd/filedb.h"
#include "stack/base/addr.h"
#include "stack/base/clock.h"

_Static_assert((int)USER_NAME_MAX <= (int)SMTPD_USER_MAX, "names fit");
_Static_assert((int)USER_NAME_MAX <= (int)STORE_USER_MAX, "names fit");

static enum smtpd_whose find(void *arg, struct str addr, struct smtpd_found *found)
{
	struct appliance *a = arg;
	struct expand *e = &a->expand;
	enum expand_result result =
		expand_walk(e, filedb_value(a->aliases), filedb_value(a->users), addr);

	found->is_alias = e->first != NULL;
	found->moved_to = e->moved_to;
	found->to = e->to;
	found->n_to = e->n_to;
	switch (result) {
	case EXPAND_FOUND: return SMTPD_OURS;
	case EXPAND_AWAY: return SMTPD_AWAY;
	case EXPAND_NOBODY: return SMTPD_NOBODY;
	case EXPAND_ELSEWHERE: return SMTPD_NOT_OURS;
	case EXPAND_LOOP: return SMTPD_LOOP;
	case EXPAND_TOO_FAR: return SMTPD_TOO_FAR;
	}
	return SMTPD_UNSURE;
}

static bool has_user(void *arg, struct str name)
{
	const struct appliance *a = arg;

	return users_by_name(filedb_value(a->users), name);
}

static bool submit(void *arg, struct store_op *op)
{
	return store_submit(((struct appliance *)arg)->store, op);
}

static uint64_t room(void *arg)
{
	return store_room(((struct appliance *)arg)->store);
}

static uint64_t wall_s(void *arg)
{
	(void)arg;
	return clock_wall_ns() / NS_PER_S;
}

static bool may_relay(void *arg, const char *peer_addr)
{
	const struct conf_list *nets = &((const struct appliance *)arg)->conf->relay_from;
	struct addr peer, net;
	unsigned bits;

	if (!addr_parse(peer_addr, &peer))
		return false;
	for (size_t i = 0; i < nets->n; i++)
		if (addr_parse_prefix(nets->at[i], &net, &bits) &&
		    net.family == peer.family && addr_same_prefix(&peer, &net, bits))
			return true;
	return false;
}

/* We stand before the hosts of these domains. */
static bool relays_to(void *arg, struct str domain)
{
	const struct settings *conf = ((const struct appliance *)arg)->conf;
	struct settings_give give;

	for (size_t i = 0; i < conf->relay_to.n; i++)
		if (route_matches(str_of(conf->relay_to.at[i]), domain))
			return true;
	for (size_t i = 0; i < conf->give.n; i++)
		if (settings_give_parse(conf->give.at[i], &give) &&
		    str_eq_nocase(give.domain, domain))
			return true;
	return false;
}

/* RFC 1985 6: who may send anything anywhere may start it, too; the others, what is said to
 * be for anybody to start. */
static bool may_call(struct appliance *a, const char *peer_addr, struct str node)
{
	const struct conf_list *all = &a->conf->etrn;

	for (size_t i = 0; i < all->n; i++)
		if (str_eq_nocase(str_of(all->at[i]), node))
			return true;
	return may_relay(a, peer_addr);
}

static enum smtpd_etrn etrn(void *arg, const char *peer_addr, bool is_user,
			    struct str node, bool below, uint64_t *n)
{
	struct appliance *a = arg;

	if (!is_user && !may_call(a, peer_addr, node))
		return SMTPD_ETRN_DENIED;
	if (queue_call(a->queue, node, below, n) < 0)
		return SMTPD_ETRN_LATER;
	relay_called(a->relay);
	return SMTPD_ETRN_STARTED;
}

/* Is mail for @domain for that user to take? */
static bool is_given(const struct appliance *a, struct str user, struct str domain)
{
	const struct conf_list *all = &a->conf->give;
	struct settings_give give;

	for (size_t i = 0; i < all->n; i++)
		if (settings_give_parse(all->at[i], &give) && str_eq(give.user, user) &&
		    str_eq_nocase(give.domain, domain))
			return true;
	return false;
}

_Static_assert((int)CONF_LIST_MAX <= (int)RELAY_TURN_MAX, "all that are given");
_Static_assert((int)SMTPD_TURN_MAX <= (int)RELAY_TURN_MAX, "all that are asked for");

/* All domains of that user. */
static size_t list_given(const struct appliance *a, struct str user,
			 struct str domains[static RELAY_TURN_MAX])
{
	const struct conf_list *all = &a->conf->give;
	struct settings_give give;
	size_t n = 0;

	for (size_t i = 0; i < all->n; i++)
		if (settings_give_parse(all->at[i], &give) && str_eq(give.user, user))
			domains[n++] = give.domain;
	return n;
}

static enum smtpd_turned turn(void *arg, struct io *io, const struct smtpd_turn *turn)
{
	struct str domains[RELAY_TURN_MAX];
	struct appliance *a = arg;
	size_t n = turn->n_domains;

	for (size_t i = 0; i < n; i++) {
		domains[i] = turn->domains[i];
		if (!is_given(a, turn->user, domains[i]))
			return SMTPD_TURN_DENIED;
	}
	if (n == 0)
		n = list_given(a, turn->user, domains);
	if (n == 0)
		return SMTPD_TURN_DENIED;
	switch (relay_turn(a->relay, io, domains, n, turn->line, turn->at_once)) {
	case 0: return SMTPD_TURN_DONE;
	case -ENOENT: return SMTPD_TURN_EMPTY;
	default: return SMTPD_TURN_LATER;
	}
}

static void spooled(void *arg, const struct spool_op *op)
{
	queue_spooled(((struct appliance *)arg)->queue, op);
}

/* A report finds its reader as mail from outside does, if he has moved away, too; and our
 * postmaster. */
static size_t find_sender(void *arg, struct str addr, const struct mail_to **to)
{
	struct appliance *a = arg;
	struct expand *e = &a->expand;

	switch (expand_walk(e, filedb_value(a->aliases), filedb_value(a->users), addr)) {
	case EXPAND_FOUND:
	case EXPAND_ELSEWHERE: break;
	case EXPAND_AWAY:
		e->to[0] = (struct mail_to){ .addr = e->moved_to };
		e->n_to = 1;
		break;
	case EXPAND_NOBODY:
	case EXPAND_LOOP:
	case EXPAND_TOO_FAR:
		e->to[0] = (struct mail_to){
			.user = str_of(a->conf->postmaster ? a->conf->postmaster : "")
		};
		e->n_to = a->conf->postmaster &&
			  str_starts_nocase(addr, STR("postmaster@"));
		break;
	}
	*to = e->to;
	return e->n_to;
}

static uint64_t wall_ms(void *arg)
{
	(void)arg;
	return clock_wall_ns() / NS_PER_MS;
}

static void work(void *arg)
{
	relay_work(((struct appliance *)arg)->relay);
}

const struct queue_ops glue_queue_ops = {
	.find = find_sender,
	.submit = submit,
	.wall_ms = wall_ms,
	.work = work,
};

static bool owns(void *arg, struct str user, struct str addr)
{
	const struct appliance *a = arg;
	const struct user *owner = users_by_addr(filedb_value(a->users), addr);

	return owner && str_eq(user, str_of(owner->name));
}

static bool verify(void *arg, struct verify_job *job)
{
	struct appliance *a = arg;

	job->now_ns = net_now_ns(a->net);
	return verify_submit(a->verify, users_by_name(filedb_value(a->users), job->name),
			     job);
}

static void cancel(void *arg, struct verify_job *job)
{
	verify_cancel(((struct appliance *)arg)->verify, job);
}

const struct smtpd_ops glue_smtpd_ops = {
	.find = find,
	.has_user = has_user,
	.submit = submit,
	.room = room,
	.wall_s = wall_s,
	.may_relay = may_relay,
	.relays_to = relays_to,
	.etrn = etrn,
	.turn = turn,
	.owns = owns,
	.verify = verify,
	.cancel = cancel,
	.spooled = spooled,
};

/* What users_check() has read in the file. */
static bool keys(void *arg, struct str name, struct users_scram *keys)
{
	const struct appliance *a = arg;
	const struct user *user = users_by_name(filedb_value(a->users), name);

	return user && user->scram && users_scram_parse(user->scram, keys);
}

static bool password(void *arg, struct str name,
		     char password[static USERS_CLEAR_MAX + 1])
{
	const struct appliance *a = arg;
	const struct user *user = users_by_name(filedb_value(a->users), name);

	return user && users_clear_parse(user->hash, password);
}

static bool told(void *arg, const char *client, struct str name, bool is_right)
{
	struct appliance *a = arg;
	struct verify_job job = {
		.name = name,
		.client = client,
		.now_ns = net_now_ns(a->net),
	};

	return verify_told(a->verify, &job, is_right);
}

const struct sasl_ops glue_sasl_ops = {
	.keys = keys,
	.password = password,
	.told = told,
};

static int list(void *arg, struct str user, uint32_t *uid_validity,
		struct store_msg **msgs, size_t *n)
{
	struct appliance *a = arg;
	struct store_box_info info;
	struct store_read *read;
	int r = store_read_begin(a->store, &read);

	if (r < 0)
		return r;
	r = store_box_info(read, user, STR("INBOX"), &info);
	if (r == 0)
		r = store_box_list(read, user, STR("INBOX"), msgs, n);
	if (r == 0)
		*uid_validity = info.uid_validity;
	store_read_end(read);
	return r;
}

static int hold(void *arg, const struct store_msg *msg, struct store_hold **held)
{
	return store_hold_unread(((struct appliance *)arg)->store, msg, held);
}

static int check(void *arg, struct store_hold *held, size_t n)
{
	(void)arg;
	return store_hold_check(held, n);
}

static void release(void *arg, struct store_hold *held)
{
	store_release(((struct appliance *)arg)->store, held);
}

const struct pop3d_ops glue_pop3d_ops = {
	.verify = verify,
	.cancel = cancel,
	.list = list,
	.hold = hold,
	.check = check,
	.release = release,
	.submit = submit,
};

const struct imapd_ops glue_imapd_ops = {
	.verify = verify,
	.cancel = cancel,
	.wall_s = wall_s,
};
