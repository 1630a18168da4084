/* A certificate for trying: an EC key that signs for itself. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <unistd.h>

#include "apps/lib/tls.h"

enum { SERIAL_LEN = 16, ALT_NAME_LEN = 300, DAY_S = 86400 };

static bool add_extension(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *ext;
	X509V3_CTX ctx;
	bool ok;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	ok = ext && X509_add_ext(cert, ext, -1) == 1;
	X509_EXTENSION_free(ext);
	return ok;
}

static bool set_serial(X509 *cert)
{
	unsigned char bytes[SERIAL_LEN];
	BIGNUM *n;
	bool ok;

	if (RAND_bytes(bytes, sizeof(bytes)) != 1)
		return false;
	bytes[0] &= 0x7f; /* RFC 5280 4.1.2.2: positive */
	n = BN_bin2bn(bytes, sizeof(bytes), NULL);
	ok = n && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(cert));
	BN_free(n);
	return ok;
}

static bool fill(X509 *cert, EVP_PKEY *key, const char *host, unsigned days)
{
	X509_NAME *name = X509_get_subject_name(cert);
	char alt[ALT_NAME_LEN];
	/* RFC 5280 A.1, ub-common-name: a longer one is in the other name alone. */
	int cn_len = strlen(host) > 64 ? 64 : (int)strlen(host);

	snprintf(alt, sizeof(alt), "DNS:%s", host);
	return X509_set_version(cert, X509_VERSION_3) == 1 && set_serial(cert) &&
	       X509_gmtime_adj(X509_getm_notBefore(cert), -DAY_S) &&
	       X509_gmtime_adj(X509_getm_notAfter(cert), (long)days * DAY_S) &&
	       X509_set_pubkey(cert, key) == 1 &&
	       X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
					  (const unsigned char *)host, cn_len, -1,
					  0) == 1 &&
	       X509_set_issuer_name(cert, name) == 1 &&
	       add_extension(cert, NID_subject_alt_name, alt) &&
	       add_extension(cert, NID_basic_constraints, "critical,CA:TRUE") &&
	       X509_sign(cert, key, EVP_sha256()) > 0;
}

/* 0, or -errno; what could not be written whole is taken away. */
static int write_pem(const char *path, mode_t mode, X509 *cert, EVP_PKEY *key)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
	bool ok;
	int err;

	if (!f) {
		err = errno;
		if (fd >= 0) {
			close(fd);
			unlink(path);
		}
		return -err;
	}
	errno = 0;
	ok = cert ? PEM_write_X509(f, cert) == 1 :
		    PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) == 1;
	err = errno ? errno : EIO;
	if (fclose(f) != 0 && ok) {
		err = errno;
		ok = false;
	}
	if (!ok)
		unlink(path);
	return ok ? 0 : -err;
}

int tls_self_signed(const char *host, unsigned days, const char *cert_path,
		    const char *key_path, char error[static TLS_ERROR_LEN])
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	const char *what = key_path;
	int r = -EINVAL;

	if (!key || !cert || !fill(cert, key, host, days)) {
		snprintf(error, TLS_ERROR_LEN, "no certificate for \"%.100s\"", host);
		goto out;
	}
	r = write_pem(key_path, 0600, NULL, key);
	if (r == 0) {
		what = cert_path;
		r = write_pem(cert_path, 0644, cert, NULL);
		if (r < 0)
			unlink(key_path);
	}
	if (r < 0)
		snprintf(error, TLS_ERROR_LEN, "%.150s: %s", what, strerror(-r));
out:
	ERR_clear_error();
	X509_free(cert);
	EVP_PKEY_free(key);
	return r;
}
