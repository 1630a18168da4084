#include "eth/pcapng_wire.h"

enum { SECTION = 0x0a0d0d0a, INTERFACE = 1, PACKET = 6 };
enum { BYTE_ORDER_MAGIC = 0x1a2b3c4d };
enum { OPTION_END = 0, IF_NAME = 2, IF_TSRESOL = 9, EPB_FLAGS = 2 };
enum { SECTION_LEN = 28, NANOSECONDS = 9 };

static uint32_t padding(uint32_t len)
{
	return -len & 3;
}

static void emit_padded(struct wr *w, const void *bytes, uint32_t len)
{
	static const uint8_t zeros[3];

	wr_copy(w, bytes, len);
	wr_copy(w, zeros, padding(len));
}

static void emit_section(struct wr *w)
{
	wr32(w, SECTION);
	wr32(w, SECTION_LEN);
	wr32(w, BYTE_ORDER_MAGIC);
	wr16(w, 1);
	wr16(w, 0);
	wr32(w, UINT32_MAX); /* a length of -1: not known */
	wr32(w, UINT32_MAX);
	wr32(w, SECTION_LEN);
}

void pcapng_emit_start(struct wr *w, enum pcapng_link link, const char *name)
{
	uint32_t name_len = (uint32_t)strlen(name);
	uint32_t len = 20 + 4 + name_len + padding(name_len) + 8 + 4;
	uint8_t resolution = NANOSECONDS;

	emit_section(w);
	wr32(w, INTERFACE);
	wr32(w, len);
	wr16(w, (uint16_t)link);
	wr16(w, 0);
	wr32(w, 0); /* no limit to a packet's length */
	wr16(w, IF_NAME);
	wr16(w, (uint16_t)name_len);
	emit_padded(w, name, name_len);
	wr16(w, IF_TSRESOL);
	wr16(w, sizeof(resolution));
	emit_padded(w, &resolution, sizeof(resolution));
	wr32(w, OPTION_END);
	wr32(w, len);
}

static uint32_t packet_len(uint32_t len)
{
	return PCAPNG_PACKET_HEAD_LEN + len + padding(len) + 16;
}

void pcapng_emit_head(struct wr *w, uint64_t time_ns, uint32_t len)
{
	wr32(w, PACKET);
	wr32(w, packet_len(len));
	wr32(w, 0); /* the first interface */
	wr32(w, (uint32_t)(time_ns >> 32));
	wr32(w, (uint32_t)time_ns);
	wr32(w, len);
	wr32(w, len);
}

void pcapng_emit_tail(struct wr *w, enum pcapng_dir dir, uint32_t len)
{
	static const uint8_t zeros[3];

	wr_copy(w, zeros, padding(len));
	wr16(w, EPB_FLAGS);
	wr16(w, 4);
	wr32(w, (uint32_t)dir);
	wr32(w, OPTION_END);
	wr32(w, packet_len(len));
}
