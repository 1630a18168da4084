/*
 * Parameters of Content-Type and Content-Disposition (RFC 2045 5.1), with values in
 * other character sets and in several pieces (RFC 2231):
 *
 *	; charset=utf-8; filename*0*=utf-8'en'na%C3%AF; filename*1="ve.txt"
 *
 * Parsing never fails; what is odd is noted.  Of two parameters with one name the first
 * counts, and of "name" and "name*" the second, which says more (RFC 2231 asks neither).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "apps/lib/str.h"
#include "stack/base/byte.h"

enum {
	PARAM_MAX = 32,		/* parameters of a field */
	PARAM_PIECES_MAX = 64,	/* as they are written: pieces of them */
	PARAM_VALUE_MAX = 2048, /* bytes of a value in pieces */
};

enum param_odd {
	PARAM_ODD_SYNTAX = 1 << 0, /* something was passed over, or quotes are missing */
	PARAM_ODD_TWICE = 1 << 1,  /* a name came again */
	PARAM_ODD_GAP = 1 << 2,	   /* of a value in pieces one is missing */
	PARAM_ODD_CHARSET =
		1 << 3,		 /* its character set is not known, or not what it is */
	PARAM_ODD_MANY = 1 << 4, /* more than the limits above, or than @text holds */
};

struct param {
	struct str name;  /* without the asterisks of RFC 2231 */
	struct str value; /* UTF-8 if is_extended, else the bytes that were written */
	struct str charset, lang; /* as they were written; empty without is_extended */
	bool is_extended;
};

struct param_list {
	unsigned n;
	uint32_t odd; /* bits of enum param_odd */
	struct param param[PARAM_MAX];
};

/* Reads all of @in: *(";" parameter).  Slices point into @in and into @text. */
void param_parse(struct str in, struct wr *text, struct param_list *list);
/* The value; an empty one of p NULL when there is none. */
struct str param_find(const struct param *params, unsigned n, struct str name);

/*
 * Writes ";" and the parameter on a line of its own, "\r\n\t" before it: as a token or
 * quoted where that can say it, else by RFC 2231.  The value is UTF-8, any length.
 */
void param_emit(struct wr *out, struct str name, struct str value);
/*
 * The value of a "name*" in one piece, for who shows parameters without decoding them:
 * utf-8'lang'na%C3%AFve.txt
 */
void param_emit_extended(struct wr *out, struct str value, struct str lang);
