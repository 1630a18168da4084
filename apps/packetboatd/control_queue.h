/*
 * The commands about the queue, of control.c's table.  Items are named by a number in
 * hexadecimal, as the list and the log give it.
 */
#pragma once

struct ctl_reply;

enum { CONTROL_QUEUE_ROWS_MAX = 10000 }; /* of a list */

extern const char *const control_queue_columns[];
extern const char *const control_item_columns[];

void control_queue_list(void *appliance, struct ctl_reply *to);
void control_queue_show(void *appliance, struct ctl_reply *to);
void control_queue_retry(void *appliance, struct ctl_reply *to);
void control_queue_hold(void *appliance, struct ctl_reply *to);
void control_queue_remove(void *appliance, struct ctl_reply *to);
