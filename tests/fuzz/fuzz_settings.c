/*
 * The configuration file: it is taken, and then fits together, or there is a sentence.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "apps/packetboatd/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	int fd = memfd_create("settings", MFD_CLOEXEC);
	struct settings_conf s;
	char path[32];
	int r;

	if (fd < 0 || settings_init(&s) < 0 || write(fd, bytes, len) != (ssize_t)len)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	r = settings_load(&s, path);
	if (r == 0)
		r = settings_check(&s);
	if (r < 0 && strncmp(s.conf.error, path, strlen(path)) != 0)
		abort();
	if (r == 0 && (!s.values.net || !s.values.smtp_listen.n ||
		       s.values.smtp.message_max > s.values.smtp.memory_max))
		abort();
	settings_fini(&s);
	close(fd);
	return 0;
}
