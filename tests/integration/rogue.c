/*
 * rogue - what a scanner worker does that has been taken over
 *
 * Linked with the daemon's own main() this is a tocsind whose workers obey
 * attachments: one that reads "rogue: open" tries to open a file, and so on.
 * What must stop them is the product's own jail.
 */
#include <config.h>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "scanner/worker.h"

static void
deed_open(void)
{
	(void)!open("/etc/passwd", O_RDONLY);
}

static void
deed_create(void)
{
	const char *path = getenv("TOCSIN_ROGUE_FILE");

	(void)!open(path == NULL ? "rogue" : path, O_WRONLY | O_CREAT, 0600);
}

static void
deed_socket(void)
{
	(void)!socket(AF_INET, SOCK_STREAM, 0);
}

static void
deed_exec(void)
{
	static char *const arguments[] = { (char *)(uintptr_t) "true", NULL };

	execv("/bin/true", arguments);
}

static void
deed_ptrace(void)
{
	(void)!ptrace(PTRACE_ATTACH, getppid(), NULL, NULL);
}

static void
deed_kill(void)
{
	kill(getppid(), SIGKILL);
}

static void
deed_fork(void)
{
	(void)!fork();
}

static void
deed_code(void)
{
	(void)!mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void
deed_crash(void)
{
	raise(SIGSEGV);
	abort();
}

static void
deed_hang(void)
{
	volatile unsigned turns = 0;

	for (;;)
		turns++;
}

/* The alarm that would end it is put off. */
static void
deed_overstay(void)
{
	struct itimerval never = { 0 };

	setitimer(ITIMER_REAL, &never, NULL);
	deed_hang();
}

static void
deed_memory(void)
{
	for (;;) {
		volatile char *more = malloc(1 << 20);

		if (more == NULL)
			_exit(1);
		for (size_t at = 0; at < 1 << 20; at += 4096)
			more[at] = 1;
	}
}

static void
obey(struct slice content)
{
	static const struct {
		const char *order;
		void (*deed)(void);
	} deeds[] = { { "rogue: open", deed_open },
		{ "rogue: create", deed_create },
		{ "rogue: socket", deed_socket }, { "rogue: exec", deed_exec },
		{ "rogue: ptrace", deed_ptrace }, { "rogue: kill", deed_kill },
		{ "rogue: fork", deed_fork }, { "rogue: code", deed_code },
		{ "rogue: crash", deed_crash }, { "rogue: hang", deed_hang },
		{ "rogue: overstay", deed_overstay },
		{ "rogue: memory", deed_memory } };

	for (size_t i = 0; i < sizeof deeds / sizeof deeds[0]; i++)
		if (slice_starts_with(content, slice_text(deeds[i].order)))
			deeds[i].deed();
}

__attribute__((constructor)) static void
take_over(void)
{
	worker_test_hook = obey;
}
