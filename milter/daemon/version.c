#include <config.h>

#include <archive.h>
#include <cjson/cJSON.h>
#include <idn2.h>
#include <libmilter/mfapi.h>
#include <libpsl.h>
#include <magic.h>
#include <openssl/crypto.h>
#include <pcre2.h>
#include <seccomp.h>
#include <stdio.h>
#include <sys/types.h>
#include <unbound.h>
#include <unistring/version.h>
#include <yara/libyara.h>

#include <opendkim/dkim.h>

#include "daemon/version.h"
#include "language/multi_search.h"

static void
print_milter(void)
{
	unsigned major, minor, patch;

	smfi_version(&major, &minor, &patch);
	printf("libmilter    %u.%u.%u\n", major, minor, patch);
}

static void
print_opendkim(void)
{
	uint32_t version = dkim_libversion();

	printf("libopendkim  %u.%u.%u\n", version >> 24, (version >> 16) & 0xff,
	    (version >> 8) & 0xff);
}

static void
print_numbered(void)
{
	const struct scmp_version *seccomp = seccomp_version();
	char pcre2[64] = "";

	pcre2_config(PCRE2_CONFIG_VERSION, pcre2);
	printf("libpcre2     %s\n", pcre2);
	printf("vectorscan   %s\n", multi_search_library() == NULL
					? "not built in"
					: multi_search_library());
	printf("libmagic     %d.%02d\n", magic_version() / 100,
	    magic_version() % 100);
	printf("libunistring %d.%d.%d\n", _libunistring_version >> 16,
	    (_libunistring_version >> 8) & 0xff, _libunistring_version & 0xff);
	if (seccomp != NULL)
		printf("libseccomp   %u.%u.%u\n", seccomp->major,
		    seccomp->minor, seccomp->micro);
}

void
version_print(void)
{
	printf("tocsind %s\n", PACKAGE_VERSION);
	print_milter();
	print_opendkim();
	printf("libunbound   %s\n", ub_version());
	printf("libcrypto    %s\n", OpenSSL_version(OPENSSL_VERSION));
	print_numbered();
	printf("libidn2      %s\n", idn2_check_version(NULL));
	printf("libpsl       %s\n", psl_get_version());
	printf("libcjson     %s\n", cJSON_Version());
	printf("libarchive   %s\n", archive_version_details());
	printf("libyara      %s\n", YR_VERSION);
}
