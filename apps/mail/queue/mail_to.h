/*
 * One to whom an address leads: what aliases make of it (apps/mail/deliver/expand.h), for
 * those who accept mail and those who send reports.
 */
#pragma once

#include "apps/lib/str.h"

struct mail_to {
	struct str user;  /* his name; empty: at another host */
	struct str addr;  /* an address of his, or that there */
	struct str owner; /* the sender from here on (RFC 5321 3.9.2); empty: as it was */
};
