#include <criterion/criterion.h>
#include <errno.h>

#include "tests/lib/tcp_dialog.h"

static struct dialog d;

static void setup(void)
{
	dialog_begin(&d, NULL);
}

static void clean(void)
{
	dialog_end(&d);
}

TestSuite(tcp_open, .init = setup, .fini = clean);

Test(tcp_open, moves_bytes_both_ways_and_closes)
{
	dialog_accept(&d, "mss 1460,nop,nop,sackOK,nop,wscale 7", 65535);
	inject(&d, "P. 1:11(10) ack 1");
	expect(&d, ". 1:1(0) ack 11");
	dialog_read(&d, 10);
	dialog_write(&d, 100);
	expect(&d, "P. 1:101(100) ack 11");
	inject(&d, ". 11:11(0) ack 101");
	dialog_close(&d);
	expect(&d, "F. 101:101(0) ack 11");
	inject(&d, ". 11:11(0) ack 102");
	inject(&d, "F. 11:11(0) ack 102");
	expect(&d, ". 102:102(0) ack 12");
	nothing(&d);
}
