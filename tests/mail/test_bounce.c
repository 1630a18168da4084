#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "apps/mail/queue/bounce.h"

static char *head;
static struct str parts[BOUNCE_PARTS];

static const struct bounce_rcpt failed = {
	.addr = { "green@b.example", 15 },
	.action = BOUNCE_FAILED,
	.reply = { 550, { 5, 1, 1 }, { "No such user here", 17 } },
};

static struct bounce base(const struct bounce_rcpt *rcpts, size_t n)
{
	return (struct bounce){
		.host = STR("mx.a.example"),
		.id = STR("b1"),
		.to = STR("smith@a.example"),
		.orig_id = STR("o1"),
		.remote = STR("mx.b.example"),
		.original = STR("Subject: hi\r\nTo: green\r\n\r\nText.\r\n"),
		.whole_max = 1000,
		.now_s = 1700000000,
		.arrived_s = 1699999000,
		.last_s = 1700000000,
		.until_s = 1700400000,
		.rcpts = rcpts,
		.n_rcpts = n,
	};
}

static char *build(const struct bounce *b)
{
	char *all;

	cr_assert_eq(bounce_build(b, &head, parts), 0);
	cr_assert_neq(asprintf(&all, "%.*s%.*s%.*s", (int)parts[0].len, parts[0].p,
			       (int)parts[1].len, parts[1].p, (int)parts[2].len,
			       parts[2].p),
		      -1);
	free(head);
	return all;
}

Test(bounce, is_a_report_of_three_parts)
{
	struct bounce b = base(&failed, 1);
	char *all = build(&b);

	cr_assert_str_eq(
		all, "Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n"
		     "From: Mail Delivery System <MAILER-DAEMON@mx.a.example>\r\n"
		     "To: <smith@a.example>\r\n"
		     "Subject: Mail could not be delivered\r\n"
		     "Message-ID: <b1@mx.a.example>\r\n"
		     "Auto-Submitted: auto-replied\r\n"
		     "MIME-Version: 1.0\r\n"
		     "Content-Type: multipart/report; report-type=delivery-status;\r\n"
		     "\tboundary=\"=_b1\"\r\n"
		     "\r\n"
		     "--=_b1\r\n"
		     "Content-Type: text/plain; charset=us-ascii\r\n"
		     "\r\n"
		     "This is the mail server at mx.a.example.\r\n"
		     "\r\n"
		     "Your message could not be delivered to:\r\n"
		     "\r\n"
		     "<green@b.example>\r\n"
		     "    mx.b.example said: 550 No such user here\r\n"
		     "\r\n"
		     "--=_b1\r\n"
		     "Content-Type: message/delivery-status\r\n"
		     "\r\n"
		     "Reporting-MTA: dns; mx.a.example\r\n"
		     "X-Packetboat-Id: o1\r\n"
		     "Arrival-Date: Tue, 14 Nov 2023 21:56:40 +0000\r\n"
		     "\r\n"
		     "Final-Recipient: rfc822; green@b.example\r\n"
		     "Action: failed\r\n"
		     "Status: 5.1.1\r\n"
		     "Remote-MTA: dns; mx.b.example\r\n"
		     "Diagnostic-Code: smtp; 550 5.1.1 No such user here\r\n"
		     "Last-Attempt-Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n"
		     "\r\n"
		     "--=_b1\r\n"
		     "Content-Type: message/rfc822\r\n"
		     "\r\n"
		     "Subject: hi\r\nTo: green\r\n\r\nText.\r\n"
		     "\r\n--=_b1--\r\n");
	cr_assert_eq(parts[1].p, b.original.p);
	free(all);
}

Test(bounce, gives_a_long_original_by_its_header)
{
	struct bounce b = base(&failed, 1);
	char *all;

	b.whole_max = b.original.len - 1;
	all = build(&b);
	cr_assert_neq(
		strstr(all, "Content-Type: text/rfc822-headers\r\n\r\nSubject: hi\r\n"),
		NULL);
	cr_assert_eq(strstr(all, "Text."), NULL);
	cr_assert_neq(strstr(all, "To: green\r\n\r\n\r\n--=_b1--\r\n"), NULL);
	free(all);
}

Test(bounce, says_when_the_original_has_8bit_text)
{
	struct bounce b = base(&failed, 1);
	char *all;

	b.original = STR("Subject: hi\r\n\r\nGr\xc3\xbc\xc3\x9f"
			 "e\r\n");
	all = build(&b);
	cr_assert_neq(
		strstr(all, "message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n"),
		NULL);
	free(all);
}

Test(bounce, tells_delays_and_failures_apart)
{
	const struct bounce_rcpt rcpts[] = {
		failed,
		{ .addr = STR("jones@b.example"),
		  .action = BOUNCE_DELAYED,
		  .reply = { 0, { 4, 4, 1 }, STR("No answer from mx.b.example") } },
	};
	struct bounce b = base(rcpts, 2);
	char *all = build(&b);

	cr_assert_neq(strstr(all, "Subject: Mail could not be delivered\r\n"), NULL);
	cr_assert_neq(strstr(all, "Final-Recipient: rfc822; jones@b.example\r\n"
				  "Action: delayed\r\nStatus: 4.4.1\r\n"
				  "Diagnostic-Code: x-packetboat; No answer from "
				  "mx.b.example\r\n"),
		      NULL);
	cr_assert_neq(
		strstr(all, "Will-Retry-Until: Sun, 19 Nov 2023 13:20:00 +0000\r\n"),
		NULL);
	free(all);
	b.rcpts = rcpts + 1;
	b.n_rcpts = 1;
	all = build(&b);
	cr_assert_neq(strstr(all, "Subject: Mail is delayed\r\n"), NULL);
	free(all);
}

Test(bounce, makes_a_status_where_nobody_gave_one)
{
	struct bounce_rcpt rcpt = failed;
	struct bounce b = base(&rcpt, 1);
	char *all;

	rcpt.reply = (struct envelope_reply){ .code = 552, .text = STR("No") };
	all = build(&b);
	cr_assert_neq(strstr(all, "Status: 5.0.0\r\n"), NULL);
	free(all);
	rcpt.reply = (struct envelope_reply){ .code = 0 };
	all = build(&b);
	cr_assert_neq(strstr(all, "Status: 4.4.7\r\n"), NULL);
	cr_assert_eq(strstr(all, "Diagnostic-Code"), NULL);
	free(all);
}
