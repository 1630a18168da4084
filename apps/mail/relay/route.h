/*
 * Static routes: where mail for a domain goes, whatever the name servers say.
 *
 *	example.net via 10.0.0.2
 *	.example.net via mail.example.com:2525	all names below it
 *	* via 10.0.0.3				everything else
 *	example.org waits			until its host calls for it
 *
 * The longest match counts.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "apps/lib/str.h"

struct route {
	struct str domain; /* as above */
	const char *via;   /* "ADDRESS[:PORT]" or "NAME[:PORT]"; NULL: it waits */
};

/* Slices point into @text.  False: that is none. */
bool route_parse(const char *text, struct route *route);
/* Is @domain what a route of that pattern, as above, is for? */
bool route_matches(struct str pattern, struct str domain);
/* The route for @domain; NULL: by its MX. */
const struct route *route_find(const struct route *routes, size_t n, struct str domain);
