#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon/sandbox.h"

/* ---- Landlock: the kernel's numbers, since headers may be older than the
 * kernel (landlock(7)) ---- */

#define LANDLOCK_CREATE       444
#define LANDLOCK_ADD          445
#define LANDLOCK_RESTRICT     446

#define LANDLOCK_VERSION      1u
#define LANDLOCK_PATH_BENEATH 1

#define ACCESS_EXECUTE        (1ull << 0)
#define ACCESS_WRITE_FILE     (1ull << 1)
#define ACCESS_READ_FILE      (1ull << 2)
#define ACCESS_READ_DIR       (1ull << 3)
/* Removing and making, up to symbolic links. */
#define ACCESS_ALL_1    ((1ull << 13) - 1)
#define ACCESS_REFER    (1ull << 13) /* since 2: links between folders */
#define ACCESS_TRUNCATE (1ull << 14) /* since 3 */

struct landlock_ruleset {
	uint64_t handled_access_fs;
};

struct landlock_path {
	uint64_t allowed_access;
	int32_t parent_fd;
} __attribute__((packed));

static bool
allow_below(int ruleset, const char *path, uint64_t access)
{
	struct landlock_path rule = { .allowed_access = access };
	bool allowed;

	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0)
		return errno == ENOENT;
	allowed = syscall(LANDLOCK_ADD, ruleset, LANDLOCK_PATH_BENEATH, &rule,
		      0u) == 0;
	close(rule.parent_fd);
	return allowed;
}

/* Returns the version in use, 0 where there is none, -1 with errno. */
static int
enter_landlock(const char *state_directory)
{
	long version =
	    syscall(LANDLOCK_CREATE, NULL, (size_t)0, LANDLOCK_VERSION);
	struct landlock_ruleset handled = { .handled_access_fs = ACCESS_ALL_1 };
	uint64_t reading = ACCESS_READ_FILE | ACCESS_READ_DIR;
	bool entered;
	int ruleset;

	if (version < 1)
		return 0;
	if (version >= 2)
		handled.handled_access_fs |= ACCESS_REFER;
	if (version >= 3)
		handled.handled_access_fs |= ACCESS_TRUNCATE;
	ruleset = (int)syscall(LANDLOCK_CREATE, &handled, sizeof handled, 0u);
	if (ruleset < 0)
		return -1;
	entered = allow_below(ruleset, "/", reading) &&
		  allow_below(ruleset, "/dev/null",
		      ACCESS_READ_FILE | ACCESS_WRITE_FILE) &&
		  allow_below(ruleset, state_directory,
		      handled.handled_access_fs & ~ACCESS_EXECUTE) &&
		  syscall(LANDLOCK_RESTRICT, ruleset, 0u) == 0;
	close(ruleset);
	return entered ? (int)version : -1;
}

/* ---- seccomp ---- */

#ifdef WITH_SANITIZERS
#define ON_ATTACK SCMP_ACT_ERRNO(EPERM)
#else
#define ON_ATTACK SCMP_ACT_KILL_PROCESS
#endif

/* What nobody but an intruder calls. */
static const int attacks[] = {
	SCMP_SYS(execve),
	SCMP_SYS(execveat),
	SCMP_SYS(ptrace),
	SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev),
	SCMP_SYS(kexec_load),
	SCMP_SYS(kexec_file_load),
	SCMP_SYS(init_module),
	SCMP_SYS(finit_module),
	SCMP_SYS(delete_module),
	SCMP_SYS(bpf),
	SCMP_SYS(userfaultfd),
	SCMP_SYS(mount),
	SCMP_SYS(umount2),
	SCMP_SYS(pivot_root),
	SCMP_SYS(chroot),
	SCMP_SYS(reboot),
	SCMP_SYS(swapon),
	SCMP_SYS(swapoff),
};

/* What a library might try, and does without. */
static const int refused[] = {
	SCMP_SYS(perf_event_open),
	SCMP_SYS(io_uring_setup),
	SCMP_SYS(io_uring_enter),
	SCMP_SYS(io_uring_register),
	SCMP_SYS(unshare),
	SCMP_SYS(setns),
	SCMP_SYS(keyctl),
	SCMP_SYS(add_key),
	SCMP_SYS(request_key),
	SCMP_SYS(personality),
	SCMP_SYS(acct),
	SCMP_SYS(quotactl),
	SCMP_SYS(settimeofday),
	SCMP_SYS(clock_settime),
	SCMP_SYS(adjtimex),
	SCMP_SYS(sethostname),
	SCMP_SYS(setdomainname),
	SCMP_SYS(mknod),
	SCMP_SYS(mknodat),
	SCMP_SYS(name_to_handle_at),
	SCMP_SYS(open_by_handle_at),
	SCMP_SYS(fanotify_init),
	SCMP_SYS(lookup_dcookie),
	SCMP_SYS(move_pages),
	SCMP_SYS(migrate_pages),
	SCMP_SYS(pidfd_getfd),
	SCMP_SYS(setuid),
	SCMP_SYS(setgid),
	SCMP_SYS(setreuid),
	SCMP_SYS(setregid),
	SCMP_SYS(setresuid),
	SCMP_SYS(setresgid),
	SCMP_SYS(setgroups),
	SCMP_SYS(capset),
};

static bool
add_rules(
    scmp_filter_ctx filter, const int *calls, size_t count, uint32_t action)
{
	for (size_t i = 0; i < count; i++) {
		int result = seccomp_rule_add(filter, action, calls[i], 0);

		/* A call that this architecture does not have. */
		if (result != 0 && result != -EDOM && result != -EINVAL)
			return false;
	}
	return true;
}

/* Returns 1, 0 where the kernel has none, -1. */
static int
enter_seccomp(void)
{
	scmp_filter_ctx filter;
	int result = -1;

	if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) < 0)
		return 0;
	filter = seccomp_init(SCMP_ACT_ALLOW);
	if (filter == NULL)
		return -1;
	if (add_rules(filter, attacks, sizeof attacks / sizeof attacks[0],
		ON_ATTACK) &&
	    add_rules(filter, refused, sizeof refused / sizeof refused[0],
		SCMP_ACT_ERRNO(EPERM)) &&
	    seccomp_load(filter) == 0)
		result = 1;
	seccomp_release(filter);
	return result;
}

bool
sandbox_enter(const char *state_directory, struct sandbox_result *result_out,
    char *problem, size_t problem_size)
{
	struct sandbox_result result = { 0 };
	int seccomp;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
		snprintf(
		    problem, problem_size, "no_new_privs: %s", strerror(errno));
		return false;
	}
	result.landlock_abi = enter_landlock(state_directory);
	if (result.landlock_abi < 0) {
		snprintf(
		    problem, problem_size, "Landlock: %s", strerror(errno));
		return false;
	}
	seccomp = enter_seccomp();
	if (seccomp < 0) {
		snprintf(problem, problem_size, "seccomp refuses the filter");
		return false;
	}
	result.seccomp = seccomp > 0;
	*result_out = result;
	return true;
}
