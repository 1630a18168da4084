/*
 * Where things are in an installed system; the build is configured for it.
 */
#pragma once

extern const char place_conf[];	      /* configuration of packetboatd */
extern const char place_users[];      /* file of users */
extern const char place_aliases[];    /* file of aliases */
extern const char place_cert[];	      /* our certificate for TLS, */
extern const char place_key[];	      /* and its key */
extern const char place_store[];      /* folder of the mail */
extern const char place_control[];    /* socket for packetboat(1) */
extern const char place_local_smtp[]; /* sockets for users of this host */
extern const char place_local_imap[];
extern const char place_pid[];
