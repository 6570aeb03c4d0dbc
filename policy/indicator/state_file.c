#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "indicator/state_file.h"

/* Only root can give a file away, and only its own is given. */
static bool
belongs(int fd, const char *state_directory)
{
	struct stat file, folder;

	if (fstat(fd, &file) != 0)
		return false;
	if (!S_ISREG(file.st_mode) || file.st_nlink != 1) {
		errno = EMLINK;
		return false;
	}
	if (geteuid() != 0 || file.st_uid != 0)
		return true;
	if (stat(state_directory, &folder) != 0)
		return false;
	return folder.st_uid == 0 ||
	       fchown(fd, folder.st_uid, folder.st_gid) == 0;
}

int
state_file_open(
    const char *state_directory, const char *path, int flags, mode_t mode)
{
	int fd =
	    open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | flags, mode);
	int problem;

	if (fd < 0 || belongs(fd, state_directory))
		return fd;
	problem = errno;
	close(fd);
	errno = problem;
	return -1;
}
