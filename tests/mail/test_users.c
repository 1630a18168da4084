#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "apps/mail/auth/users.h"
#include "stack/base/check.h"
#include "tests/lib/case.h"

/* Of "secret", with a cheap method, so that tests are quick. */
#define HASH                                                      \
	"$6$abcdefgh$ltjgWl6579NluT/Vi1nwEvcil.G5Nbc4NiXZaNGStk8" \
	"PSwGfQv72N2CKPPrVACtLtip/cZ/1GM/O6IND4WQhG."

static char error[USERS_ERROR_LEN];

static struct users *parse(const char *text)
{
	struct users *users = NULL;
	int r = users_parse("users", str_of(text), &users, error);

	cr_assert_eq(r, 0, "%s", error);
	return users;
}

static char *emit(const struct users *users)
{
	char *text;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	cr_assert_eq(users_emit(users, to), 0);
	fclose(to);
	return text;
}

static const char sample[] = "# the crew\n"
			     "\n"
			     "alice:" HASH ":alice@example.org,Postmaster@example.org\n"
			     "# no password yet\n"
			     "bob.2:!:bob@[192.0.2.1],b=o+b@example.net\n"
			     "# the end\n";

Test(users, names_and_addresses_find_their_user)
{
	struct users *users = parse(sample);
	const struct user *alice = users_by_name(users, STR("alice"));

	cr_assert_eq(users_count(users), 2);
	cr_assert_eq(alice, users_at(users, 0));
	cr_assert_str_eq(alice->hash, HASH);
	cr_assert_eq(alice->n_addrs, 2);
	cr_assert_null(users_by_name(users, STR("Alice")), "names have case");
	cr_assert_null(users_by_name(users, STR("")));
	cr_assert_eq(users_by_addr(users, STR("ALICE@Example.ORG")), alice);
	cr_assert_eq(users_by_addr(users, STR("postmaster@example.org")), alice);
	cr_assert_eq(users_by_addr(users, STR("bob@[192.0.2.1]")), users_at(users, 1));
	cr_assert_null(users_by_addr(users, STR("carol@example.org")));
	cr_assert_null(users_by_addr(users, STR("alice")));
	cr_assert(users_has_domain(users, STR("EXAMPLE.net")));
	cr_assert(!users_has_domain(users, STR("example.com")));
	users_free(users);
}

Test(users, file_comes_back_with_its_comments)
{
	struct users *users = parse(sample);
	char *text = emit(users);

	cr_assert_str_eq(text, sample);
	free(text);
	users_free(users);
}

Test(users, keys_for_scram_come_back_and_go_with_their_password)
{
	static const char line[] = "a:" HASH ":a@b:SCRAM-SHA-256$4096$c2FsdA==$"
				   "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=$"
				   "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA=\n";
	struct users *users = parse(line);
	char *text = emit(users);

	cr_assert_str_eq(text, line);
	free(text);
	cr_assert_eq(users_set_hash(users, STR("a"), "!", "bad"), -EINVAL);
	cr_assert_eq(users_set_hash(users, STR("a"), "!", NULL), 0);
	text = emit(users);
	cr_assert_str_eq(text, "a:!:a@b\n");
	free(text);
	users_free(users);
}

Test(users, no_users_is_a_file_too)
{
	struct users *users = parse("");
	char *text = emit(users);

	cr_assert_eq(users_count(users), 0);
	cr_assert_str_eq(text, "");
	cr_assert_null(users_by_addr(users, STR("a@b")));
	free(text);
	users_free(users);
}

#define NAME_ALLOWED \
	"cannot be; allowed: 1 to 64 letters, digits and ._-+@, a letter or digit first"
#define HASH_ALLOWED                                                               \
	"cannot be; allowed: what 'packetboat user' writes, a crypt(5) hash of a " \
	"method that is not out of date ($y$, $7$, $2b$, $6$), {PLAIN.b64} and a " \
	"password in base64, or ! for none"
#define KEYS_ALLOWED                                                               \
	"cannot be; allowed: what 'packetboat user' writes for SCRAM-SHA-256, or " \
	"nothing"
#define ADDR_ALLOWED                                                                  \
	"cannot be; allowed: local@domain as RFC 5321 4.1.2 has it, without quotes, " \
	"or local@[192.0.2.1]"
#define THREE_PARTS \
	"not three or four parts; allowed: name:hash:address[,address...][:scram]"

Test(users, wrong_files_are_refused_with_place_and_reason)
{
	static const struct {
		const char *text, *error;
	} wrong[] = {
		{ "alice\n", "users:1: " THREE_PARTS },
		{ "#\n\nalice:!\n", "users:3: " THREE_PARTS },
		{ "alice:!:a@b:c\n", "users:1: keys '...' " KEYS_ALLOWED },
		{ " \n", "users:1: " THREE_PARTS },
		{ ":!:a@b\n", "users:1: name '' " NAME_ALLOWED },
		{ "-a:!:a@b\n", "users:1: name '-a' " NAME_ALLOWED },
		{ "a b:!:a@b\n", "users:1: name 'a b' " NAME_ALLOWED },
		{ "a\x01\xff:!:a@b\n", "users:1: name 'a?\?' " NAME_ALLOWED },
		{ "a::a@b\n", "users:1: hash '...' " HASH_ALLOWED },
		{ "a:x:a@b\n", "users:1: hash '...' " HASH_ALLOWED },
		/* Secrets are not written into logs. */
		{ "a:secret pass:a@b\n", "users:1: hash '...' " HASH_ALLOWED },
		{ "a:$1$abc$BXBqpb9BZcZhXLgbee.0s/:a@b\n",
		  "users:1: hash '...' " HASH_ALLOWED },
		{ "a:!:a@b:\n", "users:1: keys '...' " KEYS_ALLOWED },
		{ "a:!:a@b:c:d\n", "users:1: " THREE_PARTS },
		{ "a:!:\n", "users:1: address '' " ADDR_ALLOWED },
		{ "a:!:b\n", "users:1: address 'b' " ADDR_ALLOWED },
		{ "a:!:a@b,\n", "users:1: address '' " ADDR_ALLOWED },
		{ "a:!:@b\n", "users:1: address '@b' " ADDR_ALLOWED },
		{ "a:!:a.@b\n", "users:1: address 'a.@b' " ADDR_ALLOWED },
		{ "a:!:.a@b\n", "users:1: address '.a@b' " ADDR_ALLOWED },
		{ "a:!:a..c@b\n", "users:1: address 'a..c@b' " ADDR_ALLOWED },
		{ "a:!:a@b@c\n", "users:1: address 'a@b@c' " ADDR_ALLOWED },
		{ "a:!:a@b.\n", "users:1: address 'a@b.' " ADDR_ALLOWED },
		{ "a:!:a@-b\n", "users:1: address 'a@-b' " ADDR_ALLOWED },
		{ "a:!:a@[192.0.2]\n", "users:1: address 'a@[192.0.2]' " ADDR_ALLOWED },
		{ "a:!:a@b\r\n", "users:1: address 'a@b?' " ADDR_ALLOWED },
		{ "a:!:a@b, c@d\n", "users:1: address ' c@d' " ADDR_ALLOWED },
		{ "a:!:a@b\na:!:c@d\n",
		  "users:2: name 'a' is there already; allowed: each name once" },
		{ "a:!:x@b\nb:!:X@B\n",
		  "users:2: address 'X@B' is a's already; allowed: each address once" },
		{ "a:!:x@b,X@b\n",
		  "users:1: address 'X@b' is a's already; allowed: each address once" },
	};

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct users *users = NULL;

		cr_assert_lt(users_parse("users", str_of(wrong[i].text), &users, error),
			     0, "case %zu", i);
		cr_assert_str_eq(error, wrong[i].error, "case %zu: %s", i, error);
		cr_assert_null(users);
	}
}

Test(users, nul_in_the_file_is_refused)
{
	struct users *users = NULL;

	cr_assert_eq(
		users_parse("users", (struct str){ "a:!:a@b\0\n", 9 }, &users, error),
		-EINVAL);
	cr_assert_str_eq(error, "users:0: a NUL byte in it; allowed: lines of text");
}

/* A line with @n addresses. */
static char *many_addrs(unsigned n)
{
	char *text;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	fputs("a:!:", to);
	for (unsigned i = 0; i < n; i++)
		fprintf(to, "%sa%u@b", i > 0 ? "," : "", i);
	fclose(to);
	return text;
}

Test(users, limits_of_a_line_are_what_they_say)
{
	char longest[USER_ADDR_MAX + 2], name[USER_NAME_MAX + 2];
	char *addrs[1] = { longest }, *text;
	struct user user = { .name = name, .hash = "!", .addrs = addrs, .n_addrs = 1 };
	struct users *users = users_new();

	memset(name, 'n', sizeof(name));
	memset(longest, 'x', sizeof(longest));
	for (size_t i = USER_LOCAL_MAX; i < sizeof(longest); i += 64)
		longest[i] = i == USER_LOCAL_MAX ? '@' : '.';
	name[USER_NAME_MAX] = longest[USER_ADDR_MAX] = '\0';
	cr_assert_eq(users_add(users, &user, error), 0, "%s", error);
	cr_assert_eq(users_by_addr(users, str_of(longest)), users_at(users, 0));
	name[USER_NAME_MAX] = 'n';
	name[USER_NAME_MAX + 1] = '\0';
	cr_assert_eq(users_add(users, &user, error), -EINVAL);
	name[1] = '\0';
	longest[USER_ADDR_MAX] = 'x';
	longest[USER_ADDR_MAX + 1] = '\0';
	cr_assert_eq(users_add(users, &user, error), -EINVAL);
	users_free(users);

	text = many_addrs(USER_ADDRS_MAX);
	users = parse(text);
	cr_assert_eq(users_at(users, 0)->n_addrs, USER_ADDRS_MAX);
	users_free(users);
	free(text);
	text = many_addrs(USER_ADDRS_MAX + 1);
	cr_assert_eq(users_parse("users", str_of(text), &users, error), -EINVAL);
	cr_assert_str_eq(error, "users:1: more than 64 addresses; allowed: 1 to 64");
	free(text);
}

Test(users, changes_keep_the_indexes_right)
{
	struct users *users = parse(sample);
	struct user carol = { .name = "carol",
			      .hash = "!",
			      .addrs = (char *[]){ "carol@example.com" },
			      .n_addrs = 1 };
	char *text;

	cr_assert_eq(users_add(users, &carol, error), 0);
	cr_assert_eq(users_add(users, &carol, error), -EEXIST);
	cr_assert_eq(users_remove(users, STR("alice")), 0);
	cr_assert_eq(users_remove(users, STR("alice")), -ENOENT);
	cr_assert_null(users_by_addr(users, STR("alice@example.org")));
	cr_assert(!users_has_domain(users, STR("example.org")));
	cr_assert_str_eq(users_by_addr(users, STR("carol@example.com"))->name, "carol");
	cr_assert_str_eq(users_by_addr(users, STR("b=o+b@example.net"))->name, "bob.2");
	cr_assert_eq(users_set_hash(users, STR("bob.2"), "bad", NULL), -EINVAL);
	cr_assert_eq(users_set_hash(users, STR("alice"), "!", NULL), -ENOENT);
	cr_assert_eq(users_set_hash(users, STR("bob.2"), HASH, NULL), 0);
	text = emit(users);
	cr_assert_str_eq(text, "# no password yet\n"
			       "bob.2:" HASH ":bob@[192.0.2.1],b=o+b@example.net\n"
			       "carol:!:carol@example.com\n"
			       "# the end\n");
	free(text);
	users_free(users);
}

Test(users, thousands_are_found_again)
{
	enum { N = 5000 };
	struct users *users = users_new();

	for (unsigned i = 0; i < N; i++) {
		char name[16], addr[32];
		char *addrs[1] = { addr };
		struct user user = {
			.name = name, .hash = "!", .addrs = addrs, .n_addrs = 1
		};

		sprintf(name, "u%u", i);
		sprintf(addr, "u%u@d%u.org", i, i % 100);
		cr_assert_eq(users_add(users, &user, error), 0);
	}
	for (unsigned i = 0; i < N; i++) {
		char addr[32];

		sprintf(addr, "U%u@D%u.org", i, i % 100);
		cr_assert_eq(users_by_addr(users, str_of(addr)), users_at(users, i));
	}
	cr_assert(users_has_domain(users, STR("d99.org")));
	cr_assert(!users_has_domain(users, STR("d100.org")));
	users_free(users);
}

static char dir[] = "/tmp/users.XXXXXX";

static void setup_dir(void)
{
	cr_assert_not_null(mkdtemp(dir));
	cr_assert_eq(chdir(dir), 0);
}

static void clean_dir(void)
{
	unlink("users");
	cr_assert_eq(rmdir(dir), 0, "something was left behind");
}

Cases(users_file, setup_dir, clean_dir);

Case(users_file, is_replaced_whole_and_private)
{
	struct users *users = parse(sample), *again;
	struct users_stamp before, after;
	struct stat st;

	cr_assert_eq(users_load("users", &again, error), -ENOENT);
	cr_assert_str_eq(error, "users: No such file or directory");
	cr_assert_eq(users_stamp("users", &before), -ENOENT);
	cr_assert_eq(users_save(users, "users"), 0);
	cr_assert_eq(stat("users", &st), 0);
	cr_assert_eq(st.st_mode & 07777, 0600);
	cr_assert_eq(users_stamp("users", &before), 0);
	cr_assert_eq(users_load("users", &again, error), 0, "%s", error);
	cr_assert_eq(users_count(again), 2);
	cr_assert_eq(users_remove(again, STR("alice")), 0);
	cr_assert_eq(users_save(again, "users"), 0);
	cr_assert_eq(users_stamp("users", &after), 0);
	cr_assert_neq(memcmp(&before, &after, sizeof(after)), 0);
	users_free(again);
	users_free(users);
}

Case(users_file, that_is_none_is_refused)
{
	struct users *users;

	cr_assert_eq(users_load("/dev/null", &users, error), -EINVAL);
	cr_assert_str_eq(error, "/dev/null: not a regular file");
	cr_assert_eq(users_load(".", &users, error), -EINVAL);
	cr_assert_eq(close(open("big", O_WRONLY | O_CREAT, 0600)), 0);
	cr_assert_eq(truncate("big", USERS_FILE_MAX + 1L), 0);
	cr_assert_eq(users_load("big", &users, error), -EFBIG);
	cr_assert_str_eq(error, "big: File too large");
	unlink("big");
	cr_assert_eq(users_save((users = users_new()), "/proc/none/users"), -ENOENT);
	users_free(users);
}

Test(users, password_is_verified_against_its_hash)
{
	char hash[USER_HASH_MAX], other[USER_HASH_MAX];

	cr_assert(users_verify(HASH, STR("secret")));
	cr_assert(!users_verify(HASH, STR("Secret")));
	cr_assert(!users_verify(HASH, STR("")));
	cr_assert(!users_verify(HASH, (struct str){ "secret\0", 7 }));
	cr_assert(!users_verify("!", STR("!")));
	cr_assert(!users_verify(NULL, STR("nobody's")));
	cr_assert_eq(users_hash(STR("swordfish"), hash), 0);
	cr_assert_eq(strncmp(hash, "$y$", 3), 0);
	cr_assert_eq(users_hash(STR("swordfish"), other), 0);
	cr_assert_str_neq(hash, other, "salted");
	cr_assert(users_verify(hash, STR("swordfish")));
	cr_assert(!users_verify(hash, STR("swordfish ")));
}

Test(users, password_that_is_kept_itself_is_verified_and_found_again)
{
	static const char *const wrong[] = {
		"{PLAIN.b64}", "{PLAIN.b64}!", "{PLAIN.b64}AA==", "{PLAIN}secret", "!",
		HASH
	};
	char hash[USER_HASH_MAX], kept[USERS_CLEAR_MAX + 1], text[USERS_CLEAR_MAX + 1];

	cr_assert_eq(users_clear(STR("se:cret"), hash), 0);
	cr_assert_str_eq(hash, "{PLAIN.b64}c2U6Y3JldA==");
	cr_assert(users_clear_parse(hash, kept));
	cr_assert_str_eq(kept, "se:cret");
	cr_assert(users_verify(hash, STR("se:cret")));
	cr_assert(!users_verify(hash, STR("se:creT")));
	cr_assert(!users_verify(hash, STR("se:cre")));
	cr_assert(!users_verify(hash, STR("nobody's")));
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		cr_assert(!users_clear_parse(wrong[i], kept), "%s", wrong[i]);
	memset(text, 'x', sizeof(text));
	cr_assert_eq(users_clear((struct str){ text, USERS_CLEAR_MAX }, hash), 0);
	cr_assert(users_clear_parse(hash, kept));
	cr_assert_eq(users_clear((struct str){ text, USERS_CLEAR_MAX + 1 }, hash),
		     -EINVAL);
	cr_assert_eq(users_clear(STR(""), hash), -EINVAL);
	cr_assert_eq(users_clear((struct str){ "a\0b", 3 }, hash), -EINVAL);
	/* RFC 4013: the mechanism would make another of it, or nothing. */
	cr_assert_eq(users_clear(STR("caf\xc3\xa9"), hash), 0);
	cr_assert_eq(users_clear(STR("caf\xe9"), hash), -EINVAL);
	cr_assert_eq(users_clear(STR("x\xc2\xaa"), hash), -EINVAL);
	cr_assert(!users_clear_parse("{PLAIN.b64}Y2Fm6Q==", kept));
}

Test(users, password_that_crypt_cannot_take_is_refused)
{
	char hash[USER_HASH_MAX], text[USERS_PASSWORD_MAX + 1];

	memset(text, 'x', sizeof(text));
	cr_assert_eq(users_hash(STR(""), hash), -EINVAL);
	cr_assert_eq(users_hash((struct str){ "a\0b", 3 }, hash), -EINVAL);
	cr_assert_eq(users_hash((struct str){ text, sizeof(text) }, hash), -EINVAL);
	cr_assert_eq(users_hash((struct str){ text, USERS_PASSWORD_MAX }, hash), 0);
	cr_assert(users_verify(hash, (struct str){ text, USERS_PASSWORD_MAX }));
}
