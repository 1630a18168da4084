/*
 * The host's own network devices, through rtnetlink.  The only file with libnl.
 *
 * A TAP has two sides: ours, where the stack has its address, and the host's, a device
 * of the kernel with an address of its own.  The core calls host_nl_set() with
 * port.host_dev after port_open(); programs and tests may look at other devices.
 * Every call opens a netlink socket of its own and waits for the kernel's answer, in
 * the network namespace of the calling thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/addr.h"

struct host_link {
	int index;
	struct mac mac;
	uint32_t mtu;
	bool up;
};

/* 0; -ENODEV: no such device; or another -errno. */
int host_nl_find(const char *dev, struct host_link *link);

/* An address of another device, in a subnet that was asked about. */
struct host_clash {
	char dev[16];
	struct addr addr;
	unsigned bits;
};

/*
 * Looks whether @addr/@bits (ADDR_NONE: nothing to look for) could be given to @dev
 * without taking packets away from another device: a subnet is behind one device.
 * 0; -EADDRINUSE and who has an address there; or another -errno.
 */
int host_nl_clash(const char *dev, const struct addr *addr, unsigned bits,
		  struct host_clash *clash);

/*
 * Makes device @dev ready: no queue before it, MTU (0: left alone), up, then address @addr/@bits
 * (ADDR_NONE: none; one that is there already is fine).  0; -ENODEV; -EPERM: needs
 * CAP_NET_ADMIN; -EINVAL: an MTU or address the device cannot have; or another -errno.
 */
int host_nl_set(const char *dev, uint16_t mtu, const struct addr *addr, unsigned bits);
