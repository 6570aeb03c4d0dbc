/*
 * fetch - brings a published feed from the network into a file
 *
 * Used by `tocsin feeds update`, a process of its own without access to mail;
 * the daemon never fetches. What arrives is written aside, synced and renamed
 * over the old file only when it is whole and no larger than allowed, so a
 * failed fetch keeps what was there. A feed has a time; what of its many
 * documents has come when that is over is kept, and the next fetch goes on
 * from there. Several feeds may be fetched at once, each by a thread.
 *
 * Beside the file NAME stands NAME.state with what the server said last (ETag,
 * Last-Modified, the TAXII date), for the next conditional request.
 */
#ifndef TOCSIN_TOOL_FETCH_H
#define TOCSIN_TOOL_FETCH_H

#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"

enum fetch_protocol {
	FETCH_FILE,  /* one document, conditional by ETag and date */
	FETCH_TAXII, /* a TAXII 2.1 collection, page by page */
	FETCH_MISP   /* a MISP feed: manifest.json and one file an event */
};

/* How far a fetch is. */
struct fetch_progress {
	uint64_t bytes;          /* received so far, of all documents */
	uint64_t document_bytes; /* of the one at hand */
	uint64_t document_size;  /* what the server says it has; 0: unknown */
	unsigned events, events_to_fetch; /* of a MISP feed; 0: none */
};

struct fetch_request {
	/* Called now and then; may be NULL. */
	void (*progress)(void *context, const struct fetch_progress *progress);
	void *context;
	const char *name; /* feed's name; its file below `folder` */
	const char *url;  /* https; http to a loopback address only */
	const char *folder;
	enum fetch_protocol protocol;
	const char *collection;  /* TAXII collection id; NULL: in the URL */
	const char *accept;      /* the type asked for; NULL: any */
	const char *auth_file;   /* NULL: none; must be of mode 0600 or less:
				  * USER:PASSWORD, or a whole header line */
	const char *post_file;   /* JSON to post; NULL: GET */
	const char *ca_file;     /* in place of the system's; NULL */
	const char *client_cert; /* PEM; NULL */
	const char *client_key;  /* PEM, mode 0600 or less; NULL */
	const char *proxy;       /* NULL: as the environment says */
	uint64_t size_bytes_max; /* 0: 500 MB */
	size_t events_max;       /* of a MISP feed */
	unsigned pages_max;      /* TAXII, in one fetch; 0: 10000 */
	unsigned time_s;         /* for all of it */
	int64_t now_unix;
};

struct fetch_result {
	bool changed;           /* the file is a new one */
	bool unfinished;        /* there is more: fetch again soon */
	unsigned retry_after_s; /* as the server asks, a day at most; or 0 */
	uint64_t bytes;         /* received */
	unsigned objects;       /* TAXII objects or MISP events received */
	const char *problem;    /* why nothing new is there, or NULL; arena */
};

/* Fetches. TC_OK: the file is up to date (changed or not), or unfinished.
 * TC_AGAIN: the time was over before anything came; TC_INVALID: what the
 * server sent, the request or the auth file is not usable; TC_LIMIT: too
 * large; TC_SYSTEM: network or disk. For these four result_out->problem; what
 * has changed may still have. */
enum tc_status fetch_run(struct arena *arena,
    const struct fetch_request *request, struct fetch_result *result_out);

/* Whether what is here of the feed `name` was fetched from `url`, by its
 * .state. */
bool fetch_was_from(
    struct arena *arena, const char *folder, const char *name, const char *url);

#endif
