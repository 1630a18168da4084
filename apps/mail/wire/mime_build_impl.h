/*
 * What the files of the builder share: mime_build.c has the parts, mime_build_field.c the
 * fields.
 */
#pragma once

#include "apps/mail/wire/mime_build.h"
#include "stack/base/byte.h"

/* The first error stays. */
void mime_build_fail(struct mime_build *b, int err);
/* Room for @n octets behind what is there; none after an error. */
struct wr mime_build_room(struct mime_build *b, size_t n);
/* What was written there counts. */
void mime_build_wrote(struct mime_build *b, const struct wr *w);
void mime_build_put(struct mime_build *b, struct str s);

/* As mime_build_field() and mime_build_raw(), wherever we are; what a raw value may not
 * have becomes "?". */
void mime_build_write_field(struct mime_build *b, struct str name, struct str text);
void mime_build_write_raw(struct mime_build *b, struct str name, struct str value);
