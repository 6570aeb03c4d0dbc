/*
 * watch - has a file changed since we looked?
 *
 * By device, inode, size and modification time. A file that is written in
 * place is caught half written; watch_settled() therefore waits until two
 * looks in a row show the same.
 */
#ifndef TOCSIN_DAEMON_WATCH_H
#define TOCSIN_DAEMON_WATCH_H

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

/* Zero-initialise: then a file that is there has changed. */
struct watch_mark {
	bool exists;
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec modified;
};

struct watch {
	struct watch_mark taken; /* what was acted on */
	struct watch_mark seen;  /* at the last look */
};

/* Takes what is there now as known. */
void watch_take(struct watch *watch, const char *path);

/* True once when the file differs from what was taken; takes it. */
bool watch_changed(struct watch *watch, const char *path);

/* As watch_changed(), for files that are not replaced by renaming: true only
 * when it also is as it was at the look before. A file that is gone counts as
 * unchanged. */
bool watch_settled(struct watch *watch, const char *path);

/* True once when a file that was there is gone, and was at the look before;
 * asked before watch_settled(), which takes the look. */
bool watch_gone(struct watch *watch, const char *path);

#endif
