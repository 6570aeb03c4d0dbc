#include <config.h>

#include <fcntl.h>
#include <iconv.h>
#include <locale.h>
#include <magic.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "scanner/jail.h"
#include "scanner/rules.h"
#include "scanner/wire.h"
#include "scanner/worker.h"
#include "scanner/zygote.h"

#define RULESETS_MAX 1000
#define ERRORS_MAX   65536

/* Closes every descriptor but those that are kept: what the parent had open
 * (its listening socket, its logs) is nobody's business here. */
static void
close_others(const int *kept, size_t count)
{
	unsigned from = 3;

	for (;;) {
		unsigned lowest = ~0u;

		for (size_t i = 0; i < count; i++)
			if ((unsigned)kept[i] >= from &&
			    (unsigned)kept[i] < lowest)
				lowest = (unsigned)kept[i];
		if (lowest == ~0u) {
			syscall(SYS_close_range, from, ~0u, 0u);
			return;
		}
		if (lowest > from)
			syscall(SYS_close_range, from, lowest - 1, 0u);
		from = lowest + 1;
	}
}

/* What a worker prints is nothing that the log should hold. */
static void
close_standard(void)
{
#ifndef WITH_SANITIZERS
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int i = 0; nothing >= 0 && i < 3; i++)
		dup2(nothing, i);
	if (nothing > 2)
		close(nothing);
#endif
}

static void
end_with_parent(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
}

/* libarchive opens converters when it meets names; a worker can't open files,
 * so glibc's modules for them are loaded here, and stay. */
static void
open_converters(void)
{
	static const char *const charsets[] = { "UTF-16LE", "UTF-16BE", "CP437",
		"CP850", "CP1252", "CP932", "ISO-8859-1", "UTF-8" };

	for (size_t i = 0; i < sizeof charsets / sizeof charsets[0]; i++) {
		iconv_t to = iconv_open("UTF-8", charsets[i]);
		iconv_t from = iconv_open(charsets[i], "UTF-8");

		(void)to;
		(void)from;
	}
}

/* The digest methods are fetched once here: a first fetch reads files. */
static void
load_digests(void)
{
	unsigned char out[EVP_MAX_MD_SIZE];

	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	EVP_Digest("", 0, out, NULL, EVP_md5(), NULL);
	EVP_Digest("", 0, out, NULL, EVP_sha1(), NULL);
	EVP_Digest("", 0, out, NULL, EVP_sha256(), NULL);
	EVP_Digest("", 0, out, NULL, EVP_sha512(), NULL);
}

static magic_t
load_magic(void)
{
	magic_t magic = magic_open(MAGIC_MIME_TYPE | MAGIC_NO_CHECK_COMPRESS |
				   MAGIC_NO_CHECK_ELF | MAGIC_ERROR);

	if (magic != NULL && magic_load(magic, NULL) != 0) {
		magic_close(magic);
		return NULL;
	}
	return magic;
}

/* Reads the rulesets that the pool has written: count, then name, file and
 * source of each. */
static size_t
read_rulesets(struct slice bytes, struct arena *arena,
    struct scanner_ruleset **rulesets_out)
{
	struct wire_reader reader = { .rest = bytes };
	uint64_t count = wire_take_number(&reader);
	struct scanner_ruleset *rulesets;

	if (count > RULESETS_MAX)
		return 0;
	rulesets =
	    arena_alloc_array(arena, (size_t)count + 1, sizeof *rulesets);
	if (rulesets == NULL)
		return 0;
	for (uint64_t i = 0; i < count; i++) {
		rulesets[i].name = arena_text(arena, wire_take_slice(&reader));
		rulesets[i].file = arena_text(arena, wire_take_slice(&reader));
		rulesets[i].source = wire_take_slice(&reader);
	}
	*rulesets_out = rulesets;
	return reader.failed ? 0 : (size_t)count;
}

/* Compiles the rules in `memory` and tells the pool how that went. */
static bool
load_rules(int socket, int memory, uint64_t bytes, YR_RULES **rules_out)
{
	struct wire_template_reply reply = { 0 };
	struct arena *arena = arena_new(0, NULL);
	struct builder errors = builder_make(arena, ERRORS_MAX);
	struct scanner_ruleset *rulesets = NULL;
	size_t count;
	char *shared;

	shared = mmap(NULL, (size_t)bytes + ERRORS_MAX, PROT_READ | PROT_WRITE,
	    MAP_SHARED, memory, 0);
	if (shared == MAP_FAILED || yr_initialize() != ERROR_SUCCESS)
		return false;
	count =
	    read_rulesets(slice_make(shared, (size_t)bytes), arena, &rulesets);
	reply.good = rules_compile(rulesets, count, &errors, rules_out);
	if (!reply.good) {
		struct slice text = builder_result(&errors);

		memcpy(shared + bytes, text.data == NULL ? "" : text.data,
		    text.length);
		reply.message_bytes = text.length;
	}
	munmap(shared, (size_t)bytes + ERRORS_MAX);
	close(memory);
	arena_free(&arena);
	return wire_send(socket, &reply, sizeof reply, NULL, 0) && reply.good;
}

static void
fork_worker(struct worker *worker, int template_socket)
{
	int descriptors[3];
	struct wire_worker_request request;
	pid_t child;

	if (!wire_receive(
		template_socket, &request, sizeof request, descriptors, 3))
		_exit(0);
	child = fork();
	if (child == 0) {
		/* getppid() 1: the template ended before this line. */
		end_with_parent();
		if (getppid() == 1)
			_exit(0);
		close(template_socket);
		worker->socket = descriptors[0];
		worker->part_memory = descriptors[1];
		worker->answer_memory = descriptors[2];
		worker->answer_bytes = request.answer_bytes;
		worker_run(worker);
	}
	for (size_t i = 0; i < 3; i++)
		close(descriptors[i]);
}

/* What is mapped by now, in bytes; workers get their limit on top of it. */
static size_t
address_space(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	unsigned long pages = 0;

	if (file != NULL) {
		if (fscanf(file, "%lu", &pages) != 1)
			pages = 0;
		fclose(file);
	}
	/* Without /proc: room for a large set of rules. */
	return pages == 0 ? (size_t)512 << 20
			  : pages * (size_t)sysconf(_SC_PAGESIZE);
}

static _Noreturn void
template_run(
    const struct wire_template_request *request, int socket, int memory)
{
	struct worker worker = { .settings = request->settings };
	struct jail_limits limits = { 0 };
	int kept[] = { socket, memory };

	end_with_parent();
	close_others(kept, 2);
	close_standard();
	setlocale(LC_CTYPE, "C.UTF-8");
	/* With TZ unset glibc looks at /etc/localtime again and again. */
	setenv("TZ", "UTC0", 1);
	tzset();
	open_converters();
	load_digests();
	worker.magic = load_magic();
	if (!load_rules(socket, memory, request->rules_bytes, &worker.rules))
		_exit(1);
	worker.settings.worker_memory_bytes += address_space();
	if (jail_enter(JAIL_TEMPLATE, &limits) != TC_OK)
		_exit(1);
	for (;;)
		fork_worker(&worker, socket);
}

void
zygote_run(int socket)
{
	int kept[] = { socket };

	end_with_parent();
	close_others(kept, 1);
	/* Children are nobody's to wait for: their sockets tell their end. */
	signal(SIGCHLD, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGUSR1, SIG_IGN);
	prctl(PR_SET_NAME, "tocsin-zygote", 0, 0, 0);
	for (;;) {
		struct wire_template_request request;
		int descriptors[2];

		if (!wire_receive(
			socket, &request, sizeof request, descriptors, 2))
			_exit(0);
		if (fork() == 0)
			template_run(&request, descriptors[0], descriptors[1]);
		close(descriptors[0]);
		close(descriptors[1]);
	}
}
