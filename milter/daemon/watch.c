#include <config.h>

#include <sys/stat.h>

#include "daemon/watch.h"

static struct watch_mark
look(const char *path)
{
	struct watch_mark mark = { 0 };
	struct stat info;

	if (stat(path, &info) != 0)
		return mark;
	mark.exists = true;
	mark.device = info.st_dev;
	mark.inode = info.st_ino;
	mark.size = info.st_size;
	mark.modified = info.st_mtim;
	return mark;
}

static bool
is_same(const struct watch_mark *a, const struct watch_mark *b)
{
	return a->exists == b->exists && a->device == b->device &&
	       a->inode == b->inode && a->size == b->size &&
	       a->modified.tv_sec == b->modified.tv_sec &&
	       a->modified.tv_nsec == b->modified.tv_nsec;
}

void
watch_take(struct watch *watch, const char *path)
{
	watch->taken = watch->seen = look(path);
}

bool
watch_changed(struct watch *watch, const char *path)
{
	watch->seen = look(path);
	if (is_same(&watch->seen, &watch->taken))
		return false;
	watch->taken = watch->seen;
	return true;
}

bool
watch_gone(struct watch *watch, const char *path)
{
	if (!watch->taken.exists || watch->seen.exists || look(path).exists)
		return false;
	watch->taken = watch->seen;
	return true;
}

bool
watch_settled(struct watch *watch, const char *path)
{
	struct watch_mark now = look(path);
	bool still = is_same(&now, &watch->seen);

	watch->seen = now;
	if (!still || !now.exists || is_same(&now, &watch->taken))
		return false;
	watch->taken = now;
	return true;
}
