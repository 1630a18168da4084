/*
 * send, reply, forward.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "apps/mail/wire/charset.h"
#include "apps/mail/wire/header.h"
#include "apps/mail/wire/mailaddr.h"
#include "apps/mail/wire/mime_partial.h"
#include "apps/pbmail/box.h"
#include "apps/pbmail/compose.h"
#include "apps/pbmail/pbmail.h"
#include "apps/pbmail/render.h"
#include "apps/pbmail/submit.h"

enum { REFERENCES_MAX = 2000 };

/* What all three have of options. */
struct letter {
	struct compose c;
	char from[MAILADDR_TEXT_LEN];
	size_t piece_len; /* --partial; 0: whole */
	char *text;	  /* what the user wrote */
	size_t text_len;
	char subject[RENDER_FIELD_MAX], id[RENDER_FIELD_MAX], references[REFERENCES_MAX];
};

/* All of @from; text comes from a pipe or from an editor's file. */
static int read_all(FILE *from, struct letter *l)
{
	FILE *to = open_memstream(&l->text, &l->text_len);
	char piece[4096];
	size_t n, sum = 0;

	if (!to)
		return pbmail_fail(EX_OSERR, "out of memory");
	while ((n = fread(piece, 1, sizeof(piece), from)) > 0 &&
	       (sum += n) <= PBMAIL_MESSAGE_MAX)
		fwrite(piece, 1, n, to);
	if (fclose(to) != 0)
		return pbmail_fail(EX_OSERR, "out of memory");
	if (sum > PBMAIL_MESSAGE_MAX || ferror(from))
		return pbmail_fail(EX_IOERR, "the text cannot be read, or is too long");
	if (!charset_is_utf8((struct str){ l->text, l->text_len }))
		return pbmail_fail(EX_DATAERR, "the text is not UTF-8");
	return 0;
}

static int run_editor(const char *path)
{
	const char *editor = getenv("EDITOR");
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		/* As other programs do: $EDITOR may have arguments. */
		setenv("PBMAIL_FILE", path, 1);
		setenv("PBMAIL_EDITOR", editor ? editor : "vi", 1);
		execl("/bin/sh", "sh", "-c", "exec $PBMAIL_EDITOR \"$PBMAIL_FILE\"",
		      NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || status != 0)
		return pbmail_fail(EX_SOFTWARE, "%s failed: nothing was sent",
				   editor ? editor : "vi");
	return 0;
}

/* @begin is there already. */
static int edit(struct letter *l, struct str begin)
{
	const char *tmp = getenv("TMPDIR");
	char path[4096];
	FILE *f = NULL;
	int fd, r;

	snprintf(path, sizeof(path), "%s/pbmail.XXXXXX", tmp ? tmp : "/tmp");
	fd = mkstemp(path);
	if (fd >= 0)
		f = fdopen(fd, "r+");
	if (!f)
		return pbmail_fail(EX_CANTCREAT, "%s: %s", path, strerror(errno));
	fwrite(begin.p, 1, begin.len, f);
	fclose(f);
	r = run_editor(path);
	f = r == 0 ? fopen(path, "re") : NULL;
	if (f) {
		r = read_all(f, l);
		fclose(f);
	}
	unlink(path);
	return r;
}

/* From the terminal by an editor, else what comes in. */
static int take_text(struct letter *l, struct str quoted)
{
	int r;

	if (isatty(STDIN_FILENO))
		r = edit(l, quoted);
	else
		r = read_all(stdin, l);
	l->c.text = (struct str){ l->text, l->text_len };
	return r;
}

static int take_option(struct letter *l, int option, const char *arg)
{
	char *end;

	switch (option) {
	case 't':
	case 'c':
	case 'b': return compose_addrs(&l->c, (char)option, str_of(arg));
	case 's': l->c.subject = str_of(arg); return 0;
	case 'a':
		if (l->c.n_files == COMPOSE_FILES_MAX)
			return pbmail_fail(EX_USAGE, "more than %d attachments",
					   COMPOSE_FILES_MAX);
		l->c.files[l->c.n_files++] = arg;
		return 0;
	case 'p':
		l->piece_len = strtoul(arg, &end, 10);
		if (*end == '\0' && l->piece_len >= MIME_PARTIAL_LEAST)
			return 0;
		return pbmail_fail(EX_USAGE, "--partial: %d octets or more",
				   MIME_PARTIAL_LEAST);
	default: return pbmail_usage();
	}
}

static int begin(struct letter *l, struct pbmail *p)
{
	struct account *a = &p->account;

	*l = (struct letter){ .piece_len = 0 };
	if (p->from)
		snprintf(l->from, sizeof(l->from), "%s", p->from);
	else if (!account_from(a, l->from, sizeof(l->from)))
		return pbmail_fail(EX_CONFIG, "the sender's address is too long");
	l->c.from = str_of(l->from);
	if (!compose_is_address(l->c.from))
		return pbmail_fail(EX_DATAERR, "%s: that is no address to send from",
				   l->from);
	l->c.name = a->name ? str_of(a->name) : STR("");
	l->c.subject = STR("");
	return 0;
}

/* argv[0] is no option. */
static int take_options(struct letter *l, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "partial", required_argument, NULL, 'p' },
		{ 0 },
	};
	int r = 0, c;

	optind = 0; /* it was used before: getopt(3), NOTES */
	while (r == 0 && (c = getopt_long(argc, argv, "t:c:b:s:a:", longs, NULL)) != -1)
		r = take_option(l, c, optarg);
	return r == 0 && optind < argc ? pbmail_usage() : r;
}

static int send_pieces(struct letter *l, struct pbmail *p, struct str message)
{
	struct mime_partial partial;
	char id[300], *piece;
	size_t len;
	int r;

	compose_id(&l->c, id, sizeof(id));
	r = mime_partial_init(&partial, message, str_of(id), l->piece_len);
	if (r < 0)
		return pbmail_fail(EX_DATAERR, "it cannot be sent in such pieces: %s",
				   strerror(-r));
	for (unsigned i = 0; i < partial.n && r == 0; i++) {
		if (mime_partial_piece(&partial, i, &piece, &len) < 0) {
			r = pbmail_fail(EX_OSERR, "out of memory");
			break;
		}
		r = submit(p, l->c.from, l->c.rcpts, l->c.n_rcpts,
			   (struct str){ piece, len });
		free(piece);
	}
	mime_partial_fini(&partial);
	return r;
}

static int post(struct letter *l, struct pbmail *p)
{
	char *message = NULL;
	size_t len;
	int r;

	if (l->c.n_rcpts == 0)
		return pbmail_fail(EX_USAGE, "to whom? -t ADDRESS");
	r = compose_build(&l->c, &message, &len);
	if (r == 0 && l->piece_len > 0)
		r = send_pieces(l, p, (struct str){ message, len });
	else if (r == 0)
		r = submit(p, l->c.from, l->c.rcpts, l->c.n_rcpts,
			   (struct str){ message, len });
	free(message);
	free(l->text);
	return r;
}

int send_command(struct pbmail *p, int argc, char **argv)
{
	struct letter l;
	int r = begin(&l, p);

	if (r == 0)
		r = take_options(&l, argc, argv);
	if (r == 0)
		r = take_text(&l, STR(""));
	return r ? r : post(&l, p);
}

/* "Re: " or "Fwd: " before it, unless it is there. */
static void set_subject(struct letter *l, struct str header, const char *prefix)
{
	char text[RENDER_FIELD_MAX];
	struct str s = render_field(header, STR("Subject"), text, sizeof(text) - 8);
	bool has = str_starts_nocase(s, str_of(prefix));

	snprintf(l->subject, sizeof(l->subject), "%s%.*s", has ? "" : prefix, (int)s.len,
		 s.p);
	if (l->c.subject.len == 0)
		l->c.subject = str_of(l->subject);
}

/* It goes into a field as it is. */
static bool is_printable(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~')
			return false;
	return true;
}

/* RFC 5322 3.6.4. */
static void set_references(struct letter *l, struct str header)
{
	static const char *const names[] = { "References", "Message-ID" };
	char room[RENDER_FIELD_MAX];
	struct header_field f;
	size_t n = 0;

	for (int i = 0; i < 2; i++) {
		struct wr w = wr_of(room, sizeof(room));
		struct str rest, id;

		if (!header_find(header, str_of(names[i]), &f))
			continue;
		rest = f.value;
		while (header_msgid_next(&rest, &w, &id)) {
			if (n + id.len + 2 > REFERENCES_MAX || !is_printable(id))
				continue;
			n += (size_t)snprintf(l->references + n, REFERENCES_MAX - n,
					      "%s%.*s", n > 0 ? " " : "", (int)id.len,
					      id.p);
			snprintf(l->id, sizeof(l->id), "%.*s", (int)id.len, id.p);
		}
	}
	l->c.references = str_of(l->references);
	l->c.in_reply_to = str_of(l->id);
}

/* The text that is answered, with "> " before each line. */
static int quote(struct str message, char **out, size_t *len)
{
	char *text = NULL;
	size_t text_len;
	FILE *to = open_memstream(&text, &text_len), *quoted;
	struct str rest;

	if (!to || render_message(to, message, 0) < 0 || fclose(to) != 0)
		return pbmail_fail(EX_OSERR, "out of memory");
	quoted = open_memstream(out, len);
	rest = (struct str){ text, text_len };
	while (quoted && rest.len > 0) {
		struct str line = str_cut(rest, '\n', &rest);

		fprintf(quoted, "> %.*s\n", (int)line.len, line.p);
	}
	free(text);
	return quoted && fclose(quoted) == 0 ? 0 : pbmail_fail(EX_OSERR, "out of memory");
}

/* The message a command is about: its first argument. */
static int fetch(struct pbmail *p, const char *number, char **message, size_t *len)
{
	struct box *box;
	uint32_t n;
	int r = pbmail_number(number, &n);

	if (r == 0)
		r = box_open(p, p->mailbox, false, &box);
	if (r)
		return r;
	r = box_fetch(box, n, message, len);
	box_close(box);
	return r;
}

int reply_command(struct pbmail *p, int argc, char **argv)
{
	char *message = NULL, *quoted = NULL;
	struct header_field f = { .value = STR("") };
	size_t len = 0, quoted_len = 0;
	struct str header;
	struct letter l;
	int r;

	if (argc < 2)
		return pbmail_usage();
	r = fetch(p, argv[1], &message, &len);
	if (r == 0)
		r = begin(&l, p);
	header = (struct str){ message, len };
	header.len = r == 0 ? header_len(header) : 0;
	if (r == 0 && !header_find(header, STR("Reply-To"), &f) &&
	    !header_find(header, STR("From"), &f))
		r = pbmail_fail(EX_DATAERR, "the message has no sender");
	if (r == 0)
		r = compose_addrs(&l.c, 't', f.value);
	if (r == 0)
		r = take_options(&l, argc - 1, argv + 1);
	if (r == 0) {
		set_subject(&l, header, "Re: ");
		set_references(&l, header);
		r = quote((struct str){ message, len }, &quoted, &quoted_len);
	}
	if (r == 0)
		r = take_text(&l, (struct str){ quoted, quoted_len });
	if (r == 0)
		r = post(&l, p);
	free(quoted);
	free(message);
	return r;
}

int forward_command(struct pbmail *p, int argc, char **argv)
{
	char *message = NULL;
	struct letter l;
	size_t len = 0;
	int r;

	if (argc < 2)
		return pbmail_usage();
	r = fetch(p, argv[1], &message, &len);
	if (r == 0)
		r = begin(&l, p);
	if (r == 0)
		r = take_options(&l, argc - 1, argv + 1);
	if (r == 0) {
		l.c.forwarded = (struct str){ message, len };
		set_subject(&l, (struct str){ message, header_len(l.c.forwarded) },
			    "Fwd: ");
		r = take_text(&l, STR(""));
	}
	if (r == 0)
		r = post(&l, p);
	free(message);
	return r;
}
