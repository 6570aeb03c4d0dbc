#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "base/slice.h"
#include "indicator/build.h"
#include "indicator/build_generation.h"

#define GENERATION_MAX (ULONG_MAX >> 11) /* JSON takes it whole */

/* 0: none, or not a number. */
static uint64_t
last_given(struct arena *arena, const char *folder)
{
	const char *path =
	    arena_printf(arena, "%s/%s", folder, BUILD_GENERATION_NAME);
	unsigned long number;
	ssize_t length;
	char text[32];
	int fd;

	if (path == NULL)
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	if (fd < 0)
		return 0;
	length = read(fd, text, sizeof text);
	close(fd);
	return length > 0 && slice_parse_number(
				 slice_trim(slice_make(text, (size_t)length)),
				 GENERATION_MAX, &number)
		   ? number
		   : 0;
}

uint64_t
build_generation_next(struct arena *arena, const char *folder,
    uint64_t in_force, bool had_store, int64_t now_unix)
{
	uint64_t last = last_given(arena, folder);

	if (last < in_force)
		last = in_force;
	if (last == 0 && had_store && now_unix > 0)
		return (uint64_t)now_unix;
	return last + 1;
}

bool
build_generation_take(
    struct arena *arena, const char *folder, uint64_t generation)
{
	const char *path =
	    arena_printf(arena, "%s/%s", folder, BUILD_GENERATION_NAME);
	const char *aside =
	    path == NULL ? NULL : arena_printf(arena, "%s.new", path);
	const char *text =
	    arena_printf(arena, "%llu\n", (unsigned long long)generation);
	size_t length;
	bool good;
	int fd;

	errno = ENOMEM;
	if (aside == NULL || text == NULL)
		return false;
	(void)unlink(aside); /* of a build that was killed */
	fd = open(
	    aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return false;
	length = strlen(text);
	good = write(fd, text, length) == (ssize_t)length && fsync(fd) == 0;
	if (close(fd) != 0 || !good || rename(aside, path) != 0) {
		int kept = errno;

		(void)unlink(aside);
		errno = kept;
		return false;
	}
	return true;
}
