/*
 * Checksums that a frame lacks since nobody will look at them, made for those who do:
 * a capture shall show no wrong sums.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct pkt;

/*
 * Completes the TCP or UDP checksum in @head, a copy of the first @head_len bytes of
 * frame @p.  What has none stays as it is: another protocol, a fragment, a frame that
 * is shorter or longer than its packet, UDP without a sum.  Reads bytes from outside.
 * @has_link: frames begin with an Ethernet header, not with IP.
 */
void sum_whole(const struct pkt *p, bool has_link, uint8_t *head, uint32_t head_len);
