#include "apps/mail/queue/bounce.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "apps/mail/wire/rfc5322.h"

#define STR_ARGS(s) (int)(s).len, (s).p

static bool any(const struct bounce *b, enum bounce_action action)
{
	for (size_t i = 0; i < b->n_rcpts; i++)
		if (b->rcpts[i].action == action)
			return true;
	return false;
}

static void put_date(FILE *to, const char *name, uint64_t seconds)
{
	char date[RFC5322_DATE_LEN];

	rfc5322_date(seconds, date);
	fprintf(to, "%s: %s\r\n", name, date);
}

/* RFC 3834 5: nobody's program answers it. */
static void put_header(FILE *to, const struct bounce *b)
{
	bool failed = any(b, BOUNCE_FAILED);

	put_date(to, "Date", b->now_s);
	fprintf(to,
		"From: Mail Delivery System <MAILER-DAEMON@%.*s>\r\n"
		"To: <%.*s>\r\n"
		"Subject: %s\r\n"
		"Message-ID: <%.*s@%.*s>\r\n"
		"Auto-Submitted: auto-replied\r\n"
		"MIME-Version: 1.0\r\n"
		"Content-Type: multipart/report; report-type=delivery-status;\r\n"
		"\tboundary=\"=_%.*s\"\r\n"
		"\r\n",
		STR_ARGS(b->host), STR_ARGS(b->to),
		failed ? "Mail could not be delivered" : "Mail is delayed",
		STR_ARGS(b->id), STR_ARGS(b->host), STR_ARGS(b->id));
}

static void put_boundary(FILE *to, const struct bounce *b, const char *type)
{
	fprintf(to, "--=_%.*s\r\nContent-Type: %s\r\n", STR_ARGS(b->id), type);
}

static void put_list(FILE *to, const struct bounce *b, enum bounce_action action)
{
	for (size_t i = 0; i < b->n_rcpts; i++) {
		const struct bounce_rcpt *r = &b->rcpts[i];

		if (r->action != action)
			continue;
		fprintf(to, "\r\n<%.*s>\r\n    ", STR_ARGS(r->addr));
		if (r->reply.code > 0 && b->remote.len > 0)
			fprintf(to, "%.*s said: %u ", STR_ARGS(b->remote), r->reply.code);
		fprintf(to, "%.*s\r\n", STR_ARGS(r->reply.text));
	}
}

static void put_for_people(FILE *to, const struct bounce *b)
{
	put_boundary(to, b, "text/plain; charset=us-ascii");
	fprintf(to, "\r\nThis is the mail server at %.*s.\r\n", STR_ARGS(b->host));
	if (any(b, BOUNCE_FAILED)) {
		fputs("\r\nYour message could not be delivered to:\r\n", to);
		put_list(to, b, BOUNCE_FAILED);
	}
	if (any(b, BOUNCE_DELAYED)) {
		fputs("\r\nYour message could not be delivered yet, and will be tried "
		      "further, to:\r\n",
		      to);
		put_list(to, b, BOUNCE_DELAYED);
		fputs("\r\nThere is nothing you have to do.\r\n", to);
	}
	fputs("\r\n", to);
}

/* RFC 3463 3.5: x.4.7, the time for delivery is over, when nobody told another reason. */
static void put_status(FILE *to, const struct bounce_rcpt *r)
{
	char text[SMTP_ENHANCED_LEN];
	struct smtp_enhanced e = r->reply.enhanced;

	if (e.class == 0 && r->reply.code == 0)
		e = (struct smtp_enhanced){ 4, 4, 7 };
	else if (e.class == 0)
		e.class = (uint8_t)(r->reply.code / 100 == 5 ? 5 : 4);
	smtp_reply_enhanced_text(e, text);
	fprintf(to, "Status: %s\r\n", text);
}

/* RFC 3464 2.3 */
static void put_rcpt(FILE *to, const struct bounce *b, const struct bounce_rcpt *r)
{
	bool failed = r->action == BOUNCE_FAILED;

	fprintf(to, "\r\nFinal-Recipient: rfc822; %.*s\r\nAction: %s\r\n",
		STR_ARGS(r->addr), failed ? "failed" : "delayed");
	put_status(to, r);
	if (r->reply.code > 0) {
		char text[SMTP_ENHANCED_LEN] = "";

		if (b->remote.len > 0)
			fprintf(to, "Remote-MTA: dns; %.*s\r\n", STR_ARGS(b->remote));
		if (r->reply.enhanced.class > 0)
			smtp_reply_enhanced_text(r->reply.enhanced, text);
		fprintf(to, "Diagnostic-Code: smtp; %u %s%s%.*s\r\n", r->reply.code, text,
			*text ? " " : "", STR_ARGS(r->reply.text));
	} else if (r->reply.text.len > 0) {
		fprintf(to, "Diagnostic-Code: x-packetboat; %.*s\r\n",
			STR_ARGS(r->reply.text));
	}
	if (b->last_s > 0)
		put_date(to, "Last-Attempt-Date", b->last_s);
	if (!failed)
		put_date(to, "Will-Retry-Until", b->until_s);
}

/* RFC 3464 2.2 */
static void put_for_programs(FILE *to, const struct bounce *b)
{
	put_boundary(to, b, "message/delivery-status");
	fprintf(to, "\r\nReporting-MTA: dns; %.*s\r\n", STR_ARGS(b->host));
	if (b->orig_id.len > 0)
		fprintf(to, "X-Packetboat-Id: %.*s\r\n", STR_ARGS(b->orig_id));
	put_date(to, "Arrival-Date", b->arrived_s);
	for (size_t i = 0; i < b->n_rcpts; i++)
		put_rcpt(to, b, &b->rcpts[i]);
	fputs("\r\n", to);
}

static bool has_8bit(struct str s)
{
	unsigned char all = 0;

	for (size_t i = 0; i < s.len; i++)
		all |= (unsigned char)s.p[i];
	return all & 0x80;
}

static void put_original(FILE *to, const struct bounce *b, struct str original)
{
	put_boundary(to, b,
		     original.len == b->original.len ? "message/rfc822" :
						       "text/rfc822-headers");
	if (has_8bit(original))
		fputs("Content-Transfer-Encoding: 8bit\r\n", to);
	fputs("\r\n", to);
}

int bounce_build(const struct bounce *b, char **text, struct str parts[BOUNCE_PARTS])
{
	struct str original = b->original;
	char *bytes = NULL;
	size_t len = 0;
	long head_len;
	FILE *to = open_memstream(&bytes, &len);

	if (!to)
		return -ENOMEM;
	if (original.len > b->whole_max)
		original.len = rfc5322_top_len(original, 0);
	put_header(to, b);
	put_for_people(to, b);
	put_for_programs(to, b);
	put_original(to, b, original);
	head_len = ftell(to);
	fprintf(to, "\r\n--=_%.*s--\r\n", STR_ARGS(b->id));
	if (fclose(to) != 0 || head_len < 0) {
		free(bytes);
		return -ENOMEM;
	}
	parts[0] = (struct str){ bytes, (size_t)head_len };
	parts[1] = original;
	parts[2] = (struct str){ bytes + head_len, len - (size_t)head_len };
	*text = bytes;
	return 0;
}
