/*
 * What the files of changes share: each has the operations of one kind.
 *
 * The functions that do an operation return as change_apply() does, the others 0 or
 * -errno as engine.h has them.
 */
#pragma once

#include "apps/mail/store/change.h"
#include "apps/mail/store/store.h"

/* change.c */
/* Saves a mailbox that changed; its watchers will be told. */
int change_save(struct change *c, uint32_t box, const struct store_box_info *info);
/* A mailbox of its own under @name, which leads to none yet; counts are zero. */
int change_new_box(struct change *c, struct str user, struct str name, uint32_t *box,
		   struct store_box_info *info);
/* The mailbox @box or, when that is 0, the one of that name. */
int change_find(struct change *c, uint32_t *box, struct str user, struct str name,
		struct store_box_info *info);
/* The same, and INBOX is made when it is not there. */
int change_find_or_inbox(struct change *c, struct str user, struct str name,
			 uint32_t *box, struct store_box_info *info);
/* Gives e->msg the next UID of the mailbox, enters it, and counts it; e->msg.box and
 * .modseq are the caller's. */
int change_add(struct change *c, struct record_entry *e, struct store_box_info *info);
/* Teaches a mailbox a keyword; 0: it has too many. */
uint32_t change_learn(struct store_keywords *k, struct str name);

/* change_flags.c */
int change_flags(struct change *c, struct store_op *op);
int change_claim(struct change *c, struct store_op *op);
int change_summarize(struct change *c, struct store_op *op);

/* change_expunge.c */
int change_expunge(struct change *c, struct store_op *op);

/* Messages that vanish from a mailbox: by rising UID, then the end. */
struct vanish {
	struct change *change;
	uint32_t box;
	struct store_box_info *info; /* counted down; saved by the caller */
	struct record_vanished run;  /* not written yet; first 0: none */
};
/* @moved: another entry names the message in place of this one. */
int change_vanish(struct vanish *v, const struct record_entry *e, bool moved);
int change_vanish_end(struct vanish *v);

/* change_copy.c */
int change_copy(struct change *c, struct store_op *op);
/* Moves all messages of @from to @to. */
int change_move_all(struct change *c, uint32_t from, uint32_t to);

/* change_name.c */
int change_create(struct change *c, struct store_op *op);
int change_delete(struct change *c, struct store_op *op);
int change_rename(struct change *c, struct store_op *op);
int change_subscribe(struct change *c, struct store_op *op);
