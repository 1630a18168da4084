/*
 * list, read, save.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sysexits.h>
#include <unistd.h>

#include "apps/mail/wire/enc_word.h"
#include "apps/mail/wire/mime_partial.h"
#include "apps/pbmail/box.h"
#include "apps/pbmail/filename.h"
#include "apps/pbmail/pbmail.h"
#include "apps/pbmail/render.h"

enum { WIDTH = 80 };

/* Of the terminal; a pipe gets lines as they are. */
static unsigned terminal_width(void)
{
	struct winsize size = { 0 };

	if (!isatty(STDOUT_FILENO))
		return 0;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		return WIDTH;
	return size.ws_col;
}

static void list_one(void *arg, uint32_t n, bool is_new, struct str header)
{
	unsigned width = terminal_width();

	(void)arg;
	render_summary(stdout, n, is_new, header, width > 0 ? width : WIDTH);
}

int list_command(struct pbmail *p, int argc, char **argv)
{
	struct box *box;
	int r;

	if (argc > 2)
		return pbmail_usage();
	r = box_open(p, argc == 2 ? argv[1] : p->mailbox, false, &box);
	if (r)
		return r;
	r = box_headers(box, list_one, NULL);
	box_close(box);
	return r;
}

/* The pieces of a message/partial, where they are in the mailbox. */
struct pieces {
	struct mime_partial_part like; /* one of them */
	uint32_t numbers[MIME_PARTIAL_MAX + 1];
};

static bool read_piece(struct str header, struct mime_partial_part *part,
		       struct mime **mime)
{
	struct mime *m = mime_new(&mime_limits_default);

	*mime = m;
	if (!m)
		return false;
	mime_parse(m, header);
	return mime_partial_read(mime_part(m, MIME_ROOT), part);
}

static void look_for_piece(void *arg, uint32_t n, bool is_new, struct str header)
{
	struct pieces *p = arg;
	struct mime_partial_part part;
	struct mime *m;

	(void)is_new;
	if (read_piece(header, &part, &m) && str_eq(part.id, p->like.id) &&
	    part.number >= 1 && part.number <= MIME_PARTIAL_MAX) {
		p->numbers[part.number] = n;
		if (part.total > 0)
			p->like.total = part.total;
	}
	mime_free(m);
}

static int join_pieces(struct box *box, const struct pieces *p, char **message,
		       size_t *len)
{
	struct str texts[MIME_PARTIAL_MAX];
	char *text = NULL;
	unsigned n = 0;
	size_t n_text;
	int r = 0;

	while (n < p->like.total && r == 0) {
		r = box_fetch(box, p->numbers[n + 1], &text, &n_text);
		if (r == 0)
			texts[n++] = (struct str){ text, n_text };
	}
	if (r == 0) {
		r = mime_partial_join(texts, n, PBMAIL_MESSAGE_MAX, &text, &n_text);
		if (r < 0)
			r = pbmail_fail(EX_DATAERR, "the pieces do not fit: %s",
					strerror(-r));
	}
	while (n > 0)
		free((char *)(uintptr_t)texts[--n].p);
	if (r)
		return r;
	free(*message);
	*message = text;
	*len = n_text;
	return 0;
}

/* A piece of a message becomes the message, when all are here (RFC 2046 5.2.2). */
static int make_whole(struct box *box, char **message, size_t *len)
{
	struct pieces p = { .like = { .total = 0 } };
	struct mime *m;
	int r = 0;

	if (!read_piece((struct str){ *message, *len }, &p.like, &m)) {
		mime_free(m);
		return 0;
	}
	r = box_headers(box, look_for_piece, &p);
	for (unsigned i = 1; r == 0 && i <= p.like.total && i <= MIME_PARTIAL_MAX; i++)
		if (p.numbers[i] == 0)
			p.like.total = 0; /* not all: the piece is shown as one */
	if (r == 0 && p.like.total > 0 && p.like.total <= MIME_PARTIAL_MAX)
		r = join_pieces(box, &p, message, len);
	mime_free(m);
	return r;
}

static int fetch_whole(struct pbmail *p, const char *number, char **message, size_t *len)
{
	struct box *box;
	uint32_t n;
	int r = pbmail_number(number, &n);

	if (r == 0)
		r = box_open(p, p->mailbox, true, &box);
	if (r)
		return r;
	r = box_fetch(box, n, message, len);
	if (r == 0)
		r = make_whole(box, message, len);
	box_close(box);
	return r;
}

int read_command(struct pbmail *p, int argc, char **argv)
{
	char *message = NULL;
	size_t len;
	int r;

	if (argc != 2)
		return pbmail_usage();
	r = fetch_whole(p, argv[1], &message, &len);
	if (r == 0 &&
	    render_message(stdout, (struct str){ message, len }, terminal_width()) < 0)
		r = pbmail_fail(EX_OSERR, "out of memory");
	free(message);
	return r;
}

/* The file's name: the user's, or the part's without anything that is not a name. */
static void choose_name(const struct mime_part *part, const char *said,
			char clean[FILENAME_LEN], const char **path)
{
	char text[RENDER_FIELD_MAX];
	struct wr w = wr_of(text, sizeof(text));

	*path = said;
	if (said)
		return;
	enc_word_decode(render_filename(part), &w);
	filename_clean((struct str){ text, (size_t)((char *)w.p - text) }, clean);
	*path = clean;
}

/* A message is saved as it is, everything else decoded. */
static int save_part(const struct mime_part *part, struct str message, const char *said)
{
	struct str whole = { message.p + part->body_at, (size_t)part->body_len };
	char clean[FILENAME_LEN], *bytes = NULL;
	const char *path;
	size_t len;
	int r;

	choose_name(part, said, clean, &path);
	if (part->kind == MIME_LEAF) {
		if (render_decode(part, message, &bytes, &len) < 0)
			return pbmail_fail(EX_OSERR, "out of memory");
		whole = (struct str){ bytes, len };
	}
	r = filename_write(path, whole);
	free(bytes);
	if (r < 0)
		return pbmail_fail(EX_CANTCREAT, "%s: %s", path, strerror(-r));
	fprintf(stderr, "%s: %zu octets\n", path, whole.len);
	return 0;
}

int save_command(struct pbmail *p, int argc, char **argv)
{
	char *message = NULL;
	struct mime *m;
	uint32_t i;
	size_t len;
	int r;

	if (argc < 3 || argc > 4)
		return pbmail_usage();
	r = fetch_whole(p, argv[1], &message, &len);
	if (r)
		return r;
	m = mime_new(&mime_limits_default);
	if (m)
		mime_parse(m, (struct str){ message, len });
	i = m ? mime_find(m, str_of(argv[2])) : MIME_NONE;
	if (i == MIME_NONE)
		r = pbmail_fail(EX_DATAERR, "message %s has no part %s", argv[1],
				argv[2]);
	else
		r = save_part(mime_part(m, i), (struct str){ message, len }, argv[3]);
	mime_free(m);
	free(message);
	return r;
}
