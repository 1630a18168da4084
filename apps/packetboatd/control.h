/*
 * What a running packetboatd answers on its control socket; ctl.h has the protocol.
 * The argument of the commands is the struct appliance.
 */
#pragma once

#include <stddef.h>

#include "apps/lib/ctl.h"

extern const struct ctl_command control_commands[];
extern const size_t control_n_commands;
