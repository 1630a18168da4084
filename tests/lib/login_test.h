/*
 * What services under test need for TLS and logins: a certificate of their own, and
 * users alice and bob, whose passwords are "secret " and their name ("secret alice").
 */
#pragma once

#include <stdbool.h>

struct sasl;
struct tls;
struct verify_job;

/* A server's, to tls_put(); its files are gone again. */
struct tls *login_test_tls(void);
/* Of these users, to sasl_free(); all logins are counted, none is late. */
struct sasl *login_test_sasl(void);
/* Puts the verdict into @job. */
void login_test_verify(struct verify_job *job);
