/*
 * A scenario: it is taken, and then becomes a network, or there is a sentence that names
 * the file.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "apps/pbsim/scene.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	int fd = memfd_create("scene", MFD_CLOEXEC);
	struct scene *sc = scene_new();
	static struct scene_run run;
	char path[32];
	int r;

	if (fd < 0 || !sc || write(fd, bytes, len) != (ssize_t)len)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	r = scene_load(sc, path);
	if (r == 0) {
		scene_first(sc);
		r = scene_build(sc, &run);
		scene_run_end(&run);
	}
	if (r < 0 && strncmp(sc->error, path, strlen(path)) != 0)
		abort();
	scene_free(sc);
	close(fd);
	return 0;
}
