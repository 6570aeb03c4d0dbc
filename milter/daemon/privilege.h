/*
 * privilege - giving up root, for good
 *
 * A service that starts as root does so for its sockets alone. What happens
 * afterwards happens as the user of the settings.
 */
#ifndef TOCSIN_DAEMON_PRIVILEGE_H
#define TOCSIN_DAEMON_PRIVILEGE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct privilege_user {
	uid_t uid;
	gid_t gid;
	char name[64];
	bool change; /* false: we stay who we are */
};

/* Finds the user that `name` names ("" or NULL: stay). False with a sentence
 * in `problem` when there is none, or when it is not ours to become. */
bool privilege_find(const char *name, struct privilege_user *user_out,
    char *problem, size_t problem_size);

/* The group's number; false when there is none of that name. */
bool privilege_find_group(const char *name, gid_t *gid_out);

/* Becomes the user with its groups, checks that there is no way back, and
 * takes the right to gain rights by running a program. False with a sentence
 * in `problem`: the caller must end. */
bool privilege_drop(
    const struct privilege_user *user, char *problem, size_t problem_size);

#endif
