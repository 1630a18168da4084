#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "apps/pbsim/pbsim_impl.h"
#include "eth/pcapng_wire.h"

static struct line *find(struct pbsim *s, const char *from, const char *to)
{
	for (unsigned i = 0; i < s->n_lines; i++) {
		struct line *l = s->lines[i];

		if (strcmp(l->from->name, from) == 0 && strcmp(l->to->name, to) == 0)
			return l;
	}
	return NULL;
}

int pbsim_capture(struct pbsim *s, const char *a, const char *b, const char *path)
{
	struct line *ab = find(s, a, b), *ba = find(s, b, a);
	uint8_t start[PCAPNG_START_MAX];
	char name[2 * PBSIM_NAME_LEN + 1];
	struct wr w = wr_of(start, sizeof(start));
	struct capture *c;

	if (!ab)
		return pbsim_fail(s, ENOENT, "no link from %s to %s", a, b);
	if (ab->capture)
		return pbsim_fail(s, EEXIST, "the link of %s and %s has a file", a, b);
	c = calloc(1, sizeof(*c));
	if (!c)
		return pbsim_fail(s, ENOMEM, "no memory");
	c->file = fopen(path, "wb");
	if (!c->file) {
		free(c);
		return pbsim_fail(s, errno, "%s: %s", path, strerror(errno));
	}
	snprintf(name, sizeof(name), "%s-%s", a, b);
	pcapng_emit_start(&w, PCAPNG_IP, name);
	fwrite(start, 1, (size_t)(w.p - start), c->file);
	c->out = ab;
	c->next = s->captures;
	s->captures = ab->capture = ba->capture = c;
	return 0;
}

void capture_frame(struct line *l, const struct frame *f, uint64_t now_ns)
{
	enum pcapng_dir dir = l == l->capture->out ? PCAPNG_OUT : PCAPNG_IN;
	uint8_t head[PCAPNG_PACKET_HEAD_LEN], tail[PCAPNG_PACKET_TAIL_MAX];
	struct frame *shown = frame_copy(&l->s->shop, f);
	struct wr w = wr_of(head, sizeof(head));
	FILE *file = l->capture->file;

	if (!shown)
		return;
	frame_complete_sum(shown);
	pcapng_emit_head(&w, now_ns, f->len);
	fwrite(head, 1, sizeof(head), file);
	fwrite(shown->bytes, 1, shown->len, file);
	w = wr_of(tail, sizeof(tail));
	pcapng_emit_tail(&w, dir, f->len);
	fwrite(tail, 1, (size_t)(w.p - tail), file);
	frame_free(&l->s->shop, shown);
}

int capture_close(struct capture *c)
{
	int err = ferror(c->file) ? -EIO : 0;

	if (fclose(c->file) != 0)
		err = -errno;
	free(c);
	return err;
}
