#include "apps/lib/places.h"

const char place_conf[] = SYSCONFDIR "/packetboat/packetboatd.conf";
const char place_users[] = SYSCONFDIR "/packetboat/users";
const char place_cert[] = SYSCONFDIR "/packetboat/cert.pem";
const char place_key[] = SYSCONFDIR "/packetboat/key.pem";
const char place_aliases[] = SYSCONFDIR "/packetboat/aliases";
const char place_store[] = LOCALSTATEDIR "/lib/packetboat";
const char place_control[] = "/run/packetboat/control";
const char place_local_smtp[] = "/run/packetboat/smtp";
const char place_local_imap[] = "/run/packetboat/imap";
const char place_pid[] = "/run/packetboat/pid";
