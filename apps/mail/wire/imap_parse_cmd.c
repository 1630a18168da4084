/*
 * The table of commands, and the arguments of the small ones.
 */
#include "apps/mail/wire/imap_parse.h"
#include "apps/mail/wire/imap_parse_impl.h"
#include "stack/base/check.h"

bool imap_parse_bits(struct imap_lex *lex, const struct imap_name *names, size_t n,
		     const char *why_not, unsigned *bits)
{
	*bits = 0;
	if (!imap_lex_char(lex, '('))
		return false;
	if (imap_lex_skip(lex, ')'))
		return true;
	do {
		const struct imap_name *name;
		struct str word;

		if (!imap_lex_flag(lex, &word))
			return false;
		name = imap_names_find(names, n, word);
		if (!name)
			return imap_lex_fail(lex, why_not);
		*bits |= name->value;
	} while (imap_lex_skip(lex, ' '));
	return imap_lex_char(lex, ')');
}

static bool no_args(struct imap_lex *lex, struct imap_cmd *cmd)
{
	(void)lex;
	(void)cmd;
	return true;
}

/* login = "LOGIN" SP userid SP password ; both astrings */
static bool login_args(struct imap_lex *lex, struct imap_cmd *cmd)
{
	return imap_lex_space(lex) && imap_lex_astring(lex, &cmd->login.user) &&
	       imap_lex_space(lex) && imap_lex_astring(lex, &cmd->login.password);
}

static bool is_base64(struct str s)
{
	size_t n_data = s.len;

	while (n_data > 0 && s.p[n_data - 1] == '=')
		n_data--;
	for (size_t i = 0; i < n_data; i++)
		if (!((s.p[i] >= 'a' && s.p[i] <= 'z') ||
		      (s.p[i] >= 'A' && s.p[i] <= 'Z') ||
		      (s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '+' || s.p[i] == '/'))
			return false;
	return s.len % 4 == 0 && s.len - n_data <= 2;
}

/* authenticate = "AUTHENTICATE" SP auth-type [SP (base64 / "=")] (RFC 4959 5) */
static bool authenticate_args(struct imap_lex *lex, struct imap_cmd *cmd)
{
	struct str *initial = &cmd->authenticate.initial;

	if (!imap_lex_space(lex) || !imap_lex_atom(lex, &cmd->authenticate.mechanism))
		return false;
	if (!imap_lex_skip(lex, ' '))
		return true;
	if (!imap_lex_atom(lex, initial))
		return false;
	cmd->authenticate.has_initial = true;
	if (str_eq(*initial, STR("=")))
		initial->len = 0;
	return is_base64(*initial) || imap_lex_fail(lex, "That is not base64");
}

/* One more in a list of words. */
static bool add_word(struct imap_lex *lex, struct imap_words *words, struct str word)
{
	struct str *v = imap_lex_more(lex, (void *)words->v, words->n, sizeof(*v));

	if (!v)
		return false;
	v[words->n++] = word;
	words->v = v;
	return true;
}

/* enable = "ENABLE" 1*(SP capability) (RFC 5161 4) */
static bool enable_args(struct imap_lex *lex, struct imap_cmd *cmd)
{
	struct imap_words *words = &cmd->enable;
	struct str word;

	do {
		if (words->n == IMAP_WORDS_MAX)
			return imap_lex_fail(lex, "There are too many capabilities");
		if (!imap_lex_space(lex) || !imap_lex_atom(lex, &word) ||
		    !add_word(lex, words, word))
			return false;
	} while (!imap_lex_at_end(lex));
	return true;
}

/*
 * id = "ID" SP id-params-list
 * id-params-list = "(" *(string SP nstring) ")" / nil (RFC 2971 4; spaces between)
 */
static bool id_args(struct imap_lex *lex, struct imap_cmd *cmd)
{
	struct str name, value;

	if (!imap_lex_space(lex))
		return false;
	if (!imap_lex_at(lex, '('))
		return imap_lex_nstring(lex, &value) &&
		       (!value.p || imap_lex_fail(lex, "A list or NIL is missing"));
	imap_lex_skip(lex, '(');
	if (imap_lex_skip(lex, ')'))
		return true;
	do {
		if (cmd->id.n == 2 * IMAP_ID_PAIRS_MAX)
			return imap_lex_fail(lex, "There are too many fields");
		if (!imap_lex_string(lex, &name) || !imap_lex_space(lex) ||
		    !imap_lex_nstring(lex, &value) || !add_word(lex, &cmd->id, name) ||
		    !add_word(lex, &cmd->id, value))
			return false;
	} while (imap_lex_skip(lex, ' '));
	return imap_lex_char(lex, ')');
}

static bool mailbox_args(struct imap_lex *lex, struct imap_cmd *cmd)
{
	return imap_lex_space(lex) && imap_lex_mailbox(lex, &cmd->mailbox);
}

/* create = "CREATE" SP mailbox [SP "(" "USE" SP "(" [use-attr *(SP use-attr)] ")" ")"]
 * (RFC 6154 6) */
static bool create_args(struct imap_lex *lex, struct imap_cmd *cmd)
{
	struct str word;

	if (!imap_lex_space(lex) || !imap_lex_mailbox(lex, &cmd->create.mailbox))
		return false;
	if (!imap_lex_skip(lex, ' '))
		return true;
	if (!imap_lex_char(lex, '(') || !imap_lex_word(lex, &word))
		return false;
	if (!str_eq_nocase(word, STR("USE")))
		return imap_lex_fail(lex, "That parameter is unknown");
	return imap_lex_space(lex) &&
	       imap_parse_bits(lex, imap_use_names, IMAP_N_USE_NAMES,
			       "[USEATTR] That use is unknown", &cmd->create.uses) &&
	       imap_lex_char(lex, ')');
}

static bool rename_args(struct imap_lex *lex, struct imap_cmd *cmd)
{
	return imap_lex_space(lex) && imap_lex_mailbox(lex, &cmd->rename.from) &&
	       imap_lex_space(lex) && imap_lex_mailbox(lex, &cmd->rename.to);
}

/* uid-expunge = "UID" SP "EXPUNGE" SP sequence-set (RFC 4315 4) */
static bool expunge_args(struct imap_lex *lex, struct imap_cmd *cmd)
{
	return !cmd->is_uid || (imap_lex_space(lex) && imap_lex_set(lex, &cmd->expunge));
}

/* copy = "COPY" SP sequence-set SP mailbox ; and MOVE (RFC 6851 5) */
static bool copy_args(struct imap_lex *lex, struct imap_cmd *cmd)
{
	return imap_lex_space(lex) && imap_lex_set(lex, &cmd->copy.set) &&
	       imap_lex_space(lex) && imap_lex_mailbox(lex, &cmd->copy.mailbox);
}

struct command {
	const char *name;
	bool takes_uid;
	imap_parse_args *args;
};

/* clang-format off */
static const struct command commands[IMAP_N_CMDS] = {
	[IMAP_CAPABILITY]   = { "CAPABILITY",   false, no_args },
	[IMAP_NOOP]	    = { "NOOP",	     false, no_args },
	[IMAP_LOGOUT]	    = { "LOGOUT",	     false, no_args },
	[IMAP_ID]	    = { "ID",	     false, id_args },
	[IMAP_STARTTLS]	    = { "STARTTLS",     false, no_args },
	[IMAP_AUTHENTICATE] = { "AUTHENTICATE", false, authenticate_args },
	[IMAP_LOGIN]	    = { "LOGIN",	     false, login_args },
	[IMAP_ENABLE]	    = { "ENABLE",	     false, enable_args },
	[IMAP_SELECT]	    = { "SELECT",	     false, imap_parse_select },
	[IMAP_EXAMINE]	    = { "EXAMINE",	     false, imap_parse_select },
	[IMAP_CREATE]	    = { "CREATE",	     false, create_args },
	[IMAP_DELETE]	    = { "DELETE",	     false, mailbox_args },
	[IMAP_RENAME]	    = { "RENAME",	     false, rename_args },
	[IMAP_SUBSCRIBE]    = { "SUBSCRIBE",    false, mailbox_args },
	[IMAP_UNSUBSCRIBE]  = { "UNSUBSCRIBE",  false, mailbox_args },
	[IMAP_LIST]	    = { "LIST",	     false, imap_parse_list },
	[IMAP_LSUB]	    = { "LSUB",	     false, imap_parse_lsub },
	[IMAP_NAMESPACE]    = { "NAMESPACE",    false, no_args },
	[IMAP_STATUS]	    = { "STATUS",	     false, imap_parse_status },
	[IMAP_APPEND]	    = { "APPEND",	     false, imap_parse_append_args },
	[IMAP_IDLE]	    = { "IDLE",	     false, no_args },
	[IMAP_CHECK]	    = { "CHECK",	     false, no_args },
	[IMAP_CLOSE]	    = { "CLOSE",	     false, no_args },
	[IMAP_UNSELECT]	    = { "UNSELECT",     false, no_args },
	[IMAP_EXPUNGE]	    = { "EXPUNGE",	     true,  expunge_args },
	[IMAP_SEARCH]	    = { "SEARCH",	     true,  imap_parse_search },
	[IMAP_FETCH]	    = { "FETCH",	     true,  imap_parse_fetch },
	[IMAP_STORE]	    = { "STORE",	     true,  imap_parse_store },
	[IMAP_COPY]	    = { "COPY",	     true,  copy_args },
	[IMAP_MOVE]	    = { "MOVE",	     true,  copy_args },
};
/* clang-format on */

/* tag = 1*<any ASTRING-CHAR except "+"> ; and the space behind it */
bool imap_parse_tag(struct str text, struct str *tag)
{
	struct imap_lex lex;
	struct str s;

	imap_lex_init(&lex, text, false, NULL);
	if (imap_lex_at(&lex, '"') || imap_lex_at(&lex, '{') ||
	    !imap_lex_astring(&lex, &s) || !imap_lex_at(&lex, ' ') ||
	    s.len > IMAP_TAG_MAX || memchr(s.p, '+', s.len))
		return false;
	*tag = s;
	return true;
}

static bool read_name(struct imap_lex *lex, struct imap_cmd *cmd)
{
	struct str name;

	if (!imap_lex_space(lex) || !imap_lex_atom(lex, &name))
		return false;
	if (str_eq_nocase(name, STR("UID"))) {
		cmd->is_uid = true;
		if (!imap_lex_space(lex) || !imap_lex_atom(lex, &name))
			return false;
	}
	for (cmd->kind = 0; cmd->kind < IMAP_N_CMDS; cmd->kind++)
		if (str_eq_nocase(str_of(commands[cmd->kind].name), name))
			break;
	if (cmd->kind == IMAP_N_CMDS)
		return imap_lex_fail(lex, "The command is unknown");
	return !cmd->is_uid || commands[cmd->kind].takes_uid ||
	       imap_lex_fail(lex, "UID does not go with that command");
}

/* command = tag SP name arguments */
enum imap_grammar_result imap_parse_grammar(struct str text, bool ends_open,
					    struct imap_arena *arena,
					    struct imap_cmd *cmd, const char **bad)
{
	struct imap_cmd c = { .is_uid = false };
	struct imap_lex lex;

	imap_lex_init(&lex, text, ends_open, arena);
	if (!imap_parse_tag(text, &c.tag)) {
		*bad = "A command begins with a tag and a space";
		return IMAP_GRAMMAR_BAD;
	}
	lex.text.p += c.tag.len;
	lex.text.len -= c.tag.len;
	if (read_name(&lex, &c) && commands[c.kind].args(&lex, &c) &&
	    imap_lex_end(&lex)) {
		*cmd = c;
		return c.kind == IMAP_APPEND ? IMAP_GRAMMAR_MESSAGE : IMAP_GRAMMAR_WHOLE;
	}
	if (lex.is_open)
		return IMAP_GRAMMAR_OPEN;
	*bad = lex.bad;
	return IMAP_GRAMMAR_BAD;
}
