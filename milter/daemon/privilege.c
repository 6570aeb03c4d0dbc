#include <config.h>

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "daemon/privilege.h"

bool
privilege_find(const char *name, struct privilege_user *user_out, char *problem,
    size_t problem_size)
{
	struct privilege_user user = { .uid = geteuid(), .gid = getegid() };
	const struct passwd *entry;

	if (name == NULL || name[0] == '\0') {
		*user_out = user;
		return true;
	}
	entry = getpwnam(name);
	if (entry == NULL || strlen(name) >= sizeof user.name) {
		snprintf(
		    problem, problem_size, "there is no user \"%s\"", name);
		return false;
	}
	memcpy(user.name, name, strlen(name) + 1);
	if (entry->pw_uid == geteuid()) {
		*user_out = user;
		return true;
	}
	if (geteuid() != 0) {
		snprintf(problem, problem_size,
		    "only root can become the user \"%s\"", name);
		return false;
	}
	user.uid = entry->pw_uid;
	user.gid = entry->pw_gid;
	user.change = true;
	*user_out = user;
	return true;
}

bool
privilege_find_group(const char *name, gid_t *gid_out)
{
	const struct group *entry = getgrnam(name);

	if (entry == NULL)
		return false;
	*gid_out = entry->gr_gid;
	return true;
}

bool
privilege_drop(
    const struct privilege_user *user, char *problem, size_t problem_size)
{
	if (user->change &&
	    (initgroups(user->name, user->gid) != 0 ||
		setresgid(user->gid, user->gid, user->gid) != 0 ||
		setresuid(user->uid, user->uid, user->uid) != 0)) {
		snprintf(problem, problem_size, "cannot become \"%s\": %s",
		    user->name, strerror(errno));
		return false;
	}
	if (user->change && user->uid != 0 &&
	    (setuid(0) == 0 || setgid(0) == 0)) {
		snprintf(problem, problem_size,
		    "the rights of root could be taken back");
		return false;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
		snprintf(
		    problem, problem_size, "no_new_privs: %s", strerror(errno));
		return false;
	}
	return true;
}
