#include <config.h>

#include <errno.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "scanner/jail.h"

/* What both kinds need: memory, time, their descriptors, their own end. */
static const int calls_common[] = { SCMP_SYS(read), SCMP_SYS(write),
	SCMP_SYS(recvmsg), SCMP_SYS(sendmsg), SCMP_SYS(recvfrom),
	SCMP_SYS(sendto), SCMP_SYS(close), SCMP_SYS(munmap), SCMP_SYS(mremap),
	SCMP_SYS(brk), SCMP_SYS(madvise), SCMP_SYS(futex), SCMP_SYS(exit),
	SCMP_SYS(exit_group), SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigaction), SCMP_SYS(sigaltstack), SCMP_SYS(clock_gettime),
	SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(getrandom),
	SCMP_SYS(restart_syscall), SCMP_SYS(fstat), SCMP_SYS(lseek),
	SCMP_SYS(setitimer), SCMP_SYS(getpid), SCMP_SYS(gettid),
	SCMP_SYS(sched_yield), SCMP_SYS(poll), SCMP_SYS(umask) };

/* newfstatat with an empty path is glibc's fstat; see allow_fstat(). */
static const int calls_template[] = { SCMP_SYS(clone), SCMP_SYS(fork),
	SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(prctl),
	SCMP_SYS(prlimit64), SCMP_SYS(setrlimit), SCMP_SYS(getrlimit),
	SCMP_SYS(seccomp), SCMP_SYS(landlock_create_ruleset),
	SCMP_SYS(landlock_restrict_self), SCMP_SYS(getppid),
	SCMP_SYS(set_tid_address) };

#ifdef WITH_SANITIZERS
/* AddressSanitizer's own needs when it reports. */
static const int calls_sanitizer[] = { SCMP_SYS(readlink), SCMP_SYS(tgkill),
	SCMP_SYS(getrlimit), SCMP_SYS(prlimit64), SCMP_SYS(sched_getaffinity) };
#endif

static int
allow(scmp_filter_ctx filter, const int *calls, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int error =
		    seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);

		/* A call that this architecture does not have needs no rule. */
		if (error != 0 && error != -EDOM && error != -EINVAL)
			return error;
	}
	return 0;
}

/* Memory may be mapped, but never to be executed. */
static int
allow_memory(scmp_filter_ctx filter)
{
	const uint64_t executable = 4; /* PROT_EXEC */
	int error;

	error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
	    SCMP_A2(SCMP_CMP_MASKED_EQ, executable, 0));
	if (error == 0)
		error =
		    seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect),
			1, SCMP_A2(SCMP_CMP_MASKED_EQ, executable, 0));
	/* glibc's fstat(): AT_EMPTY_PATH on a descriptor that is open. */
	if (error == 0)
		error = seccomp_rule_add(filter, SCMP_ACT_ALLOW,
		    SCMP_SYS(newfstatat), 1,
		    SCMP_A3(SCMP_CMP_MASKED_EQ, 0x1000, 0x1000));
	return error;
}

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static enum tc_status
close_calls(enum jail_kind kind)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int error;

	if (filter == NULL)
		return TC_SYSTEM;
	error = allow(filter, calls_common, COUNT(calls_common));
	if (error == 0)
		error = allow_memory(filter);
	if (error == 0 && kind == JAIL_TEMPLATE)
		error = allow(filter, calls_template, COUNT(calls_template));
#ifdef WITH_SANITIZERS
	if (error == 0)
		error = allow(filter, calls_sanitizer, COUNT(calls_sanitizer));
#endif
	if (error == 0)
		error = seccomp_load(filter);
	seccomp_release(filter);
	if (error != 0) {
		errno = -error;
		return TC_SYSTEM;
	}
	return TC_OK;
}

/* A Landlock ruleset that handles every access and allows none. The rights
 * are those of ABI 1, which Debian 12's header has; later ABIs add rights to
 * paths that are closed already. A kernel without Landlock leaves seccomp. */
static void
close_files(void)
{
	struct landlock_ruleset_attr attributes = {
		.handled_access_fs = (1ULL << 13) - 1,
	};
	int ruleset = (int)syscall(
	    SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0);

	if (ruleset < 0)
		return;
	syscall(SYS_landlock_restrict_self, ruleset, 0);
	close(ruleset);
}

static bool
limit(int resource, rlim_t value)
{
	struct rlimit both = { .rlim_cur = value, .rlim_max = value };

	return setrlimit(resource, &both) == 0;
}

enum tc_status
jail_enter(enum jail_kind kind, const struct jail_limits *limits)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 || !limit(RLIMIT_CORE, 0))
		return TC_SYSTEM;
#ifndef WITH_SANITIZERS
	/* AddressSanitizer maps terabytes of shadow. */
	if (limits->memory_bytes != 0 &&
	    !limit(RLIMIT_AS, limits->memory_bytes))
		return TC_SYSTEM;
#endif
	if (limits->cpu_seconds != 0 && !limit(RLIMIT_CPU, limits->cpu_seconds))
		return TC_SYSTEM;
	if (kind == JAIL_WORKER && !limit(RLIMIT_FSIZE, 0))
		return TC_SYSTEM;
	close_files();
	return close_calls(kind);
}
