#include "apps/pbmail/compose.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "apps/mail/wire/charset.h"
#include "apps/mail/wire/enc_word.h"
#include "apps/mail/wire/header.h"
#include "apps/mail/wire/mailaddr.h"
#include "apps/mail/wire/mime_7bit.h"
#include "apps/mail/wire/rfc5322.h"
#include "apps/pbmail/pbmail.h"
#include "stack/base/clock.h"
#include "stack/base/rng.h"

static void random_bytes(void *out, size_t len)
{
	/* Fewer than 256 octets always come whole: getrandom(2). */
	while (getrandom(out, len, 0) != (ssize_t)len)
		;
}

static struct str domain_of(struct str addr)
{
	const char *at = addr.len > 0 ? memrchr(addr.p, '@', addr.len) : NULL;

	return at ? (struct str){ at + 1, addr.len - (size_t)(at + 1 - addr.p) } :
		    STR("localhost");
}

void compose_id(const struct compose *c, char *out, size_t room)
{
	struct str domain = domain_of(c->from);
	uint64_t n[2];

	random_bytes(n, sizeof(n));
	snprintf(out, room, "%016" PRIx64 "%016" PRIx64 "@%.*s", n[0], n[1],
		 (int)domain.len, domain.p);
}

bool compose_is_address(struct str addr)
{
	char text[MAILADDR_PATH_MAX + 1];
	struct mailaddr parsed;
	struct str path = { text, addr.len + 2 };

	if (addr.len + 2 >= sizeof(text) || !charset_is_ascii(addr))
		return false;
	snprintf(text, sizeof(text), "<%.*s>", (int)addr.len, addr.p);
	return mailaddr_path(&path, &parsed) == 0 && path.len == 0 &&
	       parsed.kind == MAILADDR_MAILBOX;
}

static int add(struct compose *c, char kind, struct str name, struct str addr)
{
	struct mime_build_addr *to = kind == 't' ? &c->to[c->n_to] : &c->cc[c->n_cc];

	if (!compose_is_address(addr))
		return pbmail_fail(EX_DATAERR, "%.*s: that is no address", (int)addr.len,
				   addr.p);
	if (c->n_rcpts == CLIENT_RCPTS_MAX)
		return pbmail_fail(EX_DATAERR, "more than %d recipients",
				   CLIENT_RCPTS_MAX);
	c->rcpts[c->n_rcpts++] = addr;
	if (kind == 'b')
		return 0;
	*to = (struct mime_build_addr){ name, addr };
	c->n_to += kind == 't';
	c->n_cc += kind == 'c';
	return 0;
}

/* "bob" alone is a neighbour of the sender's. */
static struct str whole(const struct compose *c, const struct header_addr *a,
			struct wr *room)
{
	struct str domain = a->domain.len > 0 ? a->domain : domain_of(c->from);
	char *at = (char *)room->p;

	wr_copy(room, a->local.p, a->local.len);
	wr_copy(room, "@", 1);
	wr_copy(room, domain.p, domain.len);
	return (struct str){ at, (size_t)((char *)room->p - at) };
}

static struct str decoded(struct str name, struct wr *room)
{
	char *at = (char *)room->p;

	enc_word_decode(name, room);
	return (struct str){ at, (size_t)((char *)room->p - at) };
}

int compose_addrs(struct compose *c, char kind, struct str text)
{
	size_t room_len = 8 * text.len + 1024;
	char *bytes = malloc(room_len);
	struct wr room = wr_of(bytes, bytes ? room_len : 0);
	struct header_addrs it;
	struct header_addr addr;
	int r = 0, n = 0;

	if (!bytes)
		return pbmail_fail(EX_OSERR, "out of memory");
	header_addrs_init(&it, text);
	while (r == 0 && header_addrs_next(&it, &room, &addr)) {
		if (addr.kind != HEADER_MAILBOX)
			continue;
		n++;
		r = add(c, kind, decoded(addr.name, &room), whole(c, &addr, &room));
	}
	if (r == 0 && (n == 0 || room.bad))
		r = pbmail_fail(EX_DATAERR, "%.*s: that is no address", (int)text.len,
				text.p);
	return r;
}

/* A whole file; to free(). */
static int read_file(const char *path, char **bytes, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	ssize_t n = 1;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    st.st_size > PBMAIL_MESSAGE_MAX) {
		int r = fd < 0 ?
				pbmail_fail(EX_NOINPUT, "%s: %s", path, strerror(errno)) :
				pbmail_fail(EX_NOINPUT, "%s: no file, or too big", path);

		if (fd >= 0)
			close(fd);
		return r;
	}
	*bytes = malloc((size_t)st.st_size + 1);
	*len = 0;
	while (*bytes && n > 0 && *len < (size_t)st.st_size) {
		n = read(fd, *bytes + *len, (size_t)st.st_size - *len);
		*len += n > 0 ? (size_t)n : 0;
	}
	close(fd);
	return *bytes && n >= 0 ? 0 : pbmail_fail(EX_IOERR, "%s: cannot be read", path);
}

static int attach(struct mime_build *b, magic_t magic, const char *path)
{
	const char *slash = strrchr(path, '/'), *type;
	struct mime_build_part part = { .disposition = STR("attachment") };
	char *bytes = NULL;
	size_t len = 0;
	int r = read_file(path, &bytes, &len);

	if (r == 0) {
		type = magic_buffer(magic, bytes, len);
		part.type = str_of(type ? type : "application/octet-stream");
		part.filename = str_of(slash ? slash + 1 : path);
		mime_build_bytes(b, &part, (struct str){ bytes, len });
	}
	free(bytes);
	return r;
}

static int attach_all(struct mime_build *b, const struct compose *c)
{
	magic_t magic = magic_open(MAGIC_MIME_TYPE);
	int r = 0;

	if (!magic || magic_load(magic, NULL) < 0)
		r = pbmail_fail(EX_OSFILE, "libmagic has no database");
	for (size_t i = 0; i < c->n_files && r == 0; i++)
		r = attach(b, magic, c->files[i]);
	if (magic)
		magic_close(magic);
	return r;
}

/* What is forwarded may have 8bit text; 7bit goes everywhere (RFC 2046 5.2.1). */
static void put_forwarded(struct mime_build *b, struct str message)
{
	struct mime *m = mime_new(&mime_limits_default);
	char *text = malloc(message.len * 4 + 4096);
	struct mime_7bit seven;
	size_t len = 0, n;

	if (!m || !text) {
		b->err = -ENOMEM;
	} else {
		mime_parse(m, message);
		if (mime_7bit_init(&seven, m, message) == MIME_7BIT_CHANGED) {
			while (len < message.len * 4 &&
			       (n = mime_7bit_read(&seven, text + len, 4096)) > 0)
				len += n;
			message = (struct str){ text, len };
		}
		mime_7bit_fini(&seven);
		mime_build_message(b, message);
	}
	free(text);
	mime_free(m);
}

static void put_header(struct mime_build *b, const struct compose *c)
{
	const struct mime_build_addr from = { c->name, c->from };
	char date[RFC5322_DATE_LEN], id[300], text[304];

	rfc5322_date(clock_wall_ns() / NS_PER_S, date);
	compose_id(c, id, sizeof(id));
	snprintf(text, sizeof(text), "<%s>", id);
	mime_build_raw(b, STR("Date"), str_of(date));
	mime_build_addrs(b, STR("From"), &from, 1);
	if (c->n_to > 0)
		mime_build_addrs(b, STR("To"), c->to, c->n_to);
	if (c->n_cc > 0)
		mime_build_addrs(b, STR("Cc"), c->cc, c->n_cc);
	mime_build_raw(b, STR("Message-ID"), str_of(text));
	if (c->in_reply_to.len > 0)
		mime_build_raw(b, STR("In-Reply-To"), c->in_reply_to);
	if (c->references.len > 0)
		mime_build_raw(b, STR("References"), c->references);
	mime_build_field(b, STR("Subject"), c->subject);
}

static int finish(struct mime_build *b, char **message, size_t *len)
{
	struct str built;
	int r = mime_build_done(b, &built);

	if (r == -EILSEQ)
		return pbmail_fail(EX_DATAERR, "the text is not UTF-8, or what is to be "
					       "forwarded cannot be sent in 7 bits");
	if (r < 0)
		return pbmail_fail(r == -ENOMEM ? EX_OSERR : EX_DATAERR,
				   "the message cannot be made: %s", strerror(-r));
	*message = malloc(built.len + 1);
	if (!*message)
		return pbmail_fail(EX_OSERR, "out of memory");
	memcpy(*message, built.p, built.len);
	*len = built.len;
	return 0;
}

int compose_build(const struct compose *c, char **message, size_t *len)
{
	bool has_parts = c->n_files > 0 || c->forwarded.len > 0;
	struct mime_build b;
	struct rng rng;
	uint64_t seed;
	int r = 0;

	random_bytes(&seed, sizeof(seed));
	rng_init(&rng, seed);
	mime_build_init(&b, &rng, PBMAIL_MESSAGE_MAX, false);
	put_header(&b, c);
	if (has_parts)
		mime_build_multipart(&b, STR("mixed"));
	mime_build_text(&b, STR("plain"), c->text);
	if (c->forwarded.len > 0)
		put_forwarded(&b, c->forwarded);
	if (c->n_files > 0)
		r = attach_all(&b, c);
	if (has_parts)
		mime_build_end(&b);
	if (r == 0)
		r = finish(&b, message, len);
	mime_build_fini(&b);
	return r;
}
