#include "apps/mail/wire/imap_names.h"

const struct imap_name imap_flag_names[IMAP_N_FLAG_NAMES] = {
	{ "\\Seen", IMAP_SEEN },       { "\\Answered", IMAP_ANSWERED },
	{ "\\Flagged", IMAP_FLAGGED }, { "\\Deleted", IMAP_DELETED },
	{ "\\Draft", IMAP_DRAFT },     { "\\Recent", IMAP_RECENT },
};

const struct imap_name imap_use_names[IMAP_N_USE_NAMES] = {
	{ "\\All", IMAP_USE_ALL },	 { "\\Archive", IMAP_USE_ARCHIVE },
	{ "\\Drafts", IMAP_USE_DRAFTS }, { "\\Flagged", IMAP_USE_FLAGGED },
	{ "\\Junk", IMAP_USE_JUNK },	 { "\\Sent", IMAP_USE_SENT },
	{ "\\Trash", IMAP_USE_TRASH },
};

const struct imap_name imap_status_names[IMAP_STATUS_N] = {
	{ "MESSAGES", IMAP_STATUS_MESSAGES },
	{ "RECENT", IMAP_STATUS_RECENT },
	{ "UIDNEXT", IMAP_STATUS_UIDNEXT },
	{ "UIDVALIDITY", IMAP_STATUS_UIDVALIDITY },
	{ "UNSEEN", IMAP_STATUS_UNSEEN },
	{ "HIGHESTMODSEQ", IMAP_STATUS_HIGHESTMODSEQ },
};

const struct imap_name imap_fetch_names[IMAP_N_FETCH_NAMES] = {
	{ "UID", IMAP_FETCH_UID },
	{ "FLAGS", IMAP_FETCH_FLAGS },
	{ "INTERNALDATE", IMAP_FETCH_INTERNALDATE },
	{ "RFC822.SIZE", IMAP_FETCH_RFC822_SIZE },
	{ "ENVELOPE", IMAP_FETCH_ENVELOPE },
	{ "BODY", IMAP_FETCH_BODY },
	{ "BODYSTRUCTURE", IMAP_FETCH_BODYSTRUCTURE },
	{ "MODSEQ", IMAP_FETCH_MODSEQ },
	{ "RFC822", IMAP_FETCH_RFC822 },
	{ "RFC822.HEADER", IMAP_FETCH_RFC822_HEADER },
	{ "RFC822.TEXT", IMAP_FETCH_RFC822_TEXT },
};

const struct imap_name imap_section_names[IMAP_N_SECTION_NAMES] = {
	{ "HEADER", IMAP_SECTION_HEADER },
	{ "HEADER.FIELDS", IMAP_SECTION_FIELDS },
	{ "HEADER.FIELDS.NOT", IMAP_SECTION_FIELDS_NOT },
	{ "TEXT", IMAP_SECTION_TEXT },
	{ "MIME", IMAP_SECTION_MIME },
};

const struct imap_name imap_mailbox_names[IMAP_N_MAILBOX_NAMES] = {
	{ "\\Noinferiors", IMAP_MAILBOX_NOINFERIORS },
	{ "\\Noselect", IMAP_MAILBOX_NOSELECT },
	{ "\\Marked", IMAP_MAILBOX_MARKED },
	{ "\\Unmarked", IMAP_MAILBOX_UNMARKED },
	{ "\\HasChildren", IMAP_MAILBOX_HASCHILDREN },
	{ "\\HasNoChildren", IMAP_MAILBOX_HASNOCHILDREN },
	{ "\\Subscribed", IMAP_MAILBOX_SUBSCRIBED },
	{ "\\NonExistent", IMAP_MAILBOX_NONEXISTENT },
};

const struct imap_name *imap_names_find(const struct imap_name *names, size_t n,
					struct str name)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq_nocase(str_of(names[i].name), name))
			return &names[i];
	return NULL;
}

const struct imap_name *imap_names_of(const struct imap_name *names, size_t n,
				      unsigned value)
{
	for (size_t i = 0; i < n; i++)
		if (names[i].value == value)
			return &names[i];
	return NULL;
}
