#include "apps/mail/imapd/structure.h"

#include "apps/mail/wire/imap_body.h"
#include "apps/mail/wire/imap_envelope.h"
#include "stack/base/byte.h"

enum {
	FORMAT = 1,
	HEAD_LEN = 8,
};

void structure_emit(struct imap_emit *e, const struct mime *mime, struct str message)
{
	const struct mime_part *root = mime_part(mime, MIME_ROOT);
	size_t begin = e->len;
	char head[HEAD_LEN] = { FORMAT };
	struct wr w = wr_of(head + 4, 4);

	imap_emit_bytes(e, (struct str){ head, sizeof(head) });
	imap_envelope_emit(
		e, (struct str){ message.p + root->header_at, (size_t)root->header_len });
	wr32(&w, (uint32_t)(e->len - begin - HEAD_LEN));
	imap_body_emit(e, mime, message, 0, true);
	if (!e->is_failed)
		memcpy(e->p + begin, head, sizeof(head));
}

bool structure_parse(struct str summary, struct structure *s)
{
	struct rd r = rd_of(summary.p, summary.len);
	bool known = rd8(&r) == FORMAT && rd8(&r) == 0 && rd16(&r) == 0;
	uint32_t len = rd32(&r);

	if (!known || r.bad || len > rd_left(&r))
		return false;
	s->envelope = (struct str){ summary.p + HEAD_LEN, len };
	s->body = (struct str){ summary.p + HEAD_LEN + len, rd_left(&r) - len };
	return true;
}
