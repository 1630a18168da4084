/*
 * What smtpd and pop3d ask of users and store: the functions of their struct ops, with
 * the appliance as argument.
 */
#pragma once

#include "apps/mail/pop3d/pop3d.h"
#include "apps/mail/smtpd/smtpd.h"

extern const struct smtpd_ops glue_smtpd_ops;
extern const struct pop3d_ops glue_pop3d_ops;
