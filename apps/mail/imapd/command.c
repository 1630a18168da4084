/*
 * The table of commands: when each may come, and who runs it; and the ones that only
 * look at the session.
 */
#include <stdio.h>

#include "apps/lib/tls.h"
#include "apps/mail/imapd/cmd.h"
#include "apps/mail/wire/utf7.h"

/* RFC 3501 3. */
enum {
	ANY = 1 << 0,
	STRANGER = 1 << 1, /* not authenticated */
	USER = 1 << 2,	   /* authenticated or selected */
	SELECTED = 1 << 3,
};

static const char capabilities_stranger[] = "IMAP4rev1 LITERAL+ SASL-IR ID ENABLE";
static const char capabilities_user[] =
	"IMAP4rev1 LITERAL+ SASL-IR ID ENABLE IDLE UIDPLUS NAMESPACE UNSELECT MOVE "
	"SPECIAL-USE CREATE-SPECIAL-USE CHILDREN";

static bool may_secure(const struct imapd_session *s)
{
	return s->imapd->conf.tls && !s->is_secure;
}

bool imapd_may_show(const struct imapd_session *s)
{
	return s->is_secure || s->imapd->conf.allow_plain;
}

const char *imapd_capabilities(const struct imapd_session *s)
{
	char *out = s->imapd->capabilities, mechs[SASL_NAMES_LEN] = "";

	if (s->user[0] != '\0')
		return capabilities_user;
	if (s->imapd->sasl)
		sasl_names(imapd_may_show(s) ? SASL_SHOWN : 0, "AUTH=", mechs);
	/* RFC 3501 7.2.1, 6.2.3 */
	snprintf(out, IMAPD_CAPABILITIES_LEN, "%s%s%s%s", capabilities_stranger,
		 may_secure(s) ? " STARTTLS" : "",
		 imapd_may_show(s) ? "" : " LOGINDISABLED", mechs);
	return out;
}

static void capability(struct imapd_session *s)
{
	io_printf(s->io, "* CAPABILITY %s\r\n", imapd_capabilities(s));
	imapd_done(s, "OK Done");
}

static void noop(struct imapd_session *s)
{
	imapd_done(s, "OK Done");
}

static void logout(struct imapd_session *s)
{
	const struct str tag = s->parse.cmd.tag;

	io_printf(s->io, "* BYE Bye\r\n%.*s OK Done\r\n", (int)tag.len, tag.p);
	imapd_close(s, NULL);
}

/* RFC 2971: what the client says of itself is not kept. */
static void id(struct imapd_session *s)
{
	io_puts(s->io, "* ID (\"name\" \"Packetboat\")\r\n");
	imapd_done(s, "OK Done");
}

/* RFC 3501 6.2.1: what was sent behind it in clear is thrown away. */
static void starttls(struct imapd_session *s)
{
	if (!may_secure(s)) {
		imapd_refuse(s, s->is_secure ? "TLS is there already" :
					       "There is no TLS here");
		return;
	}
	imapd_done(s, "OK Begin TLS");
	s->is_secure = true;
	if (io_tls_server(s->io, s->imapd->conf.tls) < 0)
		imapd_close(s, NULL);
}

/* RFC 5161 3.1: there is nothing yet that must be enabled. */
static void enable(struct imapd_session *s)
{
	io_puts(s->io, "* ENABLED\r\n");
	imapd_done(s, "OK Done");
}

/* RFC 2342: all names are the user's own, below nothing. */
static void namespace(struct imapd_session *s)
{
	io_puts(s->io, "* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n");
	imapd_done(s, "OK Done");
}

struct command {
	unsigned when;
	void (*run)(struct imapd_session *s);
};

static const struct command commands[IMAP_N_CMDS] = {
	[IMAP_CAPABILITY] = { ANY, capability },
	[IMAP_NOOP] = { ANY, noop },
	[IMAP_LOGOUT] = { ANY, logout },
	[IMAP_ID] = { ANY, id },
	[IMAP_STARTTLS] = { STRANGER, starttls },
	[IMAP_AUTHENTICATE] = { STRANGER, imapd_authenticate },
	[IMAP_LOGIN] = { STRANGER, imapd_login },
	[IMAP_ENABLE] = { USER, enable },
	[IMAP_SELECT] = { USER, imapd_select },
	[IMAP_EXAMINE] = { USER, imapd_select },
	[IMAP_CREATE] = { USER, imapd_create },
	[IMAP_DELETE] = { USER, imapd_delete },
	[IMAP_RENAME] = { USER, imapd_rename },
	[IMAP_SUBSCRIBE] = { USER, imapd_subscribe },
	[IMAP_UNSUBSCRIBE] = { USER, imapd_subscribe },
	[IMAP_LIST] = { USER, imapd_list },
	[IMAP_LSUB] = { USER, imapd_lsub },
	[IMAP_NAMESPACE] = { USER, namespace },
	[IMAP_STATUS] = { USER, imapd_status },
	[IMAP_IDLE] = { USER, imapd_idle },
	[IMAP_CHECK] = { SELECTED, noop },
	[IMAP_CLOSE] = { SELECTED, imapd_close_box },
	[IMAP_UNSELECT] = { SELECTED, imapd_unselect },
	[IMAP_EXPUNGE] = { SELECTED, imapd_expunge },
	[IMAP_SEARCH] = { SELECTED, imapd_search },
	[IMAP_FETCH] = { SELECTED, imapd_fetch },
	[IMAP_STORE] = { SELECTED, imapd_store },
	[IMAP_COPY] = { SELECTED, imapd_copy },
	[IMAP_MOVE] = { SELECTED, imapd_copy },
};

static bool may_come(const struct imapd_session *s, unsigned when)
{
	if (when == STRANGER)
		return s->user[0] == '\0';
	if (when == USER)
		return s->user[0] != '\0';
	return when == ANY || s->view;
}

void imapd_command(struct imapd_session *s)
{
	const struct command *c = &commands[s->parse.cmd.kind];

	if (!c->run)
		imapd_refuse(s, "Command unknown");
	else if (!may_come(s, c->when))
		imapd_refuse(s, c->when == STRANGER ? "You are logged in" :
				s->user[0] == '\0'  ? "Log in first" :
						      "No mailbox is selected");
	else
		c->run(s);
}

bool imapd_name(struct imapd_session *s, struct str utf7,
		char out[static STORE_MAILBOX_NAME_MAX + 1])
{
	struct str name = { out, 0 };

	/* RFC 3501 6.3.3: a delimiter at the end says that others will come below. */
	while (s->parse.cmd.kind == IMAP_CREATE && utf7.len > 1 &&
	       utf7.p[utf7.len - 1] == '/')
		utf7.len--;
	if (utf7_parse(utf7, out, STORE_MAILBOX_NAME_MAX, &name.len) < 0 ||
	    !store_mailbox_ok(name)) {
		imapd_done(s, "NO [CANNOT] That is no name of a mailbox");
		return false;
	}
	/* RFC 3501 5.1: INBOX in any case, and so above others. */
	if (name.len >= 5 && str_eq_nocase((struct str){ out, 5 }, STR("INBOX")) &&
	    (name.len == 5 || out[5] == '/'))
		memcpy(out, "INBOX", 5);
	out[name.len] = '\0';
	return true;
}
