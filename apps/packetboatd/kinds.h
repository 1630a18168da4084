/*
 * The files that a running server reads anew: their kinds of filedb.h.
 */
#pragma once

#include "apps/packetboatd/filedb.h"

extern const struct filedb_kind kind_users;   /* its value: struct users */
extern const struct filedb_kind kind_aliases; /* struct aliases */
