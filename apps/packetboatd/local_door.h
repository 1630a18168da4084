/*
 * The door for users of this host: local sockets on which they send and read their mail,
 * without network and password.  The kernel says who is there; who has a system account
 * with the name of a user of ours is that user.
 */
#pragma once

struct appliance;

/* As the service user, when all services are ready.  0; or -errno and a sentence. */
int local_door_open(struct appliance *a, char *error);
/* The sockets go from the file system, too. */
void local_door_close(struct appliance *a);
