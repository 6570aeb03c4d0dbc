#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <libmilter/mfapi.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/milter_socket.h"
#include "daemon/privilege.h"

/* Connections that wait while the filter is started again. The kernel cuts it
 * to net.core.somaxconn. */
#define BACKLOG 1024

/* What was bound, to remove no other's. */
static dev_t bound_device;
static ino_t bound_inode;

static void
folder_of(const char *path, char folder[SOCKET_ADDRESS_PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	size_t length = slash == path ? 1 : (size_t)(slash - path);

	memcpy(folder, path, length);
	folder[length] = '\0';
}

/* Does somebody accept connections there? */
static bool
is_served(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool served;

	if (fd < 0)
		return false;
	memcpy(address.sun_path, path, strlen(path) + 1);
	served =
	    connect(fd, (struct sockaddr *)&address, sizeof address) == 0 ||
	    errno == EAGAIN;
	close(fd);
	return served;
}

static bool
check_folder(const struct milter_socket_settings *settings, char *problem,
    size_t problem_size, char *warning, size_t warning_size)
{
	char folder[SOCKET_ADDRESS_PATH_MAX];
	struct stat info;

	folder_of(settings->address.path, folder);
	if (stat(folder, &info) != 0) {
		snprintf(problem, problem_size, "the socket's folder %s: %s",
		    folder, strerror(errno));
		return false;
	}
	if (!S_ISDIR(info.st_mode)) {
		snprintf(problem, problem_size,
		    "the socket's folder %s is not a folder", folder);
		return false;
	}
	if (access(folder, W_OK | X_OK) != 0) {
		snprintf(problem, problem_size, "the socket's folder %s: %s",
		    folder, strerror(errno));
		return false;
	}
	if ((info.st_mode & S_IWOTH) && !(info.st_mode & S_ISVTX))
		snprintf(warning, warning_size,
		    "everybody may write to the socket's folder %s and take "
		    "the socket's place",
		    folder);
	else if (geteuid() == 0 && settings->filter_uid != 0 &&
		 info.st_uid == settings->filter_uid)
		snprintf(warning, warning_size,
		    "the socket's folder %s belongs to the filter's user; "
		    "root should own it",
		    folder);
	return true;
}

bool
milter_socket_check(const struct milter_socket_settings *settings,
    char *problem, size_t problem_size, char *warning, size_t warning_size)
{
	const char *path = settings->address.path;
	struct stat info;

	warning[0] = '\0';
	if (settings->address.family != SOCKET_ADDRESS_UNIX) {
		if (!socket_address_is_local(&settings->address))
			snprintf(warning, warning_size,
			    "the socket is open to other hosts; the milter "
			    "protocol knows neither passwords nor secrecy");
		return true;
	}
	if (!check_folder(
		settings, problem, problem_size, warning, warning_size))
		return false;
	if (lstat(path, &info) != 0)
		return true;
	if (!S_ISSOCK(info.st_mode)) {
		snprintf(problem, problem_size,
		    "%s is there and is no socket; move it away", path);
		return false;
	}
	if (is_served(path)) {
		snprintf(problem, problem_size,
		    "%s is served by another process; is tocsind running "
		    "already?",
		    path);
		return false;
	}
	return true;
}

static bool
give_rights(const struct milter_socket_settings *settings, const char *path,
    char *problem, size_t problem_size)
{
	gid_t group = (gid_t)-1;

	if (settings->group[0] != '\0' &&
	    !privilege_find_group(settings->group, &group)) {
		snprintf(problem, problem_size,
		    "there is no group \"%s\" (socket-group)", settings->group);
		return false;
	}
	/* First, while it is ours: afterwards it would take CAP_FOWNER, which the
	 * systemd unit does not leave us. */
	if (chmod(path, settings->mode) != 0) {
		snprintf(problem, problem_size, "chmod %s: %s", path,
		    strerror(errno));
		return false;
	}
	/* The filter connects too (nudge.h); root's socket would refuse it. */
	if (geteuid() == 0 && lchown(path, settings->filter_uid, group) != 0) {
		snprintf(problem, problem_size,
		    "the socket cannot be given to the filter's user: %s",
		    strerror(errno));
		return false;
	}
	if (group != (gid_t)-1 && lchown(path, (uid_t)-1, group) != 0) {
		snprintf(problem, problem_size,
		    "the socket cannot be given to the group \"%s\": %s",
		    settings->group, strerror(errno));
		return false;
	}
	return true;
}

static bool
put_in_place(const struct milter_socket_settings *settings,
    const char *temporary, char *problem, size_t problem_size)
{
	struct stat info;

	if (!give_rights(settings, temporary, problem, problem_size))
		return false;
	if (rename(temporary, settings->address.path) != 0 ||
	    lstat(settings->address.path, &info) != 0) {
		snprintf(problem, problem_size, "%s: %s",
		    settings->address.path, strerror(errno));
		return false;
	}
	bound_device = info.st_dev;
	bound_inode = info.st_ino;
	return true;
}

bool
milter_socket_open(const struct milter_socket_settings *settings, char *problem,
    size_t problem_size)
{
	bool is_unix = settings->address.family == SOCKET_ADDRESS_UNIX;
	char temporary[SOCKET_ADDRESS_PATH_MAX + 8] = "";
	char form[SOCKET_ADDRESS_HOST_MAX + 64];
	mode_t mask;
	bool opened;

	if (is_unix)
		snprintf(temporary, sizeof temporary, "%s.new",
		    settings->address.path);
	if (!socket_address_format(&settings->address,
		is_unix ? temporary : NULL, form, sizeof form) ||
	    smfi_setconn(form) != MI_SUCCESS) {
		snprintf(problem, problem_size,
		    "libmilter does not take the socket \"%s\"", form);
		return false;
	}
	(void)smfi_setbacklog(BACKLOG);
	/* A temporary name is left over only when we died between the next
	 * steps. */
	if (is_unix)
		(void)unlink(temporary);
	mask = umask(0177);
	errno = 0;
	opened = smfi_opensocket(false) == MI_SUCCESS;
	umask(mask);
	if (!opened) {
		snprintf(problem, problem_size,
		    "the socket \"%s\" cannot be opened: %s", form,
		    errno == 0 ? "in use or not ours" : strerror(errno));
		return false;
	}
	if (!is_unix)
		return true;
	if (put_in_place(settings, temporary, problem, problem_size))
		return true;
	(void)unlink(temporary);
	return false;
}

void
milter_socket_remove(const struct milter_socket_settings *settings)
{
	struct stat info;

	if (settings->address.family == SOCKET_ADDRESS_UNIX &&
	    lstat(settings->address.path, &info) == 0 &&
	    info.st_dev == bound_device && info.st_ino == bound_inode)
		(void)unlink(settings->address.path);
}
