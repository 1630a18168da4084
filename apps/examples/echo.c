/* An echo server on our own stack: echo tap:pb0 192.0.2.2/24 192.0.2.1/24
 * and then, on the host: nc 192.0.2.2 7 */
#include <err.h>
#include <errno.h>
#include <stdint.h>

#include "stack/api/ready.h"
#include "stack/api/sock.h"
#include "stack/api/stack.h"

/* Sends back what there is while there is room; PB_READY_EDGE tells of more of either. */
static void echo(int s, uint32_t events)
{
	int over = events & (PB_READY_HUP | PB_READY_ERR);
	char bytes[4096];
	ssize_t n;

	while (!over && pb_writable(s) >= (ssize_t)sizeof(bytes)) {
		n = pb_recv(s, bytes, sizeof(bytes), 0);
		if (n < 0 && errno == EAGAIN)
			return;
		over = n <= 0 || pb_send(s, bytes, (size_t)n, 0) != n;
	}
	if (over)
		pb_close(s);
}

int main(int argc, char **argv)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(7) };
	struct pb_stack_conf conf;
	struct pb_event ev[64];
	struct pb_stack *stack;
	char error[PB_ERROR_LEN];
	struct pb_ready *set;
	uint32_t wanted = PB_READY_IN | PB_READY_OUT | PB_READY_EDGE;
	int listener;

	if (argc != 4)
		errx(2, "usage: echo PORT ADDRESS/BITS HOST_ADDRESS/BITS");
	pb_stack_conf_init(&conf);
	conf.port = argv[1];
	conf.addr = argv[2];
	conf.host_addr = argv[3];
	if (pb_stack_open(&conf, &stack, error))
		errx(1, "%s", error);
	pb_core_use(pb_stack_core(stack, 0));
	set = pb_ready_new();
	listener = pb_socket(AF_INET, SOCK_STREAM, 0);
	if (pb_bind(listener, (struct sockaddr *)&any, sizeof(any)) ||
	    pb_listen(listener, 128) ||
	    pb_ready_add(set, listener, PB_READY_IN, (void *)(intptr_t)listener))
		err(1, "listen");
	for (;;) {
		uint64_t due = pb_turn(pb_clock());
		int s, n = pb_ready_wait(set, ev, 64);

		for (int i = 0; i < n; i++) {
			if ((intptr_t)ev[i].user != listener)
				echo((int)(intptr_t)ev[i].user, ev[i].events);
			else if ((s = pb_accept(listener, NULL, NULL)) >= 0)
				pb_ready_add(set, s, wanted, (void *)(intptr_t)s);
		}
		if (n == 0)
			pb_wait(due);
	}
}
