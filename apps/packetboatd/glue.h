/*
 * What smtpd, pop3d, imapd and queue ask of users, store and each other: the functions of
 * their struct ops, with the appliance as argument.
 */
#pragma once

#include "apps/mail/imapd/imapd.h"
#include "apps/mail/pop3d/pop3d.h"
#include "apps/mail/queue/queue.h"
#include "apps/mail/smtpd/smtpd.h"

extern const struct smtpd_ops glue_smtpd_ops;
extern const struct sasl_ops glue_sasl_ops;
extern const struct pop3d_ops glue_pop3d_ops;
extern const struct imapd_ops glue_imapd_ops;
extern const struct queue_ops glue_queue_ops;
