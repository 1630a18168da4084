#include "apps/pbsim/keys.h"

#include <stdio.h>
#include <string.h>

#include "apps/pbsim/aqm.h"
#include "apps/pbsim/value.h"

static bool put_queue(const char *text, void *to)
{
	for (unsigned i = 0; aqm_kind_name((enum aqm_kind)i); i++)
		if (strcmp(aqm_kind_name((enum aqm_kind)i), text) == 0) {
			*(enum aqm_kind *)to = (enum aqm_kind)i;
			return true;
		}
	return false;
}

static bool put32(const char *text, bool (*read)(const char *, uint64_t *), void *to)
{
	uint64_t n;

	if (!read(text, &n) || n > UINT32_MAX)
		return false;
	*(uint32_t *)to = (uint32_t)n;
	return true;
}

static bool put_mtu(const char *text, void *to)
{
	uint64_t n;

	if (!value_count(text, &n) || n < 68 || n > UINT16_MAX)
		return false;
	*(uint16_t *)to = (uint16_t)n;
	return true;
}

/* False: @text is no such value. */
static bool put(struct scene *sc, const struct key *key, const char *text, char *base)
{
	void *to = base + key->at;

	switch (key->kind) {
	case KEY_TIME: return value_time(text, to);
	case KEY_RATE: return value_rate(text, to);
	case KEY_SIZE: return value_size(text, to);
	case KEY_COUNT: return value_count(text, to);
	case KEY_SIZE32: return put32(text, value_size, to);
	case KEY_COUNT32: return put32(text, value_count, to);
	case KEY_MTU: return put_mtu(text, to);
	case KEY_CHANCE: return value_chance(text, to);
	case KEY_TEXT: return (*(const char **)to = scene_keep(sc, text)) != NULL;
	case KEY_QUEUE: return put_queue(text, to);
	case KEY_LIMIT:
		return value_size(text, to) ||
		       value_time(text, (void *)(base + key->other));
	case KEY_FLAG: break;
	}
	return false;
}

static const char *kind_text(enum key_kind kind)
{
	switch (kind) {
	case KEY_TIME: return "a time, as 10ms";
	case KEY_RATE: return "a rate, as 100mbit";
	case KEY_SIZE:
	case KEY_SIZE32: return "a size in bytes, as 100k";
	case KEY_COUNT:
	case KEY_COUNT32: return "a number";
	case KEY_MTU: return "an MTU of 68 to 65535";
	case KEY_CHANCE: return "a probability, as 0.1%";
	case KEY_QUEUE: return "a queue: tail, red, codel or fq_codel";
	case KEY_LIMIT: return "a size, as 100k, or a time, as 20ms";
	case KEY_TEXT:
	case KEY_FLAG: break;
	}
	return "a word";
}

static int unknown(const struct keys *k, const struct key *keys, const char *word)
{
	char list[256] = "";
	size_t n = 0;

	for (; keys->name && n < sizeof(list) - 32; keys++)
		n += (size_t)snprintf(list + n, sizeof(list) - n, " %.20s", keys->name);
	return scene_fail(k->sc, k->stmt->line, "\"%.40s\" is none of:%s", word, list);
}

static int read_one(struct keys *k, const struct key *key, char *to)
{
	char value[SCENE_WORD_MAX];
	int err;

	if (key->kind == KEY_FLAG) {
		*(bool *)(to + key->at) = true;
		return 0;
	}
	if (k->word == k->stmt->n_words)
		return scene_fail(k->sc, k->stmt->line, "behind %s is missing %s",
				  key->name, kind_text(key->kind));
	err = scene_word(k->sc, k->vars, k->stmt, k->word++, value);
	if (err)
		return err;
	if (!put(k->sc, key, value, to))
		return scene_fail(k->sc, k->stmt->line, "%s: \"%.60s\" is not %s",
				  key->name, value, kind_text(key->kind));
	return 0;
}

int keys_read(struct keys *k, const struct key *keys, void *to)
{
	uint64_t seen = 0;

	while (k->word < k->stmt->n_words) {
		char word[SCENE_WORD_MAX];
		const struct key *key = keys;
		int err = scene_word(k->sc, k->vars, k->stmt, k->word, word);

		if (err)
			return err;
		k->word++;
		if (k->stop && strcmp(word, k->stop) == 0)
			return 0;
		while (key->name && strcmp(key->name, word) != 0)
			key++;
		if (!key->name)
			return unknown(k, keys, word);
		if (seen & 1ull << (key - keys))
			return scene_fail(k->sc, k->stmt->line, "%s twice", word);
		seen |= 1ull << (key - keys);
		err = read_one(k, key, to);
		if (err)
			return err;
	}
	return 0;
}
