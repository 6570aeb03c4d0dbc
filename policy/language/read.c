#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "language/read.h"

static enum tc_status
read_all(struct arena *arena, int file, size_t size, struct slice *text_out)
{
	char *text = arena_alloc(arena, size + 1);
	size_t length = 0;

	if (text == NULL)
		return TC_LIMIT;
	while (length < size) {
		ssize_t got = read(file, text + length, size - length);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return TC_SYSTEM;
		if (got == 0)
			break;
		length += (size_t)got;
	}
	*text_out = slice_make(text, length);
	return TC_OK;
}

enum tc_status
read_file(struct arena *arena, const char *path, size_t max_bytes,
    struct slice *text_out, const char **problem_out)
{
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	enum tc_status status = TC_SYSTEM;
	struct stat info;

	*problem_out = "can't be read";
	if (file < 0 || fstat(file, &info) < 0) {
		*problem_out = arena_printf(arena, "%s", strerror(errno));
	} else if (!S_ISREG(info.st_mode)) {
		*problem_out = "is no regular file";
		status = TC_INVALID;
	} else if ((unsigned long long)info.st_size > max_bytes) {
		*problem_out =
		    arena_printf(arena, "is larger than %zu bytes", max_bytes);
		status = TC_LIMIT;
	} else {
		status = read_all(arena, file, (size_t)info.st_size, text_out);
		if (status == TC_SYSTEM)
			*problem_out =
			    arena_printf(arena, "%s", strerror(errno));
	}
	if (file >= 0)
		close(file);
	if (*problem_out == NULL)
		*problem_out = "can't be read";
	return status;
}

bool
read_is_writable_by_others(const char *path)
{
	struct stat info;
	char folder[4096];
	const char *slash = strrchr(path, '/');

	if (stat(path, &info) == 0 && (info.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return true;
	if (slash == NULL || (size_t)(slash - path) >= sizeof folder)
		return false;
	memcpy(folder, path, (size_t)(slash - path));
	folder[slash - path] = '\0';
	return stat(folder[0] == '\0' ? "/" : folder, &info) == 0 &&
	       (info.st_mode & S_IWOTH) != 0 && (info.st_mode & S_ISVTX) == 0;
}
